"""Services that an estate's hosts have in common: what serves all of them, and what reaches all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.model.services import TCP, UDP


@dataclass(frozen=True, slots=True)
class Common:
    """What a service of this kind is called in a rule; `reaching` if few clients reach many servers.

    Where `words` are given, the name or a label of a server must have one of them: the ports alone do not tell.
    """

    name: str
    reaching: bool = False
    words: frozenset[str] = frozenset()


_MIRRORS = frozenset(
    (
        "mirror",
        "mirrors",
        "repo",
        "repos",
        "packages",
        "apt",
        "yum",
        "nexus",
        "artifactory",
        "pulp",
        "satellite",
        "wsus",
    )
)
_NAMES = Common("DNS")
_TIME = Common("NTP")
_LOGS = Common("syslog")
_DIRECTORY = Common("directory")
_MONITORING = Common("monitoring", reaching=True)
_BACKUP = Common("backup", reaching=True)
_SESSIONS = Common("administration", reaching=True)
_PACKAGES = Common("packages", words=_MIRRORS)

# Ports of the IANA registry, and those that the programs named take by default.
COMMON: Mapping[tuple[int, int], Common] = {
    **dict.fromkeys(((UDP, 53), (TCP, 53), (TCP, 853)), _NAMES),
    **dict.fromkeys(((UDP, 123), (TCP, 4460)), _TIME),
    **dict.fromkeys(((UDP, 514), (TCP, 514), (TCP, 601), (TCP, 6514), (TCP, 3100), (TCP, 12201)), _LOGS),
    **dict.fromkeys(((TCP, port) for port in (88, 389, 464, 636, 749, 3268, 3269)), _DIRECTORY),
    **dict.fromkeys(((UDP, 88), (UDP, 389), (UDP, 464)), _DIRECTORY),
    # node exporter, NRPE, Zabbix' agent, SNMP, Checkmk's agent, Telegraf
    **dict.fromkeys(((TCP, port) for port in (9100, 5666, 10050, 6556, 9273)), _MONITORING),
    (UDP, 161): _MONITORING,
    # Bacula's file daemon, NetBackup, Veeam's installer and transport, TSM, Borg's is ssh
    **dict.fromkeys(((TCP, port) for port in (9102, 13724, 1556, 6160, 6162, 1501)), _BACKUP),
    **dict.fromkeys(((TCP, port) for port in (22, 3389, 5985, 5986)), _SESSIONS),
    **dict.fromkeys(((TCP, port) for port in (80, 443, 873, 3142, 8081, 8530, 8531)), _PACKAGES),
}

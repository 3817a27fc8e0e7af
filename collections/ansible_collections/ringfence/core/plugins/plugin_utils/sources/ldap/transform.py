"""Turns computers of a directory into hosts: names, addresses, labels, connection, and one fact with the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    good_addresses,
    good_candidates,
    good_labels,
    is_whole,
    named,
    reached_as_windows,
    sorted_addresses,
    without_empty,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.api import Answer, Entry
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.groups import Memberships

# userAccountControl, MS-ADTS 2.2.16: ACCOUNTDISABLE.
_DISABLED = 0x2
# FILETIME, MS-DTYP 2.3.3: tenths of a microsecond since then.
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
# What controllers of servers call themselves unless told otherwise: Dell's with the service tag, HPE's with the serial.
_CONTROLLER = re.compile(r"idrac-[A-Z0-9]{5,10}|ilo-?(?=[A-Z0-9]*\d)[A-Z0-9]{8,14}", re.IGNORECASE)
_PART = re.compile(r"(?:[^,\\]|\\.)+")


@dataclass(frozen=True)
class Shape:
    """How hosts are to look: which attribute names them, which labels they get, and how Ansible reaches Windows."""

    names: Sequence[str] = ("dNSHostName", "cn")
    addresses: Sequence[str] = ("ipHostNumber",)
    labels: Mapping[str, str] = field(default_factory=dict)
    label_prefix: str = "ldap_"
    attributes: Sequence[str] = ()
    windows_connection: str = "psrp"
    disabled: bool = False


def hosts(answer: Answer, shape: Shape) -> Found:
    """Return the hosts of a directory, and warnings: groups that contain themselves, entries without a name."""
    memberships = Memberships(answer.groups, [entry for _, entry in answer.computers])
    nameless: list[str] = []
    malformed: list[str] = []

    def turn(item: tuple[str, Entry]) -> Candidate | None:
        base, entry = item
        if not shape.disabled and _number(entry.first("userAccountControl")) & _DISABLED:
            return None
        wish = next((text for name in shape.names if (text := entry.first(name))), "")
        if not wish:
            nameless.append(entry.dn)
            return None
        return Candidate(wish, _unique(entry), _variables(entry, base, answer, shape, memberships))

    entries = {entry.dn: (base, entry) for base, entry in answer.computers}
    candidates = good_candidates(entries.values(), turn, lambda item: item[1].dn, malformed)
    warnings = [*_warnings(answer, memberships, nameless), *malformed]
    known = sorted(named(candidates), key=lambda host: host[0])
    return Found(known, warnings, _unreached(answer), whole=not answer.failures and is_whole(malformed))


def _warnings(answer: Answer, memberships: Memberships, nameless: Sequence[str]) -> list[str]:
    cycles = memberships.cycles()
    found = list(answer.warnings)
    found += [f"groups contain each other: {' → '.join([*cycle, cycle[0]])}" for cycle in cycles]
    if nameless:
        found.append(f"{len(nameless)} computers have no name and are left out: {', '.join(nameless[:5])}")
    found += [f"{answer.server}: '{base}' was not read: {why}" for base, why in answer.failures.items()]
    if answer.failures:
        found.append(f"{len(answer.failures)} parts of the directory were not read completely; the rest is used")
    return found


def _unreached(answer: Answer) -> dict[str, str]:
    return {f"ldap {base}": why for base, why in answer.failures.items()}


def _variables(entry: Entry, base: str, answer: Answer, shape: Shape, memberships: Memberships) -> dict[str, object]:
    parts = dn_parts(entry.dn)
    units = [value for kind, value in parts if kind == "ou"]
    domain = ".".join(value for kind, value in parts if kind == "dc")
    fact = without_empty(
        {
            "dn": entry.dn,
            # No "id": the directory's own is not the machine's, which other sources tell.
            "guid": entry.first("objectGUID") or entry.first("entryUUID"),
            "cn": entry.first("cn"),
            "account": entry.first("sAMAccountName"),
            "fqdn": entry.first("dNSHostName"),
            "domain": domain,
            "units": units,
            "os": entry.first("operatingSystem"),
            "os_version": entry.first("operatingSystemVersion"),
            "description": entry.first("description"),
            "location": entry.first("location"),
            "managed_by": entry.first("managedBy"),
            "mac": list(entry.values.get("macaddress", ())),
            "services": list(entry.values.get("serviceprincipalname", ())),
            "member_of": memberships.groups_of(entry.dn),
            "created": entry.first("whenCreated"),
            "last_logon": _time(entry.first("lastLogonTimestamp")),
            "disabled": bool(_number(entry.first("userAccountControl")) & _DISABLED),
            "attributes": {name: list(entry.values.get(name.lower(), ())) for name in shape.attributes},
        }
    )
    own = {key: entry.first(attribute) for key, attribute in shape.labels.items()}
    usual = good_labels({"domain": domain, "ou": units[0] if units else ""}, shape.label_prefix)
    # The values of an attribute have no order (RFC 4511 4.1.7).
    addresses = [
        address
        for name in shape.addresses
        for address in sorted_addresses(
            good_addresses(text for value in entry.values.get(name.lower(), ()) for text in value.split())
        )
    ]
    addresses = list(dict.fromkeys(addresses))
    reached = addresses[0] if addresses else entry.first("dNSHostName")
    variables: dict[str, object] = {
        "ringfence_ldap": fact,
        "ringfence_labels": {**usual, **good_labels(own)},
        "ringfence_sources": [f"ldap {base}"],
        **({"ringfence_addresses": addresses} if addresses else {}),
        **({"ansible_host": reached} if reached else {}),
    }
    if entry.first("operatingSystem").lower().startswith("windows"):
        variables |= reached_as_windows(shape.windows_connection)
    elif not entry.first("operatingSystem") and _CONTROLLER.fullmatch(entry.first("cn").partition(".")[0]):
        variables |= {"ringfence_workload": False, "ringfence_kind": "controller"}
    return variables


def dn_parts(dn: str) -> list[tuple[str, str]]:
    """Return the parts of a name of a directory as (kind in small letters, value), the innermost first (RFC 4514)."""
    found = []
    for part in _PART.findall(dn):
        kind, _, value = part.partition("=")
        found.append((kind.strip().lower(), re.sub(r"\\(.)", r"\1", value.strip())))
    return found


def _unique(entry: Entry) -> str:
    identity = entry.first("objectGUID") or entry.first("entryUUID")
    return identity or entry.dn


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,19}", text) else 0


def _time(text: str) -> str:
    """Return the time that Active Directory writes as a FILETIME, to the second; empty where there is none."""
    ticks = _number(text)
    if not 0 < ticks < 1 << 62:
        return ""
    return (_EPOCH + timedelta(microseconds=ticks // 10)).strftime("%Y-%m-%dT%H:%M:%SZ")

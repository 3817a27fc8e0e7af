# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts of a host without a Python for Ansible's modules, as `setup` would call them (`script/facts.sh`)."""

from __future__ import annotations

import ipaddress
from collections import defaultdict

from .answer_values import AnswerError
from .shell_answer import ShellAnswer

# ID of os-release: what `setup` calls it, and its family.
RELEASES = {
    "debian": ("Debian", "Debian"),
    "ubuntu": ("Ubuntu", "Debian"),
    "raspbian": ("Debian", "Debian"),
    "alpine": ("Alpine", "Alpine"),
    "rhel": ("RedHat", "RedHat"),
    "centos": ("CentOS", "RedHat"),
    "rocky": ("Rocky", "RedHat"),
    "almalinux": ("AlmaLinux", "RedHat"),
    "fedora": ("Fedora", "RedHat"),
    "ol": ("OracleLinux", "RedHat"),
    "amzn": ("Amazon", "RedHat"),
    "sles": ("SLES", "Suse"),
    "opensuse-leap": ("openSUSE Leap", "Suse"),
    "opensuse-tumbleweed": ("openSUSE Tumbleweed", "Suse"),
    "arch": ("Archlinux", "Archlinux"),
    "openwrt": ("OpenWrt", "OpenWrt"),
}
FAMILIES = {"debian": "Debian", "rhel": "RedHat", "fedora": "RedHat", "suse": "Suse", "openwrt": "OpenWrt"}
# /sys/class/net/NAME/type, include/uapi/linux/if_arp.h
TYPES = {"1": "ether", "772": "loopback", "32": "infiniband", "512": "ppp", "776": "tunnel", "65534": "tunnel"}
_AS_TOLD = (
    *("nodename", "architecture", "system", "kernel"),
    *("product_uuid", "product_serial", "board_asset_tag", "product_name"),
)


def shell_facts(answer: ShellAnswer) -> tuple[dict[str, object], list[str]]:
    """Return facts under the names of `setup`, without its prefix, and what could not be read.

    Raise AnswerError where the host told no facts.
    """
    lines: dict[str, list[list[str]]] = defaultdict(list)
    for line in answer.sections.get("facts", ()):
        kind, *words = line.split(" ", 2)
        if words or kind == "Z":
            lines[kind].append(words)
    if not lines["Z"]:
        raise AnswerError("its facts do not end")
    told = {words[0]: words[1].strip() for words in lines["T"] if len(words) == 2}
    facts: dict[str, object] = {name: told[name] for name in _AS_TOLD if told.get(name)}
    facts |= _names(told) | _release(told)
    if told.get("sys_vendor"):
        facts["system_vendor"] = told["sys_vendor"]
    facts["service_mgr"] = {"init": "sysvinit"}.get(told.get("init", ""), told.get("init", ""))
    facts |= _interfaces(lines)
    unseen = ["virtualization_role and virtualization_type are unknown: only Python finds them"]
    if "local" in told:
        unseen.append("custom facts of /etc/ansible/facts.d are unknown: only Python reads them")
    if not lines["4"]:
        unseen.append("the interfaces of IPv4 addresses are unknown: there is neither ip nor ifconfig")
    return facts, unseen


def _names(told: dict[str, str]) -> dict[str, object]:
    node = told.get("nodename", "")
    full = told.get("fqdn") or node
    return {"hostname": node.partition(".")[0], "fqdn": full, "domain": full.partition(".")[2]}


def _release(told: dict[str, str]) -> dict[str, object]:
    identity = told.get("os_id", "")
    like = [FAMILIES[word] for word in told.get("os_id_like", "").split() if word in FAMILIES]
    name, family = RELEASES.get(identity, (told.get("os_name", identity), like[0] if like else ""))
    version = told.get("os_version_id", "")
    if identity == "debian" and told.get("debian_version", "").replace(".", "").isdigit():
        version = told["debian_version"]
    if identity == "alpine":
        version = told.get("alpine_version", version)
    found: dict[str, object] = {
        "distribution": name,
        "distribution_version": version,
        "distribution_major_version": version.partition(".")[0],
        "distribution_release": told.get("os_version_codename", ""),
        "os_family": family or name,
    }
    return {key: value for key, value in found.items() if value}


def _interfaces(lines: dict[str, list[list[str]]]) -> dict[str, object]:
    v4: dict[str, list[str]] = defaultdict(list)
    v6: dict[str, list[str]] = defaultdict(list)
    for words in lines["4"]:
        if len(words) == 2 and _v4(words[1:]):
            v4[words[0].partition(":")[0]].append(words[1])
    for words in lines["6"]:
        if len(words) == 2 and len(words[1]) == 32 and all(digit in "0123456789abcdef" for digit in words[1]):
            v6[words[0]].append(str(ipaddress.IPv6Address(int(words[1], 16))))
    own = [words[0] for words in lines["A"] if _v4(words)] + [one for found in v4.values() for one in found]
    found: dict[str, object] = {
        "all_ipv4_addresses": [one for one in dict.fromkeys(own) if not one.startswith("127.")],
        "all_ipv6_addresses": [one for several in v6.values() for one in several if one != "::1"],
        "interfaces": [words[0] for words in lines["I"]],
    }
    for name, kind, mac in (f"{' '.join(words)}  ".split(" ", 3)[:3] for words in lines["I"]):
        key = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
        details: dict[str, object] = {"device": name, "type": TYPES.get(kind, kind)}
        if mac and mac != "00:00:00:00:00:00":
            details["macaddress"] = mac
        if v4[name]:
            details["ipv4"] = {"address": v4[name][0]}
            details["ipv4_secondaries"] = [{"address": one} for one in v4[name][1:]]
        details["ipv6"] = [{"address": one} for one in v6[name]]
        found.setdefault(key, details)
    return found


def _v4(words: list[str]) -> bool:
    try:
        ipaddress.IPv4Address(words[0])
    except (ValueError, IndexError):
        return False
    return True

# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facts that addresses, identity and label rules are made of, out of all that a host answers to `setup`.

The host writes its whole answer. What is no such fact, or not of its type, is dropped; what is kept is made anew, in
bounded number and length, and what is named as a secret is not kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from .answer_values import AnswerError, address, text

# Collectors of `setup`; `hardware` is the only one that reads the UUID of a machine, and the environment is in none.
SUBSETS = ("!all", "!min", "platform", "distribution", "network", "hardware", "virtual", "service_mgr", "local")
TEXTS = (
    *("hostname", "fqdn", "domain", "nodename", "architecture", "system", "kernel", "os_family", "service_mgr"),
    *("distribution", "distribution_major_version", "distribution_version", "distribution_release"),
    *("product_uuid", "product_serial", "board_asset_tag", "system_vendor", "product_name"),
    *("virtualization_role", "virtualization_type"),
)
NAMES = frozenset({*TEXTS, "local", "listeners", "running_units"})
MOST_ADDRESSES = 4_096
MOST_INTERFACES = 2_048
MOST_LISTENERS = 4_096
MOST_UNITS = 4_096
# Of custom facts (`facts.d`): values in all, how deep they nest, and characters of one.
MOST_LOCAL = 2_000
DEEPEST_LOCAL = 8
LONGEST = 1_000
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,63}", re.ASCII)
_SECRET = re.compile(
    r"pass(word|wd|phrase)?$|passw|secret|token|credential|cookie|api[_.-]?key|(private|access)[_.-]?key|vault|auth$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"^\$ANSIBLE_VAULT;|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s@]+@")


def kept(told: Mapping[str, object]) -> dict[str, object]:
    """Return the facts that are kept of `ansible_facts`, under their names without `ansible_`."""
    facts = told.get("ansible_facts")
    every = (
        {str(name).removeprefix("ansible_"): value for name, value in facts.items()} if isinstance(facts, dict) else {}
    )
    found: dict[str, object] = {name: word for name in TEXTS if (word := _text(every.get(name))) is not None}
    for name in ("all_ipv4_addresses", "all_ipv6_addresses"):
        found[name] = list(_addresses(every.get(name)))
    # sorted: Python has them in the kernel's order, which changes, and a shell by name
    names = sorted(name for name in _list(every.get("interfaces")) if isinstance(name, str) and _NAME.fullmatch(name))
    found["interfaces"] = names[:MOST_INTERFACES]
    for name in names[:MOST_INTERFACES]:
        key = re.sub(r"[^A-Za-z0-9]", "_", name)
        details = every.get(key)
        # an interface may be called like a fact that is a text
        if isinstance(details, dict) and key not in found and key not in NAMES:
            found[key] = _interface(details)
    local = _local(every.get("local"), 0, [MOST_LOCAL])
    if isinstance(local, dict) and local:
        found["local"] = local
    return found


def listening(rows: object) -> list[dict[str, object]]:
    """Return listeners as label rules see them: without the numbers of processes, which change all the time."""
    found: list[dict[str, object]] = []
    for row in _list(rows)[:MOST_LISTENERS]:
        port = row.get("port") if isinstance(row, dict) else None
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
            continue
        words = {
            name: _text(row.get(name)) for name in ("protocol", "address", "process", "unit", "user", "socket_unit")
        }
        found.append({**words, "port": port, "ephemeral": row.get("ephemeral") is True})
    return found


def running(units: object) -> list[str]:
    """Return names of units."""
    return [word for one in _list(units)[:MOST_UNITS] if (word := _text(one))]


def _interface(details: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {
        name: word
        for name in ("device", "type", "macaddress", "perm_macaddress")
        if (word := _text(details.get(name))) is not None
    }
    v4 = list(_addresses([_of(details.get("ipv4")), *map(_of, _list(details.get("ipv4_secondaries")))]))
    found["ipv4_secondaries"] = [{"address": one} for one in v4]
    found["ipv6"] = [{"address": one} for one in _addresses([_of(one) for one in _list(details.get("ipv6"))])]
    return found


def _of(entry: object) -> object:
    return entry.get("address") if isinstance(entry, dict) else None


def _addresses(values: object) -> Iterator[str]:
    for value in _list(values)[:MOST_ADDRESSES]:
        try:
            yield address(value.partition("%")[0] if isinstance(value, str) else value, "an address")
        except AnswerError:
            continue


def _local(value: object, depth: int, left: list[int]) -> object:
    """Return custom facts as plain data; None for what nests too deep, is too much, or is named as a secret."""
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST_LOCAL:
        return None
    if isinstance(value, dict):
        found = {}
        for name, one in value.items():
            word = _text(name)
            kept_one = None if word is None or _SECRET.search(word) else _local(one, depth + 1, left)
            if kept_one is not None:
                found[word] = kept_one
        return found
    if isinstance(value, list):
        return [one for item in value if (one := _local(item, depth + 1, left)) is not None]
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return int(value) if abs(value) < 2**53 else None
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return _text(value)


def _text(value: object) -> str | None:
    try:
        word = text(value, "a fact", LONGEST)
    except AnswerError:
        return None
    return None if _SECRET_VALUE.search(word) else word


def _list(value: object) -> list:
    return value if isinstance(value, list) else []

# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shape of what a host reports of its flows: nothing else of its answer is taken, and all of it is made anew.

The module runs on the host, so whoever controls the host writes its whole answer: facts, hosts to add, connection
variables and warnings for Ansible among it.
"""

from __future__ import annotations

import json
import re

from .answer_values import (
    TIME,
    AnswerError,
    address,
    flag,
    listed,
    matching,
    number,
    one_of,
    optional_text,
    shown,
    text,
)

MOST_ADDRESSES = 4_096
MOST_LISTENERS = 20_000
# Also what the module reports unless it is told otherwise, five times.
MOST_FLOWS = 100_000
MOST_UNITS = 10_000
MOST_USERS = 1_000
MOST_UNSEEN = 40
NAME = 512
_PROTOCOL = re.compile(r"[a-z0-9]{1,16}", re.ASCII)


def answered(stdout: str) -> dict[str, object]:
    """Return the JSON object that a module printed among other text. Raise AnswerError if there is none."""
    begins = next((match.start() for match in re.finditer(r"^\{", stdout, re.MULTILINE)), None)
    if begins is None:
        raise AnswerError(f"it is not JSON: {shown(stdout.strip(), 200)}")
    try:
        found, _ = json.JSONDecoder(parse_constant=_no_constant).raw_decode(stdout, begins)
    except (ValueError, RecursionError) as error:
        raise AnswerError(f"it is not JSON: {shown(str(error), 200)}") from None
    return found if isinstance(found, dict) else {}


def reported(told: dict[str, object], most_flows: int) -> dict[str, object]:
    """Return a report of the shape that the module documents, or raise AnswerError for the first field that is not."""
    return {
        "observed": matching(told.get("observed"), "observed", TIME, "a time in UTC"),
        "host": text(told.get("host"), "host", NAME),
        "addresses": listed(told.get("addresses"), "addresses", MOST_ADDRESSES, address),
        "listeners": listed(told.get("listeners"), "listeners", MOST_LISTENERS, _listener),
        "flows": listed(told.get("flows"), "flows", min(most_flows, MOST_FLOWS), _flow),
        "left_out": number(told.get("left_out"), "left_out"),
        "conntrack": text(told.get("conntrack"), "conntrack"),
        "units": _units(told.get("units")),
        "read_by": one_of(told.get("read_by", "python"), "read_by", ("python", "shell")),
        "unseen": listed(told.get("unseen", []), "unseen", MOST_UNSEEN, text),
    }


def failure(told: dict[str, object]) -> str | None:
    """Return why the module failed on the host, None where it did not."""
    if told.get("failed") is not True:
        return None
    said = told.get("msg")
    return shown(said, 1000) if isinstance(said, str) and said else "the module failed without a reason"


def _who(row: dict, name: str) -> dict[str, object]:
    pid = row.get("pid")
    return {
        **{key: optional_text(row.get(key), f"{name}.{key}", NAME) for key in ("unit", "user", "process")},
        "pid": None if pid is None else number(pid, f"{name}.pid", 2**32),
    }


def _listener(value: object, name: str) -> dict[str, object]:
    row = _row(value, name)
    return {
        "protocol": one_of(row.get("protocol"), f"{name}.protocol", ("tcp", "udp", "sctp")),
        "address": address(row.get("address"), f"{name}.address"),
        "port": number(row.get("port"), f"{name}.port", 65535),
        **_who(row, name),
        "socket_unit": optional_text(row.get("socket_unit"), f"{name}.socket_unit", NAME),
        "ephemeral": flag(row.get("ephemeral"), f"{name}.ephemeral"),
    }


def _flow(value: object, name: str) -> dict[str, object]:
    row = _row(value, name)
    return {
        "client": address(row.get("client"), f"{name}.client"),
        "server": address(row.get("server"), f"{name}.server"),
        # null where the protocol has none, or its type is not known
        "port": None if row.get("port") is None else number(row["port"], f"{name}.port", 65535),
        "protocol": matching(row.get("protocol"), f"{name}.protocol", _PROTOCOL, "a protocol"),
        "direction": one_of(row.get("direction"), f"{name}.direction", ("in", "out", "forward")),
        **_who(row, name),
        **{key: number(row.get(key), f"{name}.{key}") for key in ("connections", "packets", "bytes")},
    }


def _units(value: object) -> dict[str, object]:
    units = _row(value, "units")
    if len(units) > MOST_UNITS:
        raise AnswerError(f"units has {len(units)} entries, more than the maximum of {MOST_UNITS}")
    found: dict[str, object] = {}
    for unit, of_unit in units.items():
        name = text(unit, "a unit's name", NAME)
        row = _row(of_unit, name)
        found[name] = {
            "path": optional_text(row.get("path"), f"{name}.path", 4096),
            "users": listed(row.get("users"), f"{name}.users", MOST_USERS, lambda one, at: text(one, at, NAME)),
        }
    return found


def _row(value: object, name: str) -> dict:
    if not isinstance(value, dict):
        raise AnswerError(f"{name} is not a mapping")
    return value


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not a number")

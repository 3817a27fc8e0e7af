# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host without a Python for Ansible's modules tells by its shell (`script/report.sh`): the same report.

The host's lines become what the module reads itself, and the module's own code makes the report of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator

from ansible_collections.ringfence.core.plugins.module_utils.flows_conntrack import Tracked, canonical
from ansible_collections.ringfence.core.plugins.module_utils.flows_processes import (
    Process,
    clean,
    first_holders,
    name_of,
    unit_of,
)
from ansible_collections.ringfence.core.plugins.module_utils.flows_report import NOT_ASKED, Options, Seen, report_of
from ansible_collections.ringfence.core.plugins.module_utils.flows_sockets import (
    CLIENT_PORTS,
    Socket,
    address_of,
    is_address,
    socket_of,
)

from .answer_values import AnswerError, text
from .flows_shape import MOST_UNSEEN
from .shell_answer import ShellAnswer

_KINDS = re.compile(r"[SABRKOPGFCNU] |Z$")
_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)
_HEX_ADDRESS = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)


def shell_report(answer: ShellAnswer, options: Options) -> dict[str, object]:
    """Return what a host reports, in the shape that the module documents. Raise AnswerError for what is no report."""
    lines: dict[str, list[str]] = defaultdict(list)
    for line in answer.sections.get("report", ()):
        if _KINDS.match(line):
            lines[line[0]].append(line[2:])
    if not lines["Z"]:
        raise AnswerError("its report does not end")
    try:
        report = report_of(_seen(answer, lines, asked=options.conntrack), options)
    except (ValueError, LookupError, OverflowError) as error:
        raise AnswerError(f"its report has a line that cannot be read: {text(str(error)[:200], 'it')}") from None
    return {
        **report,
        "observed": answer.last("observed"),
        "host": clean(answer.last("host")),
        "read_by": "shell",
    }


def _seen(answer: ShellAnswer, lines: dict[str, list[str]], *, asked: bool) -> Seen:
    order = ">" if answer.last("order") == "big" else "<"
    held = first_holders(_numbers(line) for line in lines["F"])
    entries, times = _tracked(lines["K"])
    origin = text(lines["O"][0][:300], "conntrack") if lines["O"] else "none: not told"
    return Seen(
        list(_sockets(lines["S"], order)),
        _processes(lines),
        held,
        {_own(word) for word in lines["A"]} | {address_of(_hex(word)) for word in lines["B"]},
        _ports(lines["R"]),
        entries,
        times,
        origin if asked else NOT_ASKED,
        {_number(inode): path.lstrip("/") for inode, path in _pairs(lines["C"])},
        {_number(uid): clean(name) for uid, name in _pairs(lines["N"])},
        _unseen(answer, lines),
    )


def _sockets(rows: list[str], order: str) -> Iterator[Socket]:
    for row in rows:
        kind, *words = row.split()
        if kind in ("tcp", "udp"):
            local, remote, state, uid, inode = words
            words = ["", local, remote, state, "", "", "", uid, "", inode]
        found = socket_of(kind, words, order)
        if found is not None and is_address(found.local) and (found.listens or is_address(found.remote)):
            yield found


def _processes(lines: dict[str, list[str]]) -> dict[int, Process]:
    groups: dict[int, list[str]] = defaultdict(list)
    for word, line in _pairs(lines["G"]):
        groups[_number(word)].append(line)
    found = {}
    for row in lines["P"]:
        pid, uid, name = row.split(" ", 2)
        unit, path = unit_of("\n".join(groups[_number(pid)]))
        found[_number(pid)] = Process(_number(pid), name_of(name), unit, path, _number(uid))
    return found


def _tracked(rows: list[str]) -> tuple[list[Tracked], list[int]]:
    entries, times = [], []
    for row in rows:
        several, protocol, client, client_port, server, server_port, packets, octets = row.split()
        times.append(_number(several))
        entries.append(
            Tracked(
                _number(protocol),
                canonical(_own(client)),
                _number(client_port),
                canonical(_own(server)),
                None if server_port == "-" else _number(server_port),
                _number(packets),
                _number(octets),
            )
        )
    return entries, times


def _unseen(answer: ShellAnswer, lines: dict[str, list[str]]) -> list[str]:
    """Return what could not be seen, and why, as sentences of one line."""
    python = text(answer.last("no_python")[:300], "no_python") or "there is no Python"
    found = [f"read by the shell: {python}"]
    if answer.last("systemd") == "yes" and not lines["C"]:
        found.append("socket units of listeners are unknown: no ss here tells control groups")
    found += [word[:300] for word in lines["U"]]
    return [text(word, "unseen") for word in found[: MOST_UNSEEN - 1]]


def _pairs(rows: list[str]) -> Iterator[tuple[str, str]]:
    for row in rows:
        first, _, second = row.partition(" ")
        yield first, second


def _numbers(row: str) -> tuple[int, int]:
    first, second = row.split()
    return _number(first), _number(second)


def _number(word: str) -> int:
    if not _DIGITS.fullmatch(word):
        raise ValueError(f"'{word[:40]}' is not a number")
    return int(word)


def _ports(rows: list[str]) -> range:
    if not rows:
        return CLIENT_PORTS
    lowest, highest = _numbers(rows[0])
    return range(lowest, highest + 1)


def _hex(word: str) -> str:
    if not _HEX_ADDRESS.fullmatch(word):
        raise ValueError(f"'{word[:40]}' is not an address")
    return word


def _own(word: str) -> str:
    return str(ipaddress.ip_address(word))

"""What Ansible writes to its standard error, as problems with their places.

ansible-core 2.19 writes `[WARNING]: message`, then maybe causes and an `Origin: file:line:column`; 2.18 writes
`[WARNING]: …` and `ERROR! …`, wrapped at 79 columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity

_START = re.compile(r"^(?:\[(?P<kind>WARNING|ERROR|DEPRECATION WARNING)\]:|(?P<old>ERROR!))\s*")
_ORIGIN = re.compile(r"^Origin: (?P<file>/[^\n]*?):(?P<line>\d+)(?::(?P<column>\d+))?$", re.MULTILINE)
# Every EC2 host carries `tags`; Ansible warns of it once a host because a play has a keyword of that name.
_NOISE = ("Found variable using reserved name 'tags'",)


@dataclass(frozen=True, slots=True)
class _Message:
    error: bool
    text: str
    place: Place | None


def warnings_of(stderr: str, base: Path) -> tuple[Problem, ...]:
    """Return Ansible's warnings, equal ones once with how often they came; files below `base` are named from there."""
    counts: dict[str, int] = {}
    places: dict[str, Place | None] = {}
    for message in _messages(stderr, base):
        if not message.error and not message.text.startswith(_NOISE):
            counts[message.text] = counts.get(message.text, 0) + 1
            places.setdefault(message.text, message.place)
    return tuple(
        Problem(Severity.WARNING, f"Ansible: {text}" + (f" ({count} times)" if count > 1 else ""), places[text])
        for text, count in counts.items()
    )


def first_error(stderr: str, base: Path) -> tuple[str, Place | None]:
    """Return what made a command fail, and where: the first placed parse failure, else the error or last line."""
    messages = _messages(stderr, base)
    errors = [message for message in messages if message.error]
    causes = [message for message in messages if "Failed to parse inventory with" in message.text]
    for message in (*causes, *errors):
        if message.place is not None:
            return _cause(message.text), message.place
    if causes:
        return _cause(causes[0].text), None
    if errors:
        return errors[0].text, None
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else ""), None


def _from(file: str, base: Path) -> str:
    path = Path(file)
    return str(path.relative_to(base)) if path.is_relative_to(base) else file


def _cause(text: str) -> str:
    return re.sub(r"^Failed to parse inventory with '\w+' plugin: ", "", text)


def _messages(stderr: str, base: Path) -> list[_Message]:
    blocks: list[tuple[bool, list[str]]] = []
    for line in stderr.splitlines():
        start = _START.match(line)
        if start:
            error = start["old"] is not None or start["kind"] == "ERROR"
            blocks.append((error, [line[start.end() :]]))
        elif blocks:
            blocks[-1][1].append(line)
    return [_message(error, lines, base) for error, lines in blocks]


def _message(error: bool, lines: list[str], base: Path) -> _Message:
    origin = _ORIGIN.search("\n".join(lines))
    place = Place(_from(origin["file"], base), int(origin["line"]), int(origin["column"] or 0)) if origin else None
    head: list[str] = []
    for line in lines:
        if not line.strip() or line.startswith("Origin:"):
            break
        head.append(line.strip())
    return _Message(error, " ".join(head), place)

"""What Ansible writes to its standard error, as problems with their places.

ansible-core 2.19 writes `[WARNING]: message`, then maybe causes and an `Origin: file:line:column`; 2.18 writes
`[WARNING]: …` wrapped at 79 columns, `ERROR! …`, and `appears to be in 'file': line 3, column 1` for an origin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.problems import Problem
from ringfence.sources.warning_places import placed_warning

_START = re.compile(r"^(?:\[(?P<kind>WARNING|ERROR|DEPRECATION WARNING)\]:|(?P<old>ERROR!))\s*")
_ORIGINS = (
    re.compile(r"^Origin: (?P<file>/[^\n]*?):(?P<line>\d+)(?::(?P<column>\d+))?$", re.MULTILINE),
    re.compile(r"appears to be in '(?P<file>/[^']+)': line (?P<line>\d+), column (?P<column>\d+)"),
)
_CAUSE = re.compile(r"^(?:\* )?Failed to parse (?:inventory|\S.*?) with '?\w+'? plugin: ")
# What the first of Ansible's own readers says of every file that is not for it.
_NOT_FOR_IT = "no root 'plugin' key found"
_SOURCE = re.compile(
    r"(?:^Origin: <.+? with source '|^(?:\S+ )?Completely failed to parse inventory source )(?P<path>/[^'\n]+)", re.M
)
_SETTINGS = re.compile(r"Error reading config file \((?P<file>[^)\n]+)\): (?P<fault>.+)(?:\n.*line: +(?P<line>\d+))?")
_UNPARSED = re.compile(r"Unable to parse (?P<path>.+) as an inventory source")
_YAML_FAULT = re.compile(r"Syntax Error while loading YAML\.\s+(?P<fault>.+?)(?:\.\s| while parsing| in \"|$)")
# What is said of sources that gave nothing, and of an inventory where none gave anything: `unparsed_sources` tells it.
_OF_UNPARSED = (_UNPARSED, _CAUSE, re.compile(r"No inventory was parsed|provided hosts list is empty"))
# Every EC2 host carries `tags`; Ansible warns of it once a host because a play has a keyword of that name.
_NOISE = re.compile(r"Found variable using reserved name:? '?tags\b")


@dataclass(frozen=True, slots=True)
class _Message:
    error: bool
    text: str
    place: Place | None


def warnings_of(stderr: str, base: Path) -> tuple[Problem, ...]:
    """Return Ansible's warnings, equal ones once with how often they came; files below `base` are named from there.

    What it says of sources that gave nothing is not among them.
    """
    counts: dict[str, int] = {}
    places: dict[str, Place | None] = {}
    for message in _messages(stderr, base):
        if not message.error and not any(said.match(message.text) for said in (_NOISE, *_OF_UNPARSED)):
            counts[message.text] = counts.get(message.text, 0) + 1
            places.setdefault(message.text, message.place)
    found = ((placed_warning(text, places[text], base), count) for text, count in counts.items())
    return tuple(replace(one, message=f"{one.message} ({count} times)") if count > 1 else one for one, count in found)


def first_error(stderr: str, base: Path) -> tuple[str, Place | None]:
    """Return what made a command fail, and where: the first placed parse failure, else the error or last line.

    A place has no line where Ansible names a source alone.
    """
    if settings := _SETTINGS.search(stderr):
        return settings["fault"], Place(_from(settings["file"], base), int(settings["line"] or 1))
    messages = _messages(stderr, base)
    errors = [message for message in messages if message.error]
    causes = [message for message in messages if _CAUSE.match(message.text)]
    causes.sort(key=lambda message: _NOT_FOR_IT in message.text)
    for message in (*causes, *errors):
        if message.place is not None:
            return _reason(message.text), message.place
    if causes or errors:
        source = _SOURCE.search(stderr)
        place = Place(_from(source["path"], base)) if source else None
        return _reason((*causes, *errors)[0].text).removeprefix(f"{source['path']}: " if source else ""), place
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else ""), None


def unparsed_sources(stderr: str, base: Path) -> dict[str, str]:
    """Return the inventory sources that gave nothing, by their paths without blanks, with the first reason told.

    Ansible tells why before it says of which source; blanks in a path cannot be told from those of wrapped lines.
    """
    found: dict[str, str] = {}
    reason = ""
    for message in _messages(stderr, base):
        unparsed = _UNPARSED.match(message.text)
        if unparsed:
            found["".join(unparsed["path"].split())] = reason or "it gave no reason"
            reason = ""
        elif not reason and _CAUSE.match(message.text):
            reason = _reason(message.text)
    return found


def _reason(text: str) -> str:
    fault = _YAML_FAULT.search(text)
    return fault["fault"] if fault else _CAUSE.sub("", text)


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
    whole = "\n".join(lines)
    origin = _ORIGINS[0].search(whole) or _ORIGINS[1].search(_joined(lines))
    place = Place(_from(origin["file"], base), int(origin["line"]), int(origin["column"] or 0)) if origin else None
    if _YAML_FAULT.search(_joined(lines)):
        return _Message(error, _joined(lines), place)
    head: list[str] = []
    for line in lines:
        if not line.strip() or line.startswith("Origin:"):
            break
        head.append(line)
    return _Message(error, _joined(head), place)


def _joined(lines: list[str]) -> str:
    """Return wrapped lines as one; one that ends in a hyphen was cut behind it, where no blank stood."""
    text = ""
    for line in (line.strip() for line in lines):
        text += line if not text or (text.endswith("-") and not text.endswith(" -")) else f" {line}"
    return text


def _from(file: str, base: Path) -> str:
    path = Path(file)
    return str(path.relative_to(base)) if path.is_relative_to(base) else file

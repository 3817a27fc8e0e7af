"""Where a warning of Ansible belongs, taken out of its words: the file, the line, and the way out where it has one."""

from __future__ import annotations

import re
from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity

# How our plug-ins write a problem: `file:line:column: message (remedy)`, maybe behind the source that it came through.
_PLACED = re.compile(r"(?P<file>[^\n]+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?: (?P<rest>.+)", re.DOTALL)
# `While constructing a mapping from /net/x.yml, line 3, column 1, …`; `'/net/x.yml': line 3, column 1`.
_NUMBERED = re.compile(r"(?P<file>/[^\n'\",]+)['\"]?[,:]? line (?P<line>\d+)(?:, column (?P<column>\d+))?")
_NAMED = re.compile(r"(?P<file>/[^\n'\",]*[^\n'\",.:\s)])(?::(?P<line>\d+))?(?::(?P<column>\d+))?")


def placed_warning(text: str, place: Place | None, base: Path) -> Problem:
    """Return what Ansible warned of; files that its words name count where they exist, from `base`.

    What our plug-ins say reads as the engine would say it; all else is marked as Ansible's.
    """
    message = text
    found: list[Place] = []
    # The source comes first, and behind it what in it is meant: a table.
    while len(found) < 2 and (said := _PLACED.match(message)) and (one := _place(said, base)):
        found.append(one)
        message = said["rest"]
    if found:
        is_problem = len(found) > 1 or found[0].line
        message, remedy = _parted(message) if is_problem else (message, None)
        return Problem(Severity.WARNING, message, found[-1], remedy)
    if place is None:
        for form in (_NUMBERED, _NAMED):
            for said in form.finditer(text):
                place = place or _place(said, base)
    return Problem(Severity.WARNING, f"Ansible: {text}", place)


def without_repeated(warnings: tuple[Problem, ...], told: list[Problem]) -> list[Problem]:
    """Return warnings of Ansible without those that the engine reports itself: the labels plug-in calls it too."""
    known = {(one.message, str(one.place)) for one in told}
    bare = {str(Problem(one.severity, one.message, None, one.remedy)) for one in told}
    return [
        one
        for one in warnings
        if (one.message, str(one.place)) not in known and one.message.removeprefix("Ansible: ") not in bare
    ]


def _place(said: re.Match[str], base: Path) -> Place | None:
    file = said["file"]
    try:
        path = base / file
        if not path.is_file():
            return None
    except (OSError, ValueError):
        return None
    shown = str(path.relative_to(base)) if path.is_relative_to(base) else file
    numbers = said.groupdict()
    return Place(shown, int(numbers.get("line") or 0), int(numbers.get("column") or 0))


def _parted(text: str) -> tuple[str, str | None]:
    """Return a message and the way out that stands in brackets at its end: words, and no mere number."""
    depth = 0
    for at in range(len(text) - 1, 0, -1) if text.endswith(")") else ():
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            inside = text[at + 1 : -1]
            return (text[:at].rstrip(), inside) if text[at - 1] == " " and " " in inside else (text, None)
    return text, None

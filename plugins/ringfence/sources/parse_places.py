"""Where a file of an inventory is broken that Ansible cannot parse, when its words name no line or no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ringfence.language.documents import read_documents
from ringfence.language.reports import Reports
from ringfence.model.errors import InputErrors, Place

_OF_YAML = re.compile(r"YAML parsing failed|Syntax Error while loading YAML|not (?:valid|a valid) (?:YAML|JSON)")
_QUOTED = re.compile(r"got: (?P<bare>\S+)|'(?P<quoted>[^'/]+)'")
_FILE = re.compile(r"'(?P<file>/[^']+)'")
_YAML = (".yml", ".yaml", ".json", "")
_LARGEST = 4 << 20


def broken_at(message: str, place: Place | None, paths: Sequence[Path], base: Path) -> Place | None:
    """Return the place of what Ansible cannot parse, as near as its words and the files tell it."""
    if place is not None and place.line:
        return place
    if place is None and (named := _FILE.search(message)) and Path(named["file"]).is_file():
        file = Path(named["file"])
        place = Place(str(file.relative_to(base)) if file.is_relative_to(base) else str(file))
    if _OF_YAML.search(message):
        files = [base / place.file] if place is not None else list(_variables(paths, base))
        return next((found for file in files if (found := _first_fault(file, base))), place)
    return _mentioned(message, place, base) if place is not None else None


def _variables(paths: Sequence[Path], base: Path) -> Iterator[Path]:
    """Yield the files of variables beside inventories, which Ansible reads without naming them."""
    for path in ((base / one).resolve() for one in paths):
        root = path if path.is_dir() else path.parent
        for folder in ("group_vars", "host_vars"):
            yield from (file for file in sorted((root / folder).rglob("*")) if file.suffix in _YAML and file.is_file())


def _first_fault(file: Path, base: Path) -> Place | None:
    reports = Reports()
    read_documents(file, str(file.relative_to(base)) if file.is_relative_to(base) else str(file), reports)
    try:
        reports.settle()
    except InputErrors as faults:
        # Ansible has tags of its own: `!vault`, `!unsafe`.
        return next((one.place for one in faults.errors if "the tag" not in one.message), None)
    return None


def _mentioned(message: str, place: Place, base: Path) -> Place:
    """Return the first line of a file that holds what the message quotes."""
    file = base / place.file
    if not file.is_file() or file.stat().st_size > _LARGEST:
        return place
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    for said in _QUOTED.finditer(_FILE.sub("", message)):
        word = re.compile(rf"(?<![\w.-]){re.escape(said['bare'] or said['quoted'])}(?![\w-])")
        for number, line in enumerate(lines, 1):
            if word.search(line) and not line.lstrip().startswith(("#", ";")):
                return Place(place.file, number)
    return place

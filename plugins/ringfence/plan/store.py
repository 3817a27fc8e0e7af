"""Plans as directories: written whole or not at all, found by the first digits of their digest, read with checks."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ringfence.enforcers import enforcer
from ringfence.file_heads import file_heads
from ringfence.files import regular_file, write_all
from ringfence.model.errors import InputError, Place
from ringfence.plan.artefact import Draft, Plan, digest_of
from ringfence.wire.plan_format import PLAN_FILE, PLAN_FORMAT, RULESETS, SHORT, TABLE_SUFFIX, TABLES, part_name

LATEST = "latest"
# The way out of a damaged plan: hosts may hold it, so that its number and its tables are asked of them.
_AWAY = "move its directory away, and ask the hosts what they hold: 'ringfence plan --rebase'"
_NAMED = re.compile(rf"[0-9a-f]{{{SHORT}}}")
# Keys of the outermost mapping stand on lines of their own behind one blank; no text holds a newline.
_HEAD = {
    "format": re.compile(rb"(\d{1,9}),?\n"),
    "sequence": re.compile(rb"(\d{1,16}),?\n"),
    "created": re.compile(rb'"([0-9TZ:-]{20})",?\n'),
    "inputs": re.compile(rb'\{\n(?:  .*\n)*?  "inventory": "([0-9a-f]{64})",?\n'),
}
_HOSTS_START = re.compile(rb'^ "hosts": \{(\}?)', re.M)
_HOST_LINE = re.compile(rb'^  "', re.M)
# Where the heads of plans are kept, in the workspace that the plans are of.
INDEX = Path(".ringfence") / "plans.index"


@dataclass(frozen=True, slots=True)
class Head:
    """What orders plans and names them: number, time, digest.

    With the number of its hosts, the digest of the assets that it was made from, and the bytes of its directory.
    """

    sequence: int
    created: str
    digest: str
    hosts: int
    inventory: str
    size: int

    @property
    def short(self) -> str:
        """Return the first digits of the digest: the name of the plan's directory."""
        return self.digest[:SHORT]


def write(draft: Draft, plans: Path) -> Path:
    """Write a plan and its files below `plans`; return its directory.

    The directory appears in one step. One that is there already holds the same plan (its name is the digest) and stays.
    """
    directory = plans / draft.plan.short
    if directory.exists():
        read(directory)
        return directory
    plans.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=plans))
    try:
        texts = {RULESETS: draft.rulesets, TABLES: draft.tables}
        for folder in texts:
            (scratch / folder).mkdir()
        write_all(
            [
                *(
                    (scratch / name, known[digest])
                    for folder, known in texts.items()
                    for name, digest in _files(draft.plan, folder)
                ),
                (scratch / PLAN_FILE, draft.plan.text),
            ]
        )
        scratch.chmod(0o755)
        scratch.rename(directory)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return directory


def read(directory: Path) -> Plan:
    """Return the plan of a directory.

    Raise InputError where it is missing, broken, not canonical, or not the plan that its directory is named after.
    """
    path = directory / PLAN_FILE
    place = Place(str(path))
    try:
        text = regular_file(path)
    except OSError as error:
        raise InputError(f"there is no plan here: {error.strerror}", place, _AWAY) from error
    try:
        plan = Plan.model_validate_json(text)
    except (ValidationError, ValueError) as error:
        if made := _older(error):
            raise InputError(
                f"this plan is of format {made}, which an earlier release made; this one reads format {PLAN_FORMAT}",
                place,
                _AWAY,
            ) from error
        raise InputError(f"this is not a valid plan: {_first(error)}", place, _AWAY) from error
    if _is_named(directory, hashlib.sha256(text).hexdigest()):
        plan.keep_text(text.decode())
        return plan
    if plan.text.encode() != text:
        raise InputError("the plan is not in its canonical form: it was changed after it was made", place, _AWAY)
    raise InputError(f"the plan's digest is {plan.short}…, not what its directory is named after", place, _AWAY)


def _is_named(directory: Path, digest: str) -> bool:
    """Return whether a directory is named after a digest, so that the text of that digest is as it was written."""
    name = directory.resolve().name
    return len(name) >= SHORT and digest.startswith(name)


def verify_files(directory: Path, plan: Plan) -> None:
    """Check the sha256 of every ruleset and table that a plan names. Raise InputError for the first that differs."""
    for name, digest in (*_files(plan, RULESETS), *_files(plan, TABLES)):
        path = directory / name
        try:
            found = hashlib.sha256(regular_file(path)).hexdigest()
        except OSError as error:
            raise InputError(f"a file of the plan is missing: {error.strerror}", Place(str(path))) from error
        if found != digest:
            raise InputError("this file of the plan was changed after the plan was made", Place(str(path)))


def read_draft(directory: Path) -> Draft:
    """Return a plan with the texts of its files. Raise InputError where one is missing or was changed."""
    plan = read(directory)
    verify_files(directory, plan)
    rulesets, tables = (
        {digest: regular_file(directory / name).decode() for name, digest in _files(plan, folder)}
        for folder in (RULESETS, TABLES)
    )
    return Draft(plan, rulesets, tables)


def _files(plan: Plan, folder: str) -> list[tuple[str, str]]:
    """Return the path and digest of every file in one of a plan's folders; its enforcer says how a text ends."""
    if folder == TABLES:
        found = {(digest, TABLE_SUFFIX) for digest in plan.table_digests}
    else:
        suffixes = {name: enforcer(name).suffix for name in {host.enforcer for host in plan.hosts.values()}}
        found = {(host.ruleset, suffixes[host.enforcer]) for host in plan.hosts.values()}
    return [(part_name(folder, digest, suffix), digest) for digest, suffix in sorted(found)]


def find(plans: Path, name: str) -> Path:
    """Return the directory of a plan named by its path, by the first digits of its digest, or by the word `latest`.

    Raise InputError when no plan, or more than one, is meant.
    """
    if os.sep in name or (Path(name) / PLAN_FILE).is_file():
        return Path(name)
    if name == LATEST:
        newest = max(heads(plans), key=lambda one: (one[1].sequence, one[1].created), default=None)
        if newest is None:
            raise InputError(f"there is no plan in {plans}", remedy="make one with 'ringfence plan'")
        return newest[0]
    wanted = name.lower()
    meant = [path for path in directories(plans) if path.name.startswith(wanted[:SHORT])]
    if len(wanted) > SHORT:
        meant = [
            path
            for path in meant
            if digest_of(regular_file(path / PLAN_FILE).decode(errors="replace")).startswith(wanted)
        ]
    if not meant:
        known = ", ".join(path.name for path in directories(plans)) or "none"
        raise InputError(f"no plan begins with '{name}'", remedy=f"plans here: {known}")
    if len(meant) > 1:
        raise InputError(f"'{name}' begins {len(meant)} plans: {', '.join(path.name for path in meant)}")
    return meant[0]


def directories(plans: Path) -> list[Path]:
    """Return the directories of all plans below `plans`, by name; also one that is named like a plan and holds none."""
    if not plans.is_dir():
        return []
    found = (path for path in plans.iterdir() if not path.name.startswith("."))
    return sorted(path for path in found if _NAMED.fullmatch(path.name) or (path / PLAN_FILE).exists())


def heads(plans: Path) -> Iterator[tuple[Path, Head]]:
    """Yield the head of every plan below `plans` with its directory. Raise InputError at a broken plan.

    Heads of unchanged plans are in an index. For others, a text whose digest is the name of its directory is unchanged
    too, so only the lines of the head are read: milliseconds, where a whole plan of 20,000 hosts takes seconds. Any
    other text is read whole, which reports what is wrong.
    """
    found = {path.name: path for path in directories(plans)}
    files = {name: path / PLAN_FILE for name, path in found.items()}
    read_heads = file_heads(plans.absolute().parent / INDEX, files, Head, lambda path: _head(path.parent))
    for name, directory in found.items():
        yield directory, read_heads[name]


def _head(directory: Path) -> Head:
    try:
        text = regular_file(directory / PLAN_FILE)
    except OSError:
        text = b""
    digest = hashlib.sha256(text).hexdigest()
    found = {key: _outermost(text, key) for key in _HEAD} if _is_named(directory, digest) else {}
    if found and all(found.values()) and int(found["format"]) == PLAN_FORMAT:
        inventory, size = found["inputs"], _size(directory)
        return Head(int(found["sequence"]), found["created"], digest, _hosts_in(text), inventory, size)
    plan = read(directory)
    return Head(plan.sequence, plan.created, plan.digest, len(plan.hosts), plan.inputs.inventory, _size(directory))


def _hosts_in(text: bytes) -> int:
    """Return how many hosts the canonical text of a plan has."""
    start = _HOSTS_START.search(text)
    if start is None or start[1]:
        return 0
    return len(_HOST_LINE.findall(text, start.end(), text.find(b"\n }", start.end())))


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _outermost(text: bytes, key: str) -> str:
    """Return the value of a key of the outermost mapping, empty where it does not stand there once, as it should."""
    start = b'\n "%s": ' % key.encode()
    at = text.find(start)
    value = None if at < 0 or at != text.rfind(start) else _HEAD[key].match(text, at + len(start))
    return value[1].decode() if value else ""


def next_sequence(plans: Path, held: int = 0) -> int:
    """Return a number above every plan's below `plans`, and above `held`, what hosts are believed to have seen."""
    return max(held, highest_planned(plans)) + 1


def highest_planned(plans: Path) -> int:
    """Return the highest number of the plans below `plans`, 0 for none."""
    return max((head.sequence for _, head in heads(plans)), default=0)


def table_text(plans: Path, digest: str) -> str | None:
    """Return the text of a verdict table from whichever plan below `plans` has it, None where none does."""
    for path in sorted(plans.glob(f"[!.]*/{TABLES}/{digest}.json")):
        text = regular_file(path).decode(errors="replace")
        if digest_of(text) == digest:
            return text
    return None


def _older(error: ValueError) -> int:
    """Return the format of a plan that this release does not read any more, 0 for any other error."""
    for one in error.errors() if isinstance(error, ValidationError) else ():
        if one["loc"] == ("format",) and isinstance(one["input"], int) and 0 < one["input"] < PLAN_FORMAT:
            return one["input"]
    return 0


def _first(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        one = error.errors()[0]
        where = ".".join(str(part) for part in one["loc"])
        return f"{where}: {one['msg']}" if where else one["msg"]
    return str(error)

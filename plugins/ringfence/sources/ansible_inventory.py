"""What `ansible-inventory --list` says: every host with its flattened variables and its groups.

The engine never imports Ansible; it runs the `ansible-inventory` of its own environment, so that every inventory
plugin, `group_vars` directory and vault password that Ansible knows counts here too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.files import PRIVATE
from ringfence.model.errors import InputError, OutsideError, Place, RingfenceError
from ringfence.model.problems import Problem
from ringfence.sources.ansible_messages import first_error, unparsed_sources, warnings_of
from ringfence.sources.ansible_settings import without_fact_cache
from ringfence.sources.heard_run import TELL_TO, Hear, heard_run
from ringfence.sources.inventory_files import MOST_BYTES, refuse_unreadable_files
from ringfence.sources.lifeline import UNTIL, lifeline
from ringfence.sources.parse_places import broken_at
from ringfence.sources.passed_over import passed_over
from ringfence.sources.vaulted import vault_failure

TIMEOUT_SECONDS = 1800.0
# Ansible's own answer to an inventory that does not parse is a warning and an estate without those hosts.
ENVIRONMENT = {
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "LC_ALL": "C.UTF-8",
}
# What Ansible says of a file that a person wrote; what else fails is a plug-in's or a script's.
_WRITTEN = re.compile(
    r"YAML (?:parsing failed|inventory has invalid structure)|maximum recursion depth"
    r"|Failed to parse inventory: |Could not process '/"
)
_CONSTRUCTED = re.compile(r"^plugin:\s*['\"]?(?:ansible\.builtin\.)?constructed\b", re.MULTILINE)
# What our plug-in for tables says of one that is wrong, behind the table's own name.
_OF_TABLE = re.compile(r"(?P<file>\S+?)(?::(?P<line>\d+))?: (?P<fault>.*)", re.DOTALL)
# What our plug-ins say of an option that is wrong, with what to write.
_WAY_OUT = re.compile(r"(?P<message>.+?): (?P<remedy>write .+)\.", re.DOTALL)
_LISTING = Path(__file__).with_name("ansible_listing.py")
_LACKING = "which is not installed"
_READ_FROM_FILES = re.compile(r"^plugin:\s*['\"]?ringfence\.core\.onprem\b", re.MULTILINE)
_NO_HOME = "Unable to create local directories"
# What Ansible makes of a directory below its home that it may not write in.
_NO_TMP = re.compile(r"DEFAULT_LOCAL_TMP'?: \[Errno \d+\] (?P<why>[^:]+): '(?P<path>[^']+)/[^/']+'")
_NOTHING = "Completely failed to parse inventory source"
LENIENT = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "0", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "0"}


@dataclass(frozen=True, slots=True)
class InventoryHost:
    """A host as Ansible knows it: flattened variables and the names of all its groups but `all` and `ungrouped`."""

    name: str
    variables: Mapping[str, object]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedInventory:
    """All hosts, sorted by name, and what Ansible warned of while it parsed them."""

    hosts: tuple[InventoryHost, ...]
    problems: tuple[Problem, ...] = ()
    unparsed: Mapping[str, str] = field(default_factory=dict)


def read_inventory(
    paths: Sequence[Path], directory: Path | None = None, *, what_answers: bool = False, hear: Hear | None = None
) -> ParsedInventory:
    """Return the hosts of Ansible inventories, parsed together in the order given.

    With `what_answers` sources that fail are left out and told in `unparsed`, their paths without blanks by the reason.
    `hear` is told of each source as it begins and ends. `directory` is where `ansible-inventory` runs, so whose
    `ansible.cfg` counts. Facts that Ansible cached are no variables here: a host's word would come before the
    inventory's. Raises InputError where a path is
    missing or a file cannot be parsed, OutsideError where the command is missing or fails for another reason.
    """
    if not paths:
        raise InputError("no inventory was given", remedy="put one into inventory/ or name it with -i")
    for path in paths:
        if not (directory or Path()).joinpath(path).exists():
            raise InputError(f"there is no inventory '{path}'", remedy="check the path, or make one: ringfence init")
    refuse_unreadable_files(paths, directory or Path())
    with tempfile.TemporaryDirectory(prefix="ringfence-inventory-") as scratch:
        listing = Path(scratch) / "inventory.json"
        listing.touch(PRIVATE)  # what stands there may be secret; Ansible keeps the permissions
        command = [*_quicker(_command()), "--list", "--output", str(listing)]
        stderr = _run(command, paths, directory, what_answers=what_answers, hear=hear)
        data = _parsed(listing)
    base = (directory or Path()).resolve()
    unseen = passed_over(paths, base, _command("ansible-config"), os.environ)
    unparsed = unparsed_sources(stderr, base) if what_answers else {}
    return ParsedInventory(_hosts(data), (*warnings_of(stderr, base), *unseen), unparsed)


def _command(name: str = "ansible-inventory") -> list[str]:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise OutsideError(f"{name} is not installed", remedy="pip install 'ansible-core>=2.18'")
    return [found]


def _quicker(command: list[str]) -> list[str]:
    """Return what runs a command of Ansible with less work, where it is a program of this Python; else the command."""
    program = Path(command[0])
    if program.parent != Path(sys.executable).parent:
        return command
    try:
        compile(program.read_bytes(), str(program), "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return command
    return [sys.executable, "-P", str(_LISTING), *command]


def _run(
    command: list[str], paths: Sequence[Path], directory: Path | None, *, what_answers: bool, hear: Hear | None
) -> str:
    apart = without_fact_cache((directory or Path()).absolute())
    environment = {**os.environ, **ENVIRONMENT, **apart, **(LENIENT if what_answers else {})}
    arguments = [*command, *(part for path in paths for part in ("-i", str(path)))]
    place = arguments.index(str(_LISTING)) + 1 if str(_LISTING) in arguments else 0
    try:
        with lifeline() as until:
            if place:
                arguments[place:place] = [UNTIL, str(until)]
            if hear is not None and place:
                done = heard_run(
                    lambda to: [*arguments[: place + 2], TELL_TO, str(to), *arguments[place + 2 :]],
                    directory,
                    environment,
                    TIMEOUT_SECONDS,
                    hear,
                    (until,),
                )
            else:
                done = subprocess.run(
                    arguments,
                    cwd=directory,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    timeout=TIMEOUT_SECONDS,
                    check=False,
                    pass_fds=(until,),
                )
    except OSError as error:
        raise OutsideError(f"ansible-inventory cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise OutsideError(
            f"ansible-inventory gave no answer within {TIMEOUT_SECONDS:.0f} s",
            remedy="run it by hand to see which source hangs: ansible-inventory --list -vvv",
        ) from error
    stderr = done.stderr.decode(errors="replace")
    if done.returncode:
        base = (directory or Path()).resolve()
        raise _unreadable(paths, base) or _failure(stderr, done.returncode, paths, base)
    return stderr


def _unreadable(paths: Sequence[Path], base: Path) -> InputError | None:
    """Return an error for the first part of an inventory that may not be read, which Ansible does not tell as such."""
    for path in (base / one for one in paths):
        for part in (path, *(sorted(path.iterdir()) if path.is_dir() and os.access(path, os.R_OK) else ())):
            if part.exists() and not os.access(part, os.R_OK):
                shown = part.relative_to(base) if part.is_relative_to(base) else part
                return InputError("cannot be read: Permission denied", Place(str(shown)), "let yourself read it")
    return None


def _failure(stderr: str, status: int, paths: Sequence[Path], base: Path) -> RingfenceError:
    message, place = first_error(stderr, base)
    if closed := vault_failure(message, place, paths, base):
        return closed
    if "unknown plugin" in message:
        return InputError(
            f"the inventory cannot be parsed: {message}",
            remedy="install its collection: ansible-galaxy collection install -r collections/requirements.yml",
        )
    if _NO_HOME in message:
        return OutsideError(
            f"Ansible has no folder of its own to write in: {message}",
            remedy="set ANSIBLE_HOME to a folder that you may write in, or HOME",
        )
    if denied := _NO_TMP.search(message):
        return OutsideError(
            f"Ansible cannot write in {denied['path']}: {denied['why']}",
            remedy="chown it to yourself, as after sudo, or set ANSIBLE_HOME to a folder that you may write in",
        )
    if message.startswith(_NOTHING):
        if place is not None and (base / place.file).is_symlink() and not (base / place.file).exists():
            return InputError("leads nowhere", place, "let the link lead to an inventory, or remove it")
        return InputError("Ansible finds no inventory here", place, "name hosts in a file below it")
    if place is not None and not place.line and _is_read_from_files(base / place.file) and _LACKING not in message:
        return _wrong_table(message, place.file)
    written = _WRITTEN.match(message) or (place is not None and _is_constructed(base / place.file))
    if (place is not None and place.line) or written:
        place = broken_at(message, place, paths, base)
        own = _WAY_OUT.fullmatch(message)
        if own:
            message, remedy = own["message"], own["remedy"]
        else:
            remedy = "save the file as UTF-8" if "codec can't" in message else None
        return InputError(f"the inventory cannot be parsed: {message}", place, remedy)
    return OutsideError(
        f"ansible-inventory failed with status {status}: {message or 'it gave no reason'}",
        place,
        "run it by hand to see more: ansible-inventory --list -vvv",
    )


def _wrong_table(message: str, source: str) -> InputError:
    """Return the error for a table, at its own place; the source that names it is none that a person broke."""
    said = _OF_TABLE.fullmatch(message)
    if said is None:
        return InputError(f"the inventory cannot be parsed: {source}: {message}")
    return InputError(
        said["fault"], Place(said["file"], int(said["line"] or 0)), f"or correct {source}, which names it"
    )


def _is_read_from_files(source: Path) -> bool:
    """Return whether an inventory is the configuration of our plug-in for tables, which asks nobody else."""
    return source.is_file() and _READ_FROM_FILES.search(_text(source)) is not None


def _is_constructed(source: Path) -> bool:
    """Return whether an inventory is only expressions over the hosts of others, which a person wrote."""
    return source.is_file() and _CONSTRUCTED.search(_text(source)) is not None


def _text(source: Path) -> str:
    return "" if source.stat().st_size > MOST_BYTES else source.read_text(errors="replace")


def _parsed(listing: Path) -> Mapping[str, object]:
    try:
        text = listing.read_text(encoding="utf-8")
        if not text:
            raise OutsideError("ansible-inventory wrote nothing", remedy="run it by hand: ansible-inventory --list")
        data = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise OutsideError(f"ansible-inventory did not write JSON: {error}") from error
    if not isinstance(data, dict):
        raise OutsideError("ansible-inventory wrote no mapping", remedy="run it by hand: ansible-inventory --list")
    return data


def _hosts(data: Mapping[str, object]) -> tuple[InventoryHost, ...]:
    variables = _mapping(_mapping(data.get("_meta")).get("hostvars"))
    groups: dict[str, set[str]] = {name: set() for name in variables}
    parents = _parents(data)
    for group, body in data.items():
        if group == "_meta":
            continue
        held_by = _with_ancestors(group, parents)
        for host in _names(_mapping(body).get("hosts")):
            groups.setdefault(host, set()).update(held_by)
    return tuple(
        InventoryHost(name, _reached(variables.get(name)), tuple(sorted(groups[name] - {"all", "ungrouped"})))
        for name in sorted(groups)
    )


def _reached(value: object) -> Mapping[str, object]:
    """Return a host's variables with `ansible_host` where only its older name is given: Ansible connects by it."""
    variables = _mapping(value)
    older = variables.get("ansible_ssh_host")
    return variables if "ansible_host" in variables or older is None else {**variables, "ansible_host": older}


def _parents(data: Mapping[str, object]) -> dict[str, set[str]]:
    parents: dict[str, set[str]] = {}
    for group, body in data.items():
        for child in _names(_mapping(body).get("children")):
            parents.setdefault(child, set()).add(group)
    return parents


def _with_ancestors(group: str, parents: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {group}, [group]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []

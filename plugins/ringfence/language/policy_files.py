"""Which files are the policy: all of `policy/`, and a word about every other that somebody may take for one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ringfence.language.documents import shown
from ringfence.language.folders import Below, below
from ringfence.language.reports import Reports
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity

POLICY_FILE = re.compile(r".*\.ya?ml", re.IGNORECASE | re.DOTALL)
# Copies, templates and other spellings of a policy file: `a.yml.bak`, `a.yaml~`, `#a.yml#`, `a.yml.j2`, `a.json`.
LOOKS_LIKE_ONE = re.compile(r".*\.(ya?ml(?![a-z0-9]).*|json)", re.IGNORECASE | re.DOTALL)
# A key of a policy document at the beginning of a line, in a file of whatever name that is no page of text.
SAYS_SO = re.compile(rb"^(rules|enforce|tests|invariants|tier|scope|selectors|services|lists)[ \t]*:", re.MULTILINE)
PAGE = re.compile(r".*\.(md|rst|adoc|html?)", re.IGNORECASE | re.DOTALL)
LOOKED_AT = 65536
# What stands beside `policy/` and is taken for it.
BESIDE = re.compile(r"(policy|policies)(\.d|\.ya?ml)?", re.IGNORECASE)
# What editors leave beside a file while it is open: vim's swap files, Emacs's locks.
OF_EDITORS = re.compile(r"\.#.*|\..*\.sw[a-z]", re.DOTALL)

MAKE_ONE = "make the folder, with the policy's files in it"


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The files to read, in the order of their names, and warnings about those that are not read."""

    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()


def policy_files(policy: Path, root: Path, reports: Reports) -> PolicyFiles:
    """Return the files of a policy's folder; what may hold rules and cannot be reached is reported.

    `root` is the workspace, to which places are relative.
    """
    beside = tuple(_beside(policy, root))
    if not os.path.lexists(policy):
        return PolicyFiles(problems=beside or (_warning(policy, root, "there is none: no rule is read", MAKE_ONE),))
    if not policy.is_dir():
        reports.add(_place(policy, root), "is not a directory", "make it one, with the policy's files in it")
        return PolicyFiles()
    found = below(policy)
    for path, reason in found.unread.items():
        if not POLICY_FILE.fullmatch(path.name):  # the reader tells those, with the same words
            _report_unread(_place(path, root), path, reason, reports)
    for path in found.outside:
        remedy = "link to the folder that holds the policy files alone"
        reports.add(_place(path, root), "leads to a folder in which this policy lies", remedy)
    unread = [path for path in found.unread if POLICY_FILE.fullmatch(path.name)]
    files = [path for path in found.files if POLICY_FILE.fullmatch(path.name)]
    files = sorted([*files, *unread], key=lambda path: path.relative_to(policy).as_posix())
    for path in files:
        if not shown(path, root).isprintable():
            remedy = "rename it: plans and places name the file"
            reports.add(_place(path, root), "its name is not text in UTF-8 without control characters", remedy)
    return PolicyFiles(tuple(files), (*beside, *_passed_over(found, root), *_empty(files, root)))


def _beside(policy: Path, root: Path) -> Iterator[Problem]:
    """Yield a warning for what stands beside a policy's folder, is named nearly like it, and is not read."""
    for path in sorted(policy.parent.iterdir()):
        if BESIDE.fullmatch(path.name) and not _same(path, policy):
            remedy = f"move it into {policy.name}/ if it is part of the policy, else rename it"
            yield _warning(path, root, f"is not read: the policy is what lies in {policy.name}/", remedy)


def _same(path: Path, policy: Path) -> bool:
    """Return whether a path is the policy's folder, also where a file system makes no difference of capitals."""
    return path.name == policy.name or (path.exists() and policy.exists() and path.samefile(policy))


def _empty(files: Iterable[Path], root: Path) -> Iterator[Problem]:
    for path in files:
        beginning = _beginning(path)
        if beginning is not None and not beginning.strip():
            remedy = "write the rules that belong here, or delete it"
            yield _warning(path, root, "is empty: it says nothing", remedy)


def _beginning(path: Path) -> bytes | None:
    """Return the first bytes of a file, None for what cannot be read: the reader tells of that."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(LOOKED_AT)
    except OSError:
        return None


def _looks_like_one(path: Path) -> bool:
    if LOOKS_LIKE_ONE.fullmatch(path.name):
        return True
    return not PAGE.fullmatch(path.name) and SAYS_SO.search(_beginning(path) or b"") is not None


def _report_unread(place: Place, path: Path, reason: str, reports: Reports) -> None:
    if path.is_symlink():
        reports.add(place, f"leads nowhere: {reason}", "let it lead to the rules that belong here, or remove it")
    else:
        reports.add(place, f"cannot be read: {reason}", "let yourself read it: its rules are part of the policy")


def _passed_over(found: Below, root: Path) -> Iterator[Problem]:
    for path, first in sorted(found.again.items()):
        if path.is_dir() or POLICY_FILE.fullmatch(path.name):
            yield _warning(path, root, f"is '{_place(first, root)}' again: it is read once", "remove the link")
    for path in found.files:
        if not POLICY_FILE.fullmatch(path.name) and _looks_like_one(path):
            remedy = "name it *.yml if it is part of the policy, else move it out of policy/"
            yield _warning(path, root, "is not read: its name ends neither in .yml nor in .yaml", remedy)
    read = {path.resolve() for path in found.files}
    for path in (one for hidden in found.hidden for one in _hidden_files(hidden)):
        if path.resolve() not in read:
            remedy = "name it without the dot if it is part of the policy, else move it out of policy/"
            yield _warning(path, root, "is not read: it is hidden by a dot", remedy)


def _hidden_files(hidden: Path) -> Iterator[Path]:
    """Yield what looks like a policy file in a hidden folder, or the hidden file itself."""
    try:
        candidates = sorted(hidden.iterdir()) if hidden.is_dir() else [hidden]
    except OSError:
        return  # a hidden folder is not part of the policy, and nothing can be said of what it holds
    for path in candidates:
        if _looks_like_one(path) and not OF_EDITORS.fullmatch(path.name):
            yield path


def _place(path: Path, root: Path) -> Place:
    """Return the place of a file; what is not text in its name is escaped."""
    name = shown(path, root)
    if name.isprintable():
        return Place(name)
    return Place("".join(one if one.isprintable() else ascii(one)[1:-1] for one in name))


def _warning(path: Path, root: Path, message: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, message, _place(path, root), remedy)

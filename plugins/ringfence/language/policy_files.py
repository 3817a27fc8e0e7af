"""Which files are the policy: all of `policy/`, and a word about every other that somebody may take for one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
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
# What editors leave beside a file while it is open: vim's swap files, Emacs's locks.
OF_EDITORS = re.compile(r"\.#.*|\..*\.sw[a-z]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The files to read, in the order of their names, and warnings about those that are not read."""

    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()


def policy_files(policy: Path, root: Path, reports: Reports) -> PolicyFiles:
    """Return the files of a policy's folder; what may hold rules and cannot be reached is reported.

    `root` is the workspace, to which places are relative.
    """
    if not os.path.lexists(policy):
        return PolicyFiles()
    if not policy.is_dir():
        reports.add(_place(policy, root), "is no directory", "make it one, with the policy's files in it")
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
    return PolicyFiles(tuple(files), tuple(_passed_over(found, root)))


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
        if not POLICY_FILE.fullmatch(path.name) and LOOKS_LIKE_ONE.fullmatch(path.name):
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
        if LOOKS_LIKE_ONE.fullmatch(path.name) and not OF_EDITORS.fullmatch(path.name):
            yield path


def _place(path: Path, root: Path) -> Place:
    """Return the place of a file; what is no text in its name is escaped."""
    name = shown(path, root)
    if name.isprintable():
        return Place(name)
    return Place("".join(one if one.isprintable() else ascii(one)[1:-1] for one in name))


def _warning(path: Path, root: Path, message: str, remedy: str) -> Problem:
    return Problem(Severity.WARNING, message, _place(path, root), remedy)

"""A workspace's files as they were at a revision of its git repository; the work tree and the index stay untouched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, InputErrors, OutsideError, Place
from ringfence.model.safe_text import clean_line
from ringfence.wire.first_few import first_few
from ringfence.workspace import LABELS, POLICY, SETTINGS, load

if TYPE_CHECKING:
    from ringfence.workspace import Workspace

FILES = (SETTINGS, LABELS, POLICY)
# What a hook is given speaks of the repository that runs it; the workspace's own is found from its directory.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
# A repository's configuration may name programs, and a clone may hold a second repository as plain files: asking about
# a revision runs none of them, and fetches nothing. Filters alone stay: without them a file is not what was committed.
_RUN_NOTHING = (
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "log.showSignature=false"),
    *("-c", "safe.bareRepository=explicit", "-c", "submodule.recurse=false"),
)


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit: `name` as it was asked for, the first line of its message, and which files differ from it now.

    `uncommitted` are files of the workspace that no commit has as they stand.
    """

    name: str
    commit: str
    subject: str
    uncommitted: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.commit[:12]}, '{self.subject}')"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "revision": self.name,
            "commit": self.commit,
            "subject": self.subject,
            "uncommitted": list(self.uncommitted),
        }

    def uncommitted_words(self) -> str:
        """Return what is not committed, for people; nothing where all is."""
        if not self.uncommitted:
            return ""
        return f"compared as the files stand, with what is not committed: {first_few(self.uncommitted)}"


def at_revision(directory: Path, name: str) -> tuple[Workspace, Revision]:
    """Return what the files of a workspace said at a revision of its repository.

    Its directory is gone when this returns: only what was loaded is of use. Raise InputError for an unknown revision, a
    workspace in no repository, and what the files at that revision have wrong; OutsideError where git is missing or
    fails.
    """
    git = _Git(directory)
    commit = git.commit(name)
    prefix = git.answer("rev-parse", "--show-prefix")
    revision = Revision(name, commit, clean_line(git.answer("log", "-1", "--format=%s", commit)), git.uncommitted())
    with TemporaryDirectory(prefix="ringfence-revision-") as scratch:
        files = Path(scratch) / "files"
        files.mkdir()
        git.write(commit, files, Path(scratch) / "index")
        root = files / prefix
        if not root.is_dir() or not any(os.path.lexists(root / one) for one in FILES):
            raise InputError(
                f"at {name} there is no workspace in {prefix or 'this directory'}",
                remedy="name a revision since the workspace began: git log --oneline -- ringfence.yml policy",
            )
        _refuse_links_out(root, name)
        try:
            return load(root), revision
        except InputErrors as errors:
            raise InputErrors([_placed(one, name) for one in errors.errors]) from errors
        except InputError as error:
            raise _placed(error, name) from error


def _placed(error: InputError, name: str) -> InputError:
    """Return an error with its place as git writes it: REVISION:FILE."""
    place = error.place
    if place is None:
        return error
    return InputError(error.message, Place(f"{name}:{place.file}", place.line, place.column), error.remedy)


def _refuse_links_out(root: Path, name: str) -> None:
    """Raise InputErrors for links that lead to nothing that the revision has of this workspace."""
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_symlink() and not (path.exists() and path.resolve().is_relative_to(root.resolve())):
            place = Place(f"{name}:{path.relative_to(root).as_posix()}")
            message = "is a link out of the files of this revision: nothing says what stood there"
            found.append(InputError(message, place, "compare with a revision in which it is a file"))
    if found:
        raise InputErrors(found)


class _Git:
    """Asks git about the repository of a directory; nothing that is asked changes it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        own = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
        self.environment = {**own, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
        self.environment["GIT_NO_LAZY_FETCH"] = "1"
        found = self.run("rev-parse", "--is-inside-work-tree")
        if found.returncode or found.stdout.strip() != b"true":
            raise InputError(
                f"{directory} cannot be compared with a revision: {_said(found) or 'it is in no work tree of git'}",
                remedy="go to a clone of the repository, or begin one: git init; git add .; git commit",
            )

    def run(self, *arguments: str, told: bytes = b"", env: Mapping[str, str] | None = None) -> _Done:
        """Return what git did."""
        command = ["git", *_RUN_NOTHING, "-C", str(self.directory), *arguments]
        try:
            return subprocess.run(
                command, input=told, capture_output=True, check=False, env={**self.environment, **(env or {})}
            )
        except OSError as error:
            raise OutsideError(f"git cannot be run: {error.strerror}", remedy="install git: apt install git") from error

    def answer(self, *arguments: str, told: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Return what git printed. Raise OutsideError where it fails."""
        done = self.run(*arguments, told=told, env=env)
        if done.returncode:
            raise OutsideError(f"git {arguments[0]} failed: {_said(done)}", remedy="look with: git fsck")
        return done.stdout.decode(errors="surrogateescape").rstrip("\n")

    def commit(self, name: str) -> str:
        """Return the full name of the commit that a revision means."""
        if "\0" in name:
            raise InputError("a revision has no NUL in its name")
        found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode().strip()
        if self.answer("rev-parse", "--is-shallow-repository") == "true":
            raise InputError(
                f"this clone has no revision '{name}': it is shallow, so it lacks older ones",
                remedy="get the history: git fetch --unshallow, or in a pipeline a clone with more depth",
            )
        remedy = "git log --oneline and git branch --all name what there is"
        if self.run("rev-parse", "--verify", "--quiet", "HEAD").returncode:
            remedy = "nothing is committed yet: git add .; git commit"
        raise InputError(f"the repository has no revision '{name}'", remedy=remedy)

    def uncommitted(self) -> tuple[str, ...]:
        """Return the files of the policy, the labels and the settings that are not committed as they stand."""
        options = ("--porcelain=v1", "-z", "--ignored", "--no-renames", "--untracked-files=all", "--ignore-submodules")
        found = self.answer("status", *options, "--", *(one for one in FILES))
        prefix = self.answer("rev-parse", "--show-prefix")
        return tuple(sorted(entry[3:].removeprefix(prefix) for entry in found.split("\0") if entry))

    def write(self, commit: str, target: Path, index: Path) -> None:
        """Write the files of a revision into a directory, through an index of their own."""
        own = {"GIT_INDEX_FILE": str(index)}
        self.answer("read-tree", commit, env=own)
        named = self.run("ls-files", "-z", "--full-name", "--", *FILES, env=own)
        self.answer(
            "checkout-index", "-z", "--stdin", f"--prefix={target}/", told=self._from_here(named.stdout), env=own
        )

    def _from_here(self, names: bytes) -> bytes:
        """Return names of files, which git gives from the top of the work tree, as they are from this directory."""
        prefix = self.answer("rev-parse", "--show-prefix").encode(errors="surrogateescape")
        return b"".join(name.removeprefix(prefix) + b"\0" for name in names.split(b"\0") if name)


_Done = subprocess.CompletedProcess[bytes]


def _said(done: _Done) -> str:
    lines: Sequence[str] = done.stderr.decode(errors="replace").strip().splitlines()
    return clean_line(lines[0].removeprefix("fatal: ")) if lines else ""

"""What the files of a workspace say, kept for the next command: read again only where one of their bytes has changed.

It is kept in the user's own cache and never in the workspace: what a repository brings must not stand in for its files.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import ringfence
from ringfence.files import PRIVATE, own_file, write_whole
from ringfence.language.documents import MOST_BYTES
from ringfence.model.errors import InputError
from ringfence.user_directories import user_directory
from ringfence.workspace import LABELS, SETTINGS, Said, read_files

if TYPE_CHECKING:
    from ringfence.language.reports import Reports

# What decides how files are read, below this package and beside it.
_READERS = ("language", "model", "wire")
_LIBRARIES = ("jmespath", "pydantic", "ruamel.yaml")
# How many workspaces are kept, the last ones used.
MOST = 32


def read_or_kept(directory: Path, files: Sequence[Path], reports: Reports) -> Said:
    """Return what files say as `read_files` does, from the cache where their names and bytes are those of last time.

    A cache that is damaged, of another release or another user is read anew; one that cannot be written is none.
    """
    paths = [directory / SETTINGS, directory / LABELS, *files]
    kept = cache_directory() / f"{hashlib.sha256(os.fsencode(directory)).hexdigest()[:24]}.json"
    digest, before = _state(directory, paths)
    if not kept.is_absolute():
        digest = ""
    if digest and (said := _kept(kept, digest)):
        return said
    earlier = len(reports)
    said = read_files(directory, files, reports)
    # what was wrong is told each time, and what changed while it was read belongs to no digest
    if digest and not len(reports) and not earlier and _state(directory, paths) == (digest, before):
        with suppress(OSError, RecursionError):
            _keep(kept, digest, said)
    return said


def cache_directory() -> Path:
    """Return where the files' words are kept: no absolute path for a user who has no home, as in many containers."""
    try:
        base = user_directory("XDG_CACHE_HOME")
    except InputError:
        base = Path()
    return base / "ringfence/files"


def _state(directory: Path, paths: Sequence[Path]) -> tuple[str, tuple[object, ...]]:
    """Return the digest of everything that the files' meaning depends on, and what changes with every writing of them.

    The digest is empty where one cannot be read, of which the reader tells more.
    """
    total = hashlib.sha256()
    statuses: list[object] = []
    for part in (*_software(), str(directory)):
        total.update(f"{len(part)}:{part}".encode(errors="surrogateescape"))
    for path in paths:
        name = str(path)
        try:
            if not os.path.lexists(path):
                total.update(f"{len(name)}:{name}:none".encode(errors="surrogateescape"))
                continue
            status = path.stat()
            if not path.is_file() or status.st_size > MOST_BYTES:
                return "", ()
            content = path.read_bytes()
        except OSError:
            return "", ()
        statuses.append((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        total.update(f"{len(name)}:{name}:{len(content)}:".encode(errors="surrogateescape"))
        total.update(content)
    return total.hexdigest(), tuple(statuses)


def _software() -> Iterator[str]:
    """Yield what says which program reads the files: it may be a working copy whose version stays the same."""
    yield sys.version
    for name in _LIBRARIES:
        try:
            yield version(name)
        except PackageNotFoundError:
            yield ""
    root = Path(ringfence.__file__).parent
    for module in sorted(one for name in _READERS for one in (root / name).glob("*.py")):
        status = module.stat()
        yield f"{module} {status.st_size} {status.st_mtime_ns}"


def _kept(path: Path, digest: str) -> Said | None:
    from ringfence.language.value_cache import value_of

    head, _, body = own_file(path).partition(b"\n")
    if head.decode(errors="replace") != _head(digest, body):
        return None
    try:
        return Said(*cast("tuple[object, ...]", value_of(body)))  # type: ignore[arg-type]  # its digest is that of what was kept
    except (IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None


def _keep(path: Path, digest: str, said: Said) -> None:
    from ringfence.language.value_cache import value_text

    body = value_text((said.settings, said.label_rules, said.policy, said.mentions, said.definitions))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, f"{_head(digest, body.encode())}\n{body}", PRIVATE)
    path.chmod(PRIVATE)
    others = sorted(path.parent.glob("*.json"), key=lambda one: one.lstat().st_mtime_ns)
    for old in others[:-MOST]:
        old.unlink(missing_ok=True)


def _head(digest: str, body: bytes) -> str:
    return f"{digest} {hashlib.sha256(body).hexdigest()}"

"""What lies below a folder, links followed: each file and folder once, and what is not entered, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

# More folders than this are no policy and no inventory: a link leads somewhere it should not.
MOST_FOLDERS = 10_000

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Below:
    """What lies below a folder; a path that only a link gives comes after those that stand there themselves.

    `files` are the paths that are no folders; whether one is a regular file is for its reader to see. `hidden` are the
    files and folders whose names begin with a dot: they are not entered, but a link may lead into them. `again` gives,
    for a path that leads to a file or folder of these, the path under which that is known; `unread` the reason why a
    path was not entered or followed; `outside` are links to folders that hold the folder itself.
    """

    files: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    again: dict[Path, Path] = field(default_factory=dict)
    unread: dict[Path, str] = field(default_factory=dict)
    outside: list[Path] = field(default_factory=list)


def below(root: Path) -> Below:
    """Return what lies below a folder. Never raises: what cannot be looked at is in `unread`."""
    walk = _Walk(root)
    walk.enter([root])
    while walk.linked_folders:
        walk.enter([walk.linked_folders.pop(0)])
    for path, identity in [*sorted(walk.own_files), *sorted(walk.linked_files)]:
        if identity in walk.known:
            walk.found.again[path] = walk.known[identity]
        else:
            walk.known[identity] = path
            walk.found.files.append(path)
    return walk.found


class _Walk:
    """Goes through folders without recursion; folders behind links wait until all others were entered."""

    def __init__(self, root: Path) -> None:
        self.found = Below()
        self.known: dict[Identity, Path] = {}
        self.linked_folders: list[Path] = []
        self.own_files: list[tuple[Path, Identity]] = []
        self.linked_files: list[tuple[Path, Identity]] = []
        self._above = {_identity(folder) for folder in root.resolve().parents}

    def enter(self, folders: list[Path]) -> None:
        """Go through folders and what stands in them."""
        linked = folders[0].is_symlink()
        while folders:
            folder = folders.pop()
            identity = _identity(folder)
            if identity in self._above:
                self.found.outside.append(folder)
            elif identity in self.known:
                self.found.again[folder] = self.known[identity]
            elif len(self.known) >= MOST_FOLDERS:
                self.found.unread[folder] = f"there are more than {MOST_FOLDERS} folders"
                return
            else:
                self.known[identity] = folder
                folders += reversed(self._entries(folder, linked))

    def _entries(self, folder: Path, linked: bool) -> list[Path]:
        """Sort what stands in a folder, and return the folders in it that are no links."""
        inner: list[Path] = []
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self.found.unread[folder] = error.strerror or str(error)
            return []
        for path in entries:
            if path.name.startswith("."):
                self.found.hidden.append(path)
                continue
            try:
                identity, is_folder, is_link = _identity(path), path.is_dir(), path.is_symlink()
            except OSError as error:
                self.found.unread[path] = error.strerror or str(error)
                continue
            if is_folder:
                (self.linked_folders if is_link else inner).append(path)
            else:
                (self.linked_files if linked or is_link else self.own_files).append((path, identity))
        return inner


def _identity(path: Path) -> Identity:
    status = path.stat()
    return status.st_dev, status.st_ino

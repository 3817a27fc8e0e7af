"""What `ansible-inventory` answered in this run, for equal inventories: most tests ask of the same few.

Ansible itself is asked once for every inventory, whichever process of the run does. Kept is only the answer to what is
plain data beside the workspace: no plug-in, no script, no template of what is not there and no vault. What Ansible
warned of is kept with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from ringfence.sources import ansible_inventory
from ringfence.sources.heard_run import Hear

Key = tuple[object, ...]
# What an answer may rest on beside the text itself.
NOT_PLAIN = (b"plugin:", b"!vault", b"$ANSIBLE_VAULT", b"{{", b"{%")
PLACE = "\0workspace\0"
_ask = ansible_inventory._run


@contextmanager
def answers_shared() -> Iterator[None]:
    """Ask Ansible once in a run for equal inventories of plain data, as long as this block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ansible_inventory, "_run", kept_or_asked)
        yield


def kept_or_asked(
    command: list[str], paths: Sequence[Path], directory: Path | None, *, what_answers: bool, hear: Hear | None
) -> str:
    """Do what `ansible_inventory._run` does: write the answer where the command says, and return its warnings."""
    key = None if directory is None or hear is not None else _key(command, paths, directory, what_answers)
    listing = Path(command[-1])
    if key is None or directory is None:
        return _ask(command, paths, directory, what_answers=what_answers, hear=hear)
    kept = _answers() / hashlib.sha256(repr(key).encode()).hexdigest()
    place = str(directory.absolute())
    if not kept.exists():
        said = _ask(command, paths, directory, what_answers=what_answers, hear=None)
        if "".join(said.split()).count("".join(place.split())) != said.count(place):
            return said  # a path that is broken into lines
        answer = said, listing.read_text(encoding="utf-8")
        _keep(kept, json.dumps([text.replace(place, PLACE) for text in answer]))
    said, listed = (text.replace(PLACE, place) for text in json.loads(kept.read_text(encoding="utf-8")))
    listing.write_text(listed, encoding="utf-8")
    return said


def _answers() -> Path:
    """Return the directory that all processes of this run share."""
    answers = Path(os.environ["RINGFENCE_TESTS_SHARED"]) / "answers"
    answers.mkdir(exist_ok=True)
    return answers


def _keep(path: Path, text: str) -> None:
    """Write a whole answer or none: others read it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def _key(command: list[str], paths: Sequence[Path], directory: Path, what_answers: bool) -> Key | None:
    """Return all that an answer rests on, None where it is not plain data."""
    texts = []
    for path in _files([*(directory / path for path in paths), directory / "ansible.cfg"]):
        if path.is_symlink() or not path.is_file() or os.access(path, os.X_OK):
            return None
        text = path.read_bytes()
        if any(word in text for word in NOT_PLAIN):
            return None
        texts.append((str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path), text))
    settings = tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("ANSIBLE")))
    return (
        tuple(command[:-1]),
        tuple(os.path.relpath(directory / path, directory) for path in paths),
        what_answers,
        directory.stat().st_mode,  # one that everybody may write in is warned of
        tuple(texts),
        settings,
    )


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(path for path in place.rglob("*") if not path.is_dir())
        elif place.exists():
            yield place

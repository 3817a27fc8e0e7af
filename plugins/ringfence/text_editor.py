"""A text in a person's `$EDITOR`, in a private file that stands until what was saved in it is taken."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from ringfence.model.errors import InputError

USUAL = "vi"
NOTHING = "nothing was changed"
# Editors that take a line as `+12` and end when their file is closed.
IN_TERMINAL = frozenset({"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "joe"})
# Editors that hand the file to a window and end at once, and the option that has them wait for it.
WAITS = {"gvim": "-f", "mvim": "-f", "kate": "--block"}
WAIT = "--wait"
ALSO_WAIT = frozenset({"-w", "--block", "--nofork", "-f"})


@dataclass(frozen=True, slots=True)
class Left:
    """What an editor left: another text, or none and why; `open` says that it may still have the file open."""

    text: str | None
    why: str = ""
    open: bool = False


class EditorFile:
    """A text in a private file. It is deleted by `forget` alone: what was saved in it late is still there to take."""

    def __init__(self, name: str, text: str) -> None:
        self.before = text
        self.path = Path(mkdtemp(prefix="ringfence-edit-")) / Path(name).name
        self.path.write_bytes(text.encode())

    def edit(self, line: int = 1, around: AbstractContextManager[object] | None = None) -> Left:
        """Have an editor open it, within a context that gives it the terminal; return what it left.

        Where nothing was saved, and no editor can still be saving, the file is deleted.
        """
        left = self._edit(line, around or nullcontext())
        if left.text is None and not left.open and not self._saved():
            self.forget()
        return left

    def saved(self) -> str | None:
        """Return the text that was saved in it, None while it is the one that it began with. Raise InputError."""
        try:
            text = self.path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise InputError(f"what the editor left is no UTF-8: nothing is taken; it is kept in {self.path}") from None
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}") from None
        return None if text == self.before else text

    def forget(self) -> None:
        """Delete it."""
        shutil.rmtree(self.path.parent, ignore_errors=True)  # a person may have deleted it; the text is taken

    def _edit(self, line: int, around: AbstractContextManager[object]) -> Left:
        try:
            words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or USUAL) or [USUAL]
        except ValueError:
            return Left(None, "$EDITOR is no command: its quotes do not match")
        editor = Path(words[0]).name
        at = [f"+{line}"] if editor in IN_TERMINAL else []
        try:
            with around:
                status = subprocess.run([*words, *at, str(self.path)], check=False).returncode
            text = self.saved()
        except OSError as error:
            return Left(None, f"{words[0]} cannot be started: {error.strerror}; set $EDITOR")
        except InputError as error:
            return Left(None, error.message)
        if status:
            kept = f"; what it left is kept in {self.path}" if text is not None else ""
            return Left(None, f"{words[0]} ended with {status}: nothing is taken{kept}")
        if text is None and may_be_open(words):
            option = WAITS.get(editor, WAIT)
            return Left(None, f"{words[0]} has saved nothing yet; EDITOR='{words[0]} {option}' would wait", open=True)
        return Left(text, "" if text is not None else NOTHING)

    def _saved(self) -> bool:
        try:
            return self.saved() is not None
        except InputError:
            return True


def may_be_open(words: list[str]) -> bool:
    """Return whether an editor that has ended may still have its file open in a window."""
    return Path(words[0]).name not in IN_TERMINAL and not {WAIT, *ALSO_WAIT} & set(words[1:])

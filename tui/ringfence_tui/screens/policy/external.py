"""A text in `$EDITOR`, in a private file of its own: no policy file is touched by it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.app import App, SuspendNotSupported

USUAL = "vi"
AT_LINE = frozenset({"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "joe"})


def edited_outside(app: App[int], name: str, text: str, line: int) -> tuple[str | None, str]:
    """Return the text as an editor left it, or None and why there is none. The application waits meanwhile."""
    try:
        words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or USUAL) or [USUAL]
    except ValueError:
        return None, "$EDITOR is no command: its quotes do not match"
    with TemporaryDirectory(prefix="ringfence-edit-") as directory:
        path = Path(directory) / Path(name).name
        path.write_bytes(text.encode())
        at = [f"+{line}"] if Path(words[0]).name in AT_LINE else []
        try:
            with app.suspend():
                status = subprocess.run([*words, *at, str(path)], check=False).returncode
            if status:
                return None, f"{words[0]} ended with {status}: nothing is taken"
            return path.read_bytes().decode(), ""
        except SuspendNotSupported:
            return None, "an editor cannot be started here"
        except OSError as error:
            return None, f"{words[0]} cannot be started: {error.strerror}; set $EDITOR"
        except UnicodeDecodeError:
            return None, "what the editor left is no UTF-8: nothing is taken"

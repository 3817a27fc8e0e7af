"""A file in `$EDITOR`: no policy file is touched by it, and nothing that is saved in the editor is lost."""

from __future__ import annotations

from ringfence.model.errors import InputError
from ringfence.text_editor import EditorFile
from textual.app import App, SuspendNotSupported


class OutsideEdits:
    """The texts that editors have, by their files: one that was saved late is taken by the next call."""

    def __init__(self) -> None:
        self._files: dict[str, EditorFile] = {}

    def edited(self, app: App[int], file: str, text: str, line: int) -> tuple[EditorFile | None, str, str]:
        """Return what holds the new text of a file and that text, or None and why there is none.

        The application waits for the editor. What an editor saved after it had returned is taken without another.
        """
        kept = self._files.get(file)
        try:
            if kept is not None and (saved := kept.saved()) is not None:
                return kept, saved, ""
        except InputError as error:
            return None, "", error.message
        if kept is None or kept.before != text or not kept.path.exists():
            if kept is not None:
                kept.forget()
            kept = EditorFile(file, text)
        self._files[file] = kept
        try:
            left = kept.edit(line, app.suspend())
        except SuspendNotSupported:
            kept.forget()
            return None, "", "an editor cannot be started here"
        if left.text is not None:
            return kept, left.text, ""
        return None, "", f"{left.why}; where it is still open, save there and press E" if left.open else left.why

    def taken(self, file: str) -> None:
        """Delete what was taken into the draft."""
        if (kept := self._files.pop(file, None)) is not None:
            kept.forget()

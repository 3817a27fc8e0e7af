"""Taking text out of the application: the command of a screen, or what the mouse marks."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence_tui.clipboard import doubt, refused
from ringfence_tui.spans import Span, Tone

if TYPE_CHECKING:
    from ringfence_tui.app import RingfenceApp


def copy_command(app: RingfenceApp) -> None:
    """Show and copy the command that says the same as the screen that is shown."""
    command, page = app.page.command(), app.page
    if not command:
        page.say(Span("no command says the same as this screen", Tone.DIM))
        return
    directory = Path(app.opened.directory) if app.opened is not None and app.opened.directory else None
    if directory is not None and not _within(directory):
        command = f"{command} --workspace {shlex.quote(str(directory))}"
    if not command.isprintable():
        # a shell takes an escape or a line end in what is pasted as a key that was pressed
        page.say(Span("not copied, a name in it has characters that act as keys  ", Tone.WARN), command)
        return
    app.copied = command
    why = refused(command, app.around)
    if why:
        said, more = f"not copied, {why}  ", "leaving prints it"
    else:
        app.copy_to_clipboard(command)
        said, more = "copied  ", doubt(app.around)
    unsaid = page.unsaid()
    lacks = (Span(f"   without {unsaid}, which no command has a word for", Tone.WARN),) if unsaid else ()
    page.say(Span(said, Tone.DIM), Span(command, Tone.STRONG), *lacks, Span(f"   {more}", Tone.DIM), whole=True)


def lend_mouse(app: RingfenceApp) -> None:
    """Give the mouse to the terminal, which marks text with it, or take it back."""
    keep = getattr(app._driver, "keep_mouse", None)
    if keep is None:
        app.page.say(Span("a browser marks nothing here: y copies the command of this screen", Tone.DIM))
    elif keep():
        app.page.say("the mouse chooses and scrolls again")
    else:
        app.page.say("the mouse marks text now; ", Span("M", Tone.KEY), " gives it back to the application")


def _within(directory: Path) -> bool:
    """Return whether we are in a directory; not where the one we are in was deleted."""
    try:
        here = Path.cwd()
    except OSError:
        return False
    return directory in (here, *here.parents)

"""`ringfence map`: the picture of who talks to whom, on the terminal or as a file that goes elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.flow_options import flow_options
from ringfence.cli.session import Session, command
from ringfence.model.counts import counted
from ringfence.model.picture import PolicyState

if TYPE_CHECKING:
    from ringfence.model.picture import Picture
    from ringfence.operations.picture import PictureRequest

FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
STANDARD_OUTPUT = Path("-")
BY = "Labels of the groups, coarsest first; 'asset' and 'process' last. [env,app,role; --html: and asset]"
STATE = "Whose verdicts: what hosts hold, what the files say, or the files with the draft."
STEPS = "Steps of the window that the page can show one by one."
TERMINAL = 120  # columns where there is no terminal
TOGETHER = {"": 20, "svg": 400, "mermaid": 400}  # assets; more are put together by their labels, as far as they must be
SERVICES = {"html": 32, "csv": 65536}  # of an edge at most; what is beyond is in one row


@command(
    "map",
    "map",
    "map --by env --since 24h",
    "map --html map.html --steps 7",
    "map --by app,role --svg map.svg",
    "map --mermaid",
    "map --csv traffic.csv",
    question=True,
    in_force=True,
)
@flow_options
@click.option("--by", metavar="LABELS", help=BY)
@click.option("--state", type=click.Choice([*map(str, PolicyState)]), default="files", show_default=True, help=STATE)
@click.option("--html", type=FILE, help="Write one page that needs nothing else: filter, time, flows on a click.")
@click.option("--steps", type=click.IntRange(1, 168), help=STEPS)
@click.option("--svg", type=FILE, help="Write the picture as SVG.")
@click.option(
    "--mermaid", type=FILE, is_flag=False, flag_value="-", metavar="[FILE]", help="Write a Mermaid flowchart."
)
@click.option("--csv", type=FILE, is_flag=False, flag_value="-", metavar="[FILE]", help="Write all edges as CSV.")
def map_(
    session: Session,
    /,
    flows_files: tuple[Path | str, ...],
    flows_format: str,
    fields: str,
    since: str | None,
    until: str | None,
    by: str | None,
    state: str,
    steps: int | None,
    **files: Path | None,
) -> None:
    """Show who talks to whom, group by group, and what becomes of it; '-' as FILE is standard output.

    Exits with 2 where flows of a file could not be read.
    """
    from ringfence.operations.drafted_picture import drafted_picture
    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.picture import LEVELS, STATES, PictureRequest, with_labels
    from ringfence.presenting.map.plain import plain

    kind, file = _wanted(session, files)
    if steps and kind != "html":
        raise click.UsageError("--steps is for the page: give --html FILE too")
    levels = tuple(part.strip() for part in by.split(",")) if by else LEVELS
    if by is None and kind == "html":
        levels = (*LEVELS, "asset")
    elif kind in TOGETHER and not session.output.as_json and len(session.estate.snapshot.assets) > TOGETHER[kind]:
        levels = with_labels(levels)
    selection = FlowSelection(flows_files, flows_format, since, until, fields)
    states = (*STATES, PolicyState.DRAFT) if state == PolicyState.DRAFT else STATES
    request = PictureRequest(selection, levels, states=states, services=SERVICES.get(kind, 8))
    found = drafted_picture(session.estate, request, session.execution)
    if session.output.as_json:
        session.output.data(plain(found))
    elif file is None:
        _print(session, found, PolicyState(state))
    else:
        pictures = (found, *_steps(session, request, found, steps))
        _write(session, file, _text(kind, pictures, PolicyState(state)), found)
    if warning := selection.wrong_words(selection.unread):
        session.output.note(warning, style="yellow")
        click.get_current_context().exit(2)


def _wanted(session: Session, files: dict[str, Path | None]) -> tuple[str, Path | None]:
    """Return the kind of file that was asked for and where it goes. Raise UsageError for two of them."""
    given = [(kind, file) for kind, file in files.items() if file is not None]
    named = [f"--{kind}" for kind, _ in given] + (["--json"] if session.output.as_json else [])
    if len(named) > 1:
        raise click.UsageError(f"{' and '.join(named)}: give one of them")
    return given[0] if given else ("", None)


def _steps(session: Session, request: PictureRequest, whole: Picture, steps: int | None) -> tuple[Picture, ...]:
    from ringfence.operations.picture_steps import picture_steps

    return picture_steps(session.estate, request, whole, steps, session.execution) if steps else ()


def _print(session: Session, found: Picture, state: PolicyState) -> None:
    from ringfence.presenting.map.matrix import matrix

    session.output.lines(matrix(found, state, shutil.get_terminal_size((TERMINAL, 24)).columns))


def _text(kind: str, pictures: tuple[Picture, ...], state: PolicyState) -> str:
    if kind == "html":
        from ringfence.presenting.map.html import html

        return html(pictures, state)
    if kind == "svg":
        from ringfence.presenting.map.svg import svg

        return svg(pictures[0], state)
    if kind == "mermaid":
        from ringfence.presenting.map.mermaid import mermaid

        return mermaid(pictures[0], state)
    from ringfence.presenting.map.csv import csv_text

    return csv_text(pictures[0])


def _write(session: Session, file: Path, text: str, found: Picture) -> None:
    """Write a text, for its owner alone: it names every host and every gap."""
    from ringfence.files import PRIVATE, write_named

    if file == STANDARD_OUTPUT:
        click.echo(text.encode(), nl=False)
        return
    write_named(file, text, PRIVATE)
    has = f"{counted(len(found.groups), 'group')} and {counted(len(found.edges), 'edge')}"
    session.output.line(f"{file}: {has}")

"""`ringfence init`: a new workspace, which git keeps and AWX takes as a project."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import click

from ringfence.cli.session import Session, command
from ringfence.model.addresses import network_of
from ringfence.model.errors import InputError, Place, file_error

# Templates whose files git or tools would take for their own, and what they are called in a workspace.
NAMES = {"gitignore": ".gitignore"}
_TEMPLATES = files("ringfence.cli") / "templates"
# What `--control` replaces in the template of ringfence.yml.
CONTROL = "# control:\n#   from: [10.9.0.0/24]\n#   port: 22\n"


@command("init", "init shop-net")
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--control", "networks", multiple=True, metavar="CIDR", help="From where Ansible manages the hosts; repeat."
)
@click.option("--port", type=click.IntRange(1, 65535), default=22, show_default=True, help="And to which port.")
@click.option("--git/--no-git", default=True, show_default=True, help="Make it a git repository where it is in none.")
def init(session: Session, directory: Path | None, networks: tuple[str, ...], port: int, git: bool) -> None:
    """Begin a workspace in DIRECTORY, by default here. Nothing that is already there is overwritten."""
    target = directory or session.chosen or Path()
    written = write_workspace(target, networks, port)
    in_git = git and _make_repository(target, session)
    if session.output.as_json:
        session.output.data({"directory": str(target), "files": [str(path) for path in written], "git": in_git})
        return
    for path in written:
        session.output.line(f"wrote {target / path}")
    steps = [
        *(() if networks else ("say in ringfence.yml from where Ansible manages the hosts (control)",)),
        "name hosts: rows in hosts.csv, or any Ansible inventory in inventory/ (then delete inventory/30-onprem.yml)",
        "ringfence check, then ringfence assets",
    ]
    session.output.line()
    for number, step in enumerate(steps, 1):
        session.output.line(f"{number}. {step}")


def write_workspace(directory: Path, networks: tuple[str, ...] = (), port: int = 22) -> tuple[Path, ...]:
    """Write the files of a new workspace and return their paths in it, in order.

    Raises InputError, before anything is written, where one of them exists already or a network is none, and where the
    directory cannot be; OutsideError where the machine cannot write.
    """
    for network in networks:
        network_of(network)
    contents = {path: _filled(text, networks, port) for path, text in _templates(_TEMPLATES, PurePosixPath())}
    in_the_way = [path for path in contents if (directory / path).exists() or (directory / path).is_symlink()]
    if in_the_way:
        more = f" and {len(in_the_way) - 3} more" if len(in_the_way) > 3 else ""
        raise InputError(
            f"these files are already there: {', '.join(map(str, in_the_way[:3]))}{more}; nothing was written",
            Place(str(directory)),
            "choose an empty directory: ringfence init DIRECTORY",
        )
    for path, text in contents.items():
        try:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            with (directory / path).open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise file_error(error, directory / path, "cannot be written") from error
    return tuple(contents)


def _templates(folder: Traversable, below: PurePosixPath) -> Iterator[tuple[Path, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, below / entry.name)
        else:
            yield Path(below / NAMES.get(entry.name, entry.name)), entry.read_text(encoding="utf-8")


def _filled(text: str, networks: tuple[str, ...], port: int) -> str:
    if not networks:
        return text
    listed = ", ".join(f'"{network}"' for network in networks)
    return text.replace(CONTROL, f"control:\n  from: [{listed}]\n  port: {port}\n")


def _make_repository(directory: Path, session: Session) -> bool:
    """Return whether the directory is in a git repository, after making it one where it was in none."""
    if shutil.which("git") is None:
        session.output.note("git is not installed, so nothing keeps the history of this workspace", style="yellow")
        return False
    inside = _git(directory, "rev-parse", "--is-inside-work-tree")
    if inside.returncode == 0:
        return True
    made = _git(directory, "init", "--quiet")
    if made.returncode:
        session.output.note(f"git init failed: {made.stderr.strip()}", style="yellow")
    return made.returncode == 0


def _git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, text=True, check=False)

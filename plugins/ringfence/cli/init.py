"""`ringfence init`: a new workspace, which git keeps and AWX takes as a project."""

from __future__ import annotations

from pathlib import Path

import click

from ringfence.cli.session import Session, command


@command("init", "init shop-net")
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--control", "networks", multiple=True, metavar="CIDR", help="From where Ansible manages the hosts; repeat."
)
@click.option("--port", type=click.IntRange(1, 65535), default=22, show_default=True, help="And to which port.")
@click.option("--git/--no-git", default=True, show_default=True, help="Make it a git repository where it is in none.")
def init(session: Session, directory: Path | None, networks: tuple[str, ...], port: int, git: bool) -> None:
    """Begin a workspace in DIRECTORY, by default here. Nothing that is already there is overwritten."""
    from ringfence.operations.init import make_repository, write_workspace

    target = directory or session.chosen or Path()
    written = write_workspace(target, networks, port)
    in_git = git and make_repository(target, session.execution)
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

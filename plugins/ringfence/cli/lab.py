"""`ringfence lab`: raise hosts to try a policy on, look at them, enter them, take them away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import click

from ringfence.cli.session import Session, command

if TYPE_CHECKING:
    from rich.progress import Progress

    from ringfence.lab.session import Lab

DEFAULT_NAME = "demo"
_name_option = click.option("--name", default=DEFAULT_NAME, show_default=True, help="The lab, where there are several.")


@click.group("lab")
def lab() -> None:
    """Raise hosts to try a policy on: a shop in two environments, on real machines or in namespaces."""


@command("up", group=lab)
@_name_option
@click.option(
    "--kind",
    type=click.Choice(["auto", "machines", "namespaces"]),
    default="auto",
    show_default=True,
    help="Whole Debian systems (root), or network namespaces; auto takes what this machine can do.",
)
@click.option("--hosts", type=click.IntRange(1, 200), help="So many plain hosts instead of the shop.")
@click.option("--mixed", is_flag=True, help="The shop on Debian 11, 12 and 13, not on 12 alone.")
@click.option("--through", metavar="HOST", help="Reach the other hosts through this one, as through a bastion.")
def up(
    session: Session,
    name: str,
    kind: Literal["auto", "machines", "namespaces"],
    hosts: int | None,
    mixed: bool,
    through: str | None,
) -> None:
    """Bring a lab up; what an earlier one of this name left is removed first."""
    from ringfence.lab.estate import shop
    from ringfence.lab.session import open_lab
    from ringfence.lab.spec import HostSpec

    raised = open_lab(name)
    specs = [HostSpec(f"host-{number}") for number in range(1, hosts + 1)] if hosts else shop(mixed=mixed)
    with session.output.progress() as shown:
        raised.up(specs, kind, lab_progress(session, shown), through=through)
    if session.output.as_json:
        session.output.data({"name": name, "inventory": str(raised.inventory_path), "ssh": str(raised.ssh_config)})
        return
    _list(session, raised)
    session.output.line(f"inventory: {raised.inventory_path}")
    session.output.line(f"ssh:       ssh -F {raised.ssh_config} HOST")


@command("down", group=lab)
@_name_option
def down(session: Session, name: str) -> None:
    """End a lab and remove all of it, also what a crash left."""
    from ringfence.lab.session import open_lab

    open_lab(name).down()
    if session.output.as_json:
        session.output.data({"name": name, "up": False})
    session.output.line(f"lab {name} is down")


@command("status", group=lab)
@_name_option
def status(session: Session, name: str) -> None:
    """Show the hosts of a lab; where it is not up, what this machine can do and what it lacks."""
    from ringfence.lab.probe import probe
    from ringfence.lab.session import open_lab

    opened = open_lab(name)
    hosts = opened.status()
    if session.output.as_json:
        session.output.data(
            [
                {
                    "name": host.name,
                    "kind": host.kind,
                    "release": host.release,
                    "variant": host.variant,
                    "addresses": list(host.addresses),
                    "state": host.state,
                }
                for host in hosts
            ]
        )
        return
    if hosts:
        _list(session, opened)
        return
    session.output.line(f"lab {name} is not up")
    abilities = probe()
    for what, lacks in (
        ("machines", abilities.machines),
        ("namespaces", abilities.namespaces),
        ("process rules in namespaces", abilities.processes),
    ):
        session.output.line(f"{what}: {'possible here' if not lacks else 'not possible here'}", bold=True)
        for lack in lacks:
            session.output.line(f"  {lack}", style="yellow")


@command("shell", group=lab)
@click.argument("host")
@_name_option
def shell(session: Session, host: str, name: str) -> None:
    """Open a shell on HOST over ssh."""
    from ringfence.lab.session import open_lab

    click.get_current_context().exit(open_lab(name).shell(host))


def lab_progress(session: Session, shown: Progress | None) -> Callable[[str, float], None]:
    """Return what `Lab.up` reports to: a bar on a terminal, else a line now and then."""
    if shown is not None:
        task = shown.add_task("lab", total=1.0)
        return lambda text, share: shown.update(task, completed=share, description=text)
    told = [-1.0]

    def tell(text: str, share: float) -> None:
        if share - told[0] >= 0.1 or share >= 1.0:
            told[0] = share
            session.output.note(f"{share:4.0%} {text}")

    return tell


def _list(session: Session, opened: Lab) -> None:
    session.output.table(
        ("host", "kind", "release", "addresses", "state"),
        ((one.name, one.kind, one.release, " ".join(one.addresses), one.state) for one in opened.status()),
    )

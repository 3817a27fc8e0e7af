"""`ringfence doctor`: whether this machine, the workspace and the hosts have what Ringfence needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringfence.cli.session import Session, command
from ringfence.model.errors import InputError
from ringfence.model.safe_text import clean_line

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.doctor import Check

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@command("doctor", "doctor", "doctor --limit web-1", "doctor --no-hosts --json", hosts=True)
@click.option("--limit", multiple=True, metavar="HOST", help="Ask these hosts alone.")
@click.option("--hosts/--no-hosts", default=True, help="Ask the hosts too, over one connection each.")
@click.option("--seconds", type=click.IntRange(5, 600), default=60, show_default=True, help="For each host's answer.")
def doctor(session: Session, limit: tuple[str, ...], hosts: bool, seconds: int) -> None:
    """Look whether everything is there: each line with its way out.

    Exits with 1 where something fails, with 3 where only hosts did not answer.
    """
    from ringfence.operations.doctor import DoctorRequest, examine

    found = examine(
        _estate(session), DoctorRequest(limit, hosts, seconds), lambda check: _line(session, check), session.execution
    )
    failed, warned = found.failed, found.warned
    if session.output.as_json:
        session.output.data({"ok": not failed, "checks": [check.data() for check in found.checks]})
    session.output.line(f"{len(found.checks) - failed - warned} ok, {warned} warn, {failed} fail", bold=True)
    if failed:
        click.get_current_context().exit(3 if failed == found.silent else 1)


def _estate(session: Session) -> Estate | InputError:
    try:
        return session.estate
    except InputError as error:
        return error


def _line(session: Session, check: Check) -> None:
    where = f"{check.host}: " if check.host else ""
    text = clean_line(f"{check.status!s:4}  {where}{check.name}: {check.detail}")
    session.output.line(text, style=STYLES[str(check.status)])
    if check.remedy:
        session.output.line(f"      → {check.remedy}")

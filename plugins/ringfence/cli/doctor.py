"""`ringfence doctor`: whether this machine, the workspace and the hosts have what Ringfence needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ringfence.cli.session import Session, command
from ringfence.cli.text import clean_line
from ringfence.model.assets import USUAL_ENFORCER
from ringfence.model.errors import InputError, InputErrors, OutsideError, RingfenceError

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.doctor import Check
    from ringfence.model.assets import Asset, Control
    from ringfence.rollout import HostOutcome

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@command("doctor", "doctor", "doctor --limit web-1", "doctor --no-hosts --json")
@click.option("--limit", multiple=True, metavar="HOST", help="Ask these hosts alone.")
@click.option("--hosts/--no-hosts", default=True, help="Ask the hosts too, over one connection each.")
@click.option("--seconds", type=click.IntRange(5, 600), default=60, show_default=True, help="For each host's answer.")
def doctor(session: Session, limit: tuple[str, ...], hosts: bool, seconds: int) -> None:
    """Look whether everything is there: each line with its way out.

    Exits with 1 where something fails, with 3 where only hosts did not answer.
    """
    from ringfence.doctor import Status, controller_checks, workspace_checks
    from ringfence.doctor.check import fail

    directory, errors, assets = _workspace(session)
    checks: list[Check] = []

    def tell(found: Iterator[Check]) -> None:
        for check in found:
            checks.append(check)
            _line(session, check)

    tell(controller_checks(directory))
    control = None
    if directory is None:
        tell(iter([fail("workspace", errors[0].message, "ringfence init, or --workspace DIR")]))
    else:
        control = session.workspace.settings.control if not _broken(session) else None
        tell(workspace_checks(directory, errors, control, assets))
    silent = 0
    if hosts and directory is not None and (assets or limit):
        found, silent = _hosts(session, assets, limit, seconds, control)
        tell(iter(found))
    failed = sum(check.status is Status.FAIL for check in checks)
    warned = sum(check.status is Status.WARN for check in checks)
    if session.output.as_json:
        session.output.data({"ok": not failed, "checks": [check.data() for check in checks]})
    session.output.line(f"{len(checks) - failed - warned} ok, {warned} warn, {failed} fail", bold=True)
    if failed:
        click.get_current_context().exit(3 if failed == silent else 1)


def _workspace(session: Session) -> tuple[Path | None, list[RingfenceError], list[Asset]]:
    """Return the workspace's directory, the errors of its files and sources, and its workloads."""
    try:
        directory = session.directory
    except InputError as error:
        return None, [error], []
    try:
        assets = [one for one in session.survey.snapshot.assets if one.workload and one.enforcer == USUAL_ENFORCER]
        return directory, list(session.survey.errors()), assets
    except InputErrors as error:
        return directory, list(error.errors), []
    except RingfenceError as error:
        return directory, [error], []


def _broken(session: Session) -> bool:
    try:
        return session.workspace is None
    except RingfenceError:
        return True


def _hosts(
    session: Session, assets: list[Asset], limit: tuple[str, ...], seconds: int, control: Control | None
) -> tuple[list[Check], int]:
    """Return the checks of the hosts by name, and how many did not answer."""
    from ringfence.cli.driving import drive
    from ringfence.doctor import host_checks
    from ringfence.doctor.hosts import unreached

    controls = {asset.name: asset.control or control for asset in assets}
    names = sorted(limit or controls)
    if unknown := [name for name in names if name not in controls]:
        raise InputError(f"no workload is called '{unknown[0]}'", remedy="ringfence assets shows what there is")
    variables = {"ringfence_hosts": ":".join(names), "ringfence_doctor_seconds": seconds}
    try:
        outcomes = drive(session, "doctor", variables, names, limit=limit).hosts
    except OutsideError as error:
        return [unreached(name, error.message) for name in names], len(names)
    checks: list[Check] = []
    silent = 0
    for name in names:
        outcome: HostOutcome | None = outcomes.get(name)
        if outcome is None or not outcome.ok:
            silent += 1
            checks.append(unreached(name, outcome.reason if outcome else ""))
        else:
            checks.extend(host_checks(name, outcome.result, controls[name]))
    return checks, silent


def _line(session: Session, check: Check) -> None:
    where = f"{check.host}: " if check.host else ""
    text = clean_line(f"{check.status!s:4}  {where}{check.name}: {check.detail}")
    session.output.line(text, style=STYLES[str(check.status)])
    if check.remedy:
        session.output.line(f"      → {check.remedy}")

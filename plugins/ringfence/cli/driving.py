"""Driving the collection's playbooks: progress by host and step while they run, and what their end means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ringfence.cli.text import clean, clean_line
from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.errors import InputError, InputErrors, OutsideError
from ringfence.workspace import INVENTORY

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ringfence.cli.session import Session
    from ringfence.rollout import Event, Outcome

# States of a host in which the answer is no; any other failure is one of the outside.
REFUSALS = frozenset({"refused", "drifted", "not begun"})


def drive(
    session: Session,
    playbook: str,
    extravars: Mapping[str, object],
    expected: Sequence[str],
    *,
    waves: Sequence[Sequence[str]] = (),
    limit: Sequence[str] = (),
    check: bool = False,
    on_event: Callable[[Event], None] = lambda _event: None,
) -> Outcome:
    """Run a playbook over the workspace's inventory and return what became of every host.

    Progress goes to standard error: a bar on a terminal, else a line for every wave that is done; `on_event` gets every
    event. Raises InputErrors for hosts of `limit` that are not expected, OutsideError where Ansible could not run.
    """
    from ringfence.rollout import run_playbook

    refuse_unknown(limit, expected)
    inventory = session.directory / INVENTORY
    if not inventory.exists():
        raise InputError(f"no inventory: there is no {inventory}", remedy="put an Ansible inventory there")
    with session.output.progress() as shown:
        follow = _Following(session, waves or (list(expected),), shown, named=bool(waves))

        def take(event: Event) -> None:
            follow.event(event)
            on_event(event)

        outcome = run_playbook(
            playbook,
            [inventory],
            {key: value for key, value in extravars.items() if value is not None},
            take,
            directory=session.directory,
            limit=limit,
            expected=[name for name in expected if not limit or name in limit],
            check=check,
        )
    if outcome.complaint:
        raise OutsideError(f"Ansible could not run: {outcome.complaint}", remedy="the last lines are Ansible's own")
    return outcome


def refuse_unknown(hosts: Iterable[str], known: Collection[str], where: str = "this plan") -> None:
    """Raise InputErrors for the hosts that a plan says nothing of, each with the nearest that it does."""
    unknown = sorted(set(hosts).difference(known))
    if unknown:
        raise InputErrors(
            [
                InputError(f"{where} says nothing of {host}", remedy=did_you_mean(host, near) if near else None)
                for host in unknown
                for near in [nearest(host, known)]
            ]
        )


def exit_status(outcome: Outcome) -> int:
    """Return 0 where every host is well, 1 where hosts refuse or differ, 3 where something outside failed."""
    failed = [host for host in outcome.hosts.values() if not host.ok]
    if not failed:
        return 0 if outcome.status == "successful" else 3
    told = [host for host in failed if host.state != "not begun"]
    return 1 if told and all(host.state in REFUSALS for host in told) else 3


def tell_failed(session: Session, outcome: Outcome) -> None:
    """Print why each host failed that did."""
    for host in sorted(outcome.hosts.values(), key=lambda one: one.host):
        if not host.ok:
            reason = f": {clean_line(host.reason)}" if host.reason else ""
            session.output.line(f"  {clean_line(host.host)}: {host.state}{reason}", style="red")


def wave_name(number: int) -> str:
    """Return what people call a wave: the first is the canary."""
    return "canary" if number == 0 else f"wave {number}"


class _Following:
    """Counts hosts that ended, wave by wave."""

    def __init__(
        self, session: Session, waves: Sequence[Sequence[str]], shown: Progress | None, *, named: bool
    ) -> None:
        self.session = session
        self.shown = shown
        self.waves = [frozenset(wave) for wave in waves]
        self.named = named
        self.ended: dict[str, bool] = {}
        self.told: set[int] = set()
        self._bars: dict[int, TaskID] = {}

    def event(self, event: Event) -> None:
        """Take one event of the playbook."""
        if not event.ends or not event.host:
            return
        failed = str(event.kind) in ("failed", "unreachable") and not event.ignored
        self.ended[event.host] = not failed
        if failed:
            state = event.result.get("state") or str(event.kind)
            self.session.output.note(f"{clean_line(event.host)}: {state}", style="red")
        warnings = event.result.get("warnings")
        for warning in warnings if isinstance(warnings, list) else ():
            host, said = clean_line(event.host), clean_line(str(warning))
            told = said if said.startswith(f"{host}: ") else f"{host}: {said}"
            self.session.output.note(told, style="yellow")
        for number, wave in enumerate(self.waves):
            if event.host in wave:
                self._progress(number, wave)

    def _progress(self, number: int, wave: frozenset[str]) -> None:
        done = [name for name in wave if name in self.ended]
        well = sum(self.ended[name] for name in done)
        name = wave_name(number) if self.named else "hosts"
        if self.shown is not None:
            if number not in self._bars:
                self._bars[number] = self.shown.add_task(clean(name), total=len(wave))
            self.shown.update(self._bars[number], completed=len(done))
        if len(done) == len(wave) and number not in self.told:
            self.told.add(number)
            sign = "✓" if well == len(wave) else "✗"
            self.session.output.note(f"{name} {well}/{len(wave)} {sign}", style="green" if sign == "✓" else "red")

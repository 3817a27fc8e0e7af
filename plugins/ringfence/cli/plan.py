"""`ringfence plan`: make the one artefact that apply takes."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringfence.cli.looked_at import LookedAt, flow_options
from ringfence.cli.session import Session, command
from ringfence.cli.text import clean_line
from ringfence.model.addresses import address_text, addresses_of, family_of, point_of
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, InputErrors
from ringfence.model.problems import Severity

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ringfence.model.problems import Problem
    from ringfence.model.tables import VerdictTable
    from ringfence.plan import Circumstances, Draft, Held

# Pairs of label combinations whose counts a plan keeps; `ringfence simulate` counts them all again.
PAIRS_KEPT = 100
LOOPBACK = addresses_of(["127.0.0.0/8", "::1"])
NOBODYS = (point_of("192.0.2.1"), point_of("2001:db8::1"))  # RFC 5737, RFC 3849: for documentation


@command("plan", "plan", "plan --since 24h", "plan --rebase", "plan --restore 5f3a")
@flow_options
@click.option("--no-flows", is_flag=True, help="Look at no flows: the plan says nothing of what it does to traffic.")
@click.option("--rebase", is_flag=True, help="First ask the hosts what they hold, and plan from that.")
@click.option("--restore", metavar="PLAN", help="Bring back what an earlier plan gave: a rollback is a plan too.")
@click.option("--drop", multiple=True, metavar="HOST", help="This host may go missing; it keeps what it holds.")
@click.option("--drop-missing", is_flag=True, help="Every host that is not in the inventory any more may go missing.")
@click.option("--sign", "key", type=click.Path(path_type=Path, exists=True), help="Sign with this key (ssh-keygen).")
@click.option("--force-lockout-test", is_flag=True, hidden=True)
def plan(
    session: Session,
    flows_files: tuple[Path, ...],
    flows_format: str,
    since: str | None,
    until: str | None,
    no_flows: bool,
    rebase: bool,
    restore: str | None,
    drop: tuple[str, ...],
    drop_missing: bool,
    key: Path | None,
    force_lockout_test: bool,
) -> None:
    """Compile, compare with what hosts hold, simulate, and write a plan into plans/."""
    from ringfence.cli.driving import refuse_unknown
    from ringfence.plan import known, sign, write

    if rebase:
        from ringfence.cli.asked import ask_hosts

        ask_hosts(session)
    held = known(session.directory, session.workspace.plans, session.now)
    refuse_unknown(drop, {*held, *session.snapshot.named()}, "--drop: what is known of inventory and plans")
    dropped = frozenset({*drop, *(held if drop_missing else ())})
    looked_at = None if no_flows else LookedAt(flows_files, flows_format, since, until)
    making = _Making(session, held, dropped, looked_at, force_lockout_test)
    draft = making.restored(restore) if restore else making.planned()
    directory = write(draft, session.workspace.plans)
    if key is not None:
        sign(directory, key)
    _report(session, draft, directory, making)
    if looked_at is not None and looked_at.unread:
        click.get_current_context().exit(2)


class _Making:
    """Makes one plan: gathers what it depends on, in the order that errors are best told."""

    def __init__(
        self,
        session: Session,
        held: dict[str, Held],
        dropped: frozenset[str],
        looked_at: LookedAt | None,
        force_lockout_test: bool,
    ) -> None:
        self.session = session
        self.held = held
        self.dropped = dropped
        self.looked_at = looked_at
        self.force_lockout_test = force_lockout_test
        self.flow_words = ""
        self.wrong = 0

    def planned(self) -> Draft:
        """Return the plan of the policy as it stands in the files."""
        from ringfence.cli.kept import keep_snapshot
        from ringfence.enforcers import enforcer
        from ringfence.plan import build
        from ringfence.plan.preflight import doubts

        session = self.session
        _refuse_errors(session)
        found = session.survey
        session.output.problems((*found.said, *found.silent, *found.told), err=True)
        tables = session.compilation.tables
        session.output.problems(_chosen(session), err=True)
        if not tables and not self.dropped:
            remedy = "name hosts with addresses in inventory/; ringfence assets shows what there is"
            if session.compilation.unenforced:
                remedy = "no installed enforcer is for these hosts: ringfence check names them"
            raise InputError("there is no workload to make a plan for", remedy=remedy)
        keep_snapshot(session)
        if not self.force_lockout_test:
            session.output.problems(doubts(session.compilation, self.held), err=True)
        return build(session.compilation, enforcer, self._circumstances(tables))

    def restored(self, name: str) -> Draft:
        """Return the plan that brings back what an earlier plan gave."""
        from ringfence.plan import find, restore
        from ringfence.plan.rollout_order import rollout_order
        from ringfence.plan.store import read_draft
        from ringfence.plan.table_reading import table_of

        files = read_draft(find(self.session.workspace.plans, name))
        old = files.plan
        read_tables = {digest: table_of(text) for digest, text in files.tables.items()}
        tables = {name: read_tables[host.table] for name, host in old.hosts.items()}
        settings = self.session.workspace.settings
        given = self._circumstances(tables)
        order = partial(rollout_order, self.session.snapshot, settings, here=given.here)
        return restore(old, files, given, settings.valid_days, settings.waves, order)

    def _circumstances(self, tables: Mapping[str, VerdictTable]) -> Circumstances:
        from ringfence.cli.kept import held_tables
        from ringfence.enforcers import enforcer
        from ringfence.plan import Circumstances, Inputs, next_sequence
        from ringfence.plan.changes import told
        from ringfence.plan.preflight import left_out
        from ringfence.sources.snapshots import digest

        session = self.session
        aside = left_out(session.compilation, self.held, enforcer) if tables is session.compilation.tables else {}
        enforced = held_tables(session, {name: one for name, one in self.held.items() if name in tables})
        # a host that is left out goes on with what it holds
        left = {name: enforced[name] for name in aside if name in enforced}
        planned = {**{name: table for name, table in tables.items() if name not in aside}, **left}
        flows, simulation = self._simulated(planned, enforced)
        return Circumstances(
            inputs=Inputs(inventory=digest(session.snapshot), policy=session.workspace.policy_digest, flows=flows),
            sequence=next_sequence(session.workspace.plans, self._believed()),
            now=session.now,
            held=self.held,
            simulation=simulation,
            diff=told(enforced, planned, session.snapshot),
            dropped=self.dropped,
            force_lockout=self.force_lockout_test,
            here=_own_addresses(session, tables),
            chosen=session.enforcers[1],
        )

    def _believed(self) -> int:
        """Return the newest number that hosts are believed to have seen, and name those that are not believed."""
        from ringfence.model.problems import Problem
        from ringfence.plan.enforced import believed_sequence
        from ringfence.plan.store import highest_planned

        believed, others = believed_sequence(highest_planned(self.session.workspace.plans), self.held)
        self.session.output.problems(
            [
                Problem(
                    Severity.WARNING,
                    f"{name} reports plan number {number}, far above every plan here: that is not believed; "
                    "if it is true, the host refuses this plan",
                    remedy="look at the host; 'ansible-playbook ringfence.core.remove --limit' lets it begin anew",
                )
                for name, number in others.items()
            ],
            err=True,
        )
        return believed

    def _simulated(
        self, tables: Mapping[str, VerdictTable], enforced: dict[str, VerdictTable]
    ) -> tuple[str, dict[str, JsonValue]]:
        """Return the digest of the flows looked at and what the tables do to them; empty where none were."""
        if self.looked_at is None:
            return "", {}
        from ringfence.analysis.simulate import simulate

        with self.looked_at.window(self.session) as window:
            self.wrong = window.wrong
            if not len(window):
                self.flow_words = f"no {self.looked_at.words()}: the plan says nothing of what it does to traffic"
                return "", {}
            result = simulate(tables, self.session.snapshot, window, enforced)
            self.flow_words = f"{self.looked_at.words()}: {result.summary()}"
            data: dict[str, JsonValue] = {"window": window.totals(), **result.data(PAIRS_KEPT)}  # type: ignore[dict-item]  # plain
            return window.digest(), {**data, "wrong": self.wrong, "summary": self.flow_words}


def _chosen(session: Session) -> list[Problem]:
    """Return a notice for every enforcer that facts of hosts decided on."""
    from ringfence.model.problems import Problem, some_names

    hosts: dict[tuple[str, str], list[str]] = {}
    named = session.enforcers[0].named()
    for name, why in session.enforcers[1].items():
        hosts.setdefault((named[name].enforcer, why), []).append(name)
    return [
        Problem(
            Severity.WARNING,
            f"{some_names(of)} gets the enforcer {enforcer}: {why}",
            remedy=f"to settle it write 'ringfence_enforcer: {enforcer}'",
        )
        for (enforcer, why), of in sorted(hosts.items())
    ]


def _own_addresses(session: Session, names: Iterable[str]) -> frozenset[int]:
    """Return the addresses of hosts that are this machine's own: the kernel lets it send from these alone.

    Loopback is everybody's: what is reached there may be a machine behind a forwarded port. A kernel that lets it send
    from any address (ip_nonlocal_bind) tells nothing.
    """
    if any(map(_is_own, NOBODYS)):
        return frozenset()
    assets = session.snapshot.named()
    points = {point for name in names if name in assets for point in assets[name].addresses}
    return frozenset(point for point in points if point not in LOOPBACK and _is_own(point))


def _is_own(point: int) -> bool:
    family = socket.AF_INET6 if family_of(point) == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address_text(point), 0))
    except OSError:
        return False
    return True


def _refuse_errors(session: Session) -> None:
    """Refuse to plan what `check` finds wrong: errors, failing tests, broken invariants.

    What a host says of itself stops no plan: the plan leaves it out and says so.
    """
    from ringfence.cli.check import checked

    problems, failed, broken = checked(session, linted=False, told=False)
    errors = [
        InputError(problem.message, problem.place, problem.remedy)
        for problem in problems
        if problem.severity is Severity.ERROR
    ]
    errors += [InputError(str(failure), failure.test.place) for failure in failed]
    errors += [
        InputError(
            f"invariant '{one.invariant.name}' does not hold: {one.example.client} → {one.example.server} "
            f"on {one.example.service}",
            one.invariant.place,
            "ringfence check says which rules decide it",
        )
        for one in broken
    ]
    if errors:
        raise InputErrors(errors)


def _report(session: Session, draft: Draft, directory: Path, making: _Making) -> None:
    made = draft.plan
    if session.output.as_json:
        data = {"plan": made.digest, "directory": str(directory), "wrong": making.wrong}
        session.output.data({**data, **made.model_dump(mode="json", by_alias=True)})
        return
    changed = len(made.changed)
    session.output.line(
        f"{counted(len(made.hosts), 'workload')}, {counted(len(draft.tables), 'distinct table')}; "
        f"{counted(changed, 'host changes', 'hosts change')}"
    )
    for name, why in sorted(made.left_out.items()):
        session.output.line(f"left out: {clean_line(name)}: {why}", style="yellow")
    if making.flow_words:
        session.output.line(making.flow_words)
    if making.looked_at is not None:
        making.looked_at.tell_wrong(session, making.wrong)
    short = made.digest[:4]
    session.output.line(
        f"plan {made.short}  (ringfence show {short} for the diff, host by host and rule by rule)", bold=True
    )
    if made.canary is not None:
        session.output.line(clean_line(f"  canary: {made.canary.host}: {made.canary.why}"))

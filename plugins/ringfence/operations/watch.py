"""Watching hosts: a persistent connection to each, what is new there judged as it comes, until the time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringfence.analysis.simulate import DEFAULT_KEYS
from ringfence.estate.listening import SILENT
from ringfence.flows.store import FlowStore
from ringfence.model.emergencies import Kind as Emergency
from ringfence.model.errors import RingfenceError
from ringfence.operations.drive import drive
from ringfence.operations.emergencies import standing_about
from ringfence.operations.execution import Execution
from ringfence.operations.flow_selection import HOSTS, FlowSelection
from ringfence.operations.flow_sources import note_source
from ringfence.operations.hosts import chosen_workloads, decided_enforcers
from ringfence.operations.workspace_stamp import workspace_stamp
from ringfence.plan.journals import last_confirmed
from ringfence.plan.store import read as read_plan
from ringfence.watch.events import Kind, WatchEvent
from ringfence.watch.hearing import Hearing
from ringfence.watch.judge import Judge
from ringfence.watch.known_pairs import KnownPairs
from ringfence.watch.link import EVERY, Link
from ringfence.watch.session import WatchSession
from ringfence.watch.sinks import ended, opened
from ringfence.watch.violations import Status, Violation, ViolationStore, event_data
from ringfence.watch.ways import told_ways
from ringfence.workspace import STATE

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.flows.store_counts import Added
    from ringfence.watch.tally import Tally
    from ringfence.watch.ways import Way

__all__ = ["Hearing", "Status", "Violation", "WatchEvent", "WatchRequest", "event_data", "kinds_of", "watch"]

# Connections that are made at once.
AT_ONCE = 50
# Seconds between two writes of violations, of flows, and two looks whether the workspace's files changed.
VIOLATIONS_EVERY, FLOWS_EVERY, FILES_EVERY = 2, 30, 5
# How far back the store is looked at for label pairs.
PAIRS_SINCE = "30d"
ADDED_BY = "ringfence watch --add"


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """Which hosts (words as for `ringfence assets`), for how many seconds, and what of it is wanted.

    None watches until it is cancelled; `until_denied` ends it with the first denial that nobody accepted; `add` keeps
    flows in the store; `kinds` are the events that are told, `every` the seconds between two looks.
    """

    words: tuple[str, ...] = ()
    seconds: float | None = None
    until_denied: bool = False
    add: bool = False
    kinds: Collection[Kind] = field(default=tuple(Kind))
    every: float = EVERY


def kinds_of(words: Collection[str]) -> frozenset[Kind]:
    """Return the kinds of events that are called so."""
    return frozenset(kind for kind in Kind if kind.word in words)


def watch(
    estate: Estate, request: WatchRequest, hearing: Hearing | None = None, execution: Execution | None = None
) -> Tally:
    """Watch hosts and return what was seen; a cancellation is an end like any other.

    Raise InputError where no host is chosen or a sink's settings do not hold, Interrupted where the connections were
    still being prepared.
    """
    hearing, execution = hearing or Hearing(), execution or Execution()
    hosts = chosen_workloads(estate, request.words)
    settings = estate.workspace.settings.watch
    store = ViolationStore(estate.directory / STATE)
    known = {one.id: one.status for one in store.load().values()}
    if request.add:
        estate.keep_snapshot()
    judge, pairs = _judge(estate), _pairs(estate)
    if not pairs.known:
        hearing.note("the flow store is empty, so no label pair is called new; 'ringfence flows collect' fills it")
    for line in standing_about(estate, hosts):
        hearing.note(line)
        if line.startswith(Emergency.QUARANTINE):
            hearing.note("hosts keep no record of what they drop for a quarantine, so that is not shown")
    sinks = opened(settings.sinks, estate.directory)
    try:
        ways, lost = _ways(estate, hosts, execution)
        session = WatchSession(
            judge, pairs, settings, known, hearing, sinks, keep_flows=request.add, kinds=request.kinds
        )  # fmt: skip
        session.begun(hosts)
        for host, why in lost.items():
            session.stood(host, None, why)
        work = _Work(estate, request, session, store, hearing)
        asyncio.run(work.watched(ways, execution))
    finally:
        ended(sinks)
    session.tally.sinks = [sink.data() for sink in sinks]
    return session.tally


def _judge(estate: Estate) -> Judge:
    plan = last_confirmed(estate.plans)
    rules = read_plan(plan).rules if plan else {}
    return Judge(estate.in_force(), {key: (one.name, one.place) for key, one in rules.items()})


def _pairs(estate: Estate) -> KnownPairs:
    with FlowSelection(since=PAIRS_SINCE).window(estate, SILENT) as window:
        return KnownPairs(DEFAULT_KEYS, window.by_labels(estate.snapshot, DEFAULT_KEYS))


def _ways(estate: Estate, hosts: Sequence[str], execution: Execution) -> tuple[list[Way], dict[str, str]]:
    """Return how Ansible reaches hosts, and why it does not reach others."""
    quiet = Execution(SILENT, execution.cancel, execution.runner, execution.passwords)
    with told_ways() as (socket, ways):
        variables = {
            "ringfence_hosts": ":".join(hosts),
            "ringfence_enforcers": decided_enforcers(estate),
            "ringfence_watch_socket": str(socket),
        }
        result = drive(estate, "watch", variables, hosts, quiet)
    lost = {
        host: (result.hosts[host].reason if host in result.hosts else "") or "Ansible tells no way to it"
        for host in hosts
        if host not in ways
    }
    return [ways[host] for host in hosts if host in ways], lost


class _Work:
    """What goes on while hosts are watched."""

    def __init__(
        self, estate: Estate, request: WatchRequest, session: WatchSession, store: ViolationStore, hearing: Hearing
    ) -> None:
        self._estate = estate
        self._request = request
        self._session = session
        self._store = store
        self._hearing = hearing
        self._fixed_after = estate.workspace.settings.watch.fixed_after
        self._flows = FlowStore(estate.history.flows)
        self._dropped: dict[str, int] = {}

    async def watched(self, ways: Sequence[Way], execution: Execution) -> None:
        """Watch until the time is over, somebody cancels, or what was waited for came."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def heed() -> None:
            loop.call_soon_threadsafe(stop.set)

        limit = asyncio.Semaphore(AT_ONCE)
        links = [self._link(way, limit) for way in ways]
        tasks = [asyncio.create_task(link.run()) for link in links]
        tasks.append(asyncio.create_task(self._tick(stop)))
        for task in tasks:  # none of them ends by itself but by a fault of ours, which must not pass unseen
            task.add_done_callback(lambda _task: stop.set())
        execution.cancel.on_cancel(heed)
        try:
            async with asyncio.timeout(self._request.seconds):
                await stop.wait()
        except TimeoutError:
            pass
        finally:
            execution.cancel.forget(heed)
            faults = [task.exception() for task in tasks if task.done() and not task.cancelled()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._session.end()
        self._write_violations()
        self._write_flows()
        for fault in faults:
            if fault is not None:
                raise fault

    def _link(self, way: Way, limit: asyncio.Semaphore) -> Link:
        session, host = self._session, way.host
        return Link(
            way,
            lambda look: session.looked(host, look),
            lambda hello, why: session.stood(host, hello, why),
            every=self._request.every,
            connecting=limit,
        )

    async def _tick(self, stop: asyncio.Event) -> None:
        """Do each second what time alone brings."""
        stamp = workspace_stamp(self._estate.directory)
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            self._session.due()
            if self._request.until_denied and self._session.tally.denied:
                stop.set()
            if seconds % VIOLATIONS_EVERY == 0:
                self._write_violations()
                self._tell_of_sinks()
            if seconds % FLOWS_EVERY == 0:
                await asyncio.to_thread(self._write_flows)
            if seconds % FILES_EVERY == 0 and (now := workspace_stamp(self._estate.directory)) != stamp:
                stamp = now
                await asyncio.to_thread(self._reload)

    def _write_violations(self) -> None:
        waiting = self._session.violations_waiting()
        if not waiting:
            return
        try:
            now = max(one.last_seen for one in waiting)
            self._session.written(*self._store.change(waiting, now, self._fixed_after))
        except RingfenceError as error:
            self._hearing.note(f"violations are not kept: {error}")

    def _write_flows(self) -> None:
        flows = self._session.flows_waiting()
        if not flows:
            return
        try:
            added: Added = self._flows.add(flows, self._estate.snapshots())
            note_source(self._estate, ADDED_BY, HOSTS, added, 0)
        except RingfenceError as error:
            self._hearing.note(f"flows are not kept: {error}")
        else:
            self._session.tally.added += added.new

    def _tell_of_sinks(self) -> None:
        for sink in self._session.sinks:
            if sink.dropped > self._dropped.get(sink.name, 0):
                if sink.name not in self._dropped:
                    self._hearing.note(f"{sink.name} does not take what is sent: {sink.trouble or 'it is too slow'}")
                self._dropped[sink.name] = sink.dropped

    def _reload(self) -> None:
        """Judge by the files as they are now; broken ones are told and change nothing."""
        try:
            if self._estate.reload():
                self._session.judge = _judge(self._estate)
                self._fixed_after = self._estate.workspace.settings.watch.fixed_after
                self._hearing.note("the workspace changed: hosts are judged by what it says now")
        except RingfenceError as error:
            self._hearing.note(f"the workspace changed and cannot be read, what was read before counts: {error}")

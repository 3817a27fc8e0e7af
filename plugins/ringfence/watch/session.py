"""One watch: what hosts tell is judged, folded, kept as violations and flows, and told to those who want to know."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import count

from ringfence.flows.possible import TOLERANCE, refuse_impossible
from ringfence.model.errors import InputError
from ringfence.model.flows import REFUSED, Flow
from ringfence.model.watch_settings import WatchSettings
from ringfence.watch.events import HARMLESS, Kind, WatchEvent
from ringfence.watch.folding import Folding
from ringfence.watch.hearing import Hearing
from ringfence.watch.judge import SOURCE, Judge, flow_of
from ringfence.watch.known_pairs import KnownPairs
from ringfence.watch.link import EVERY, SHARE, Look
from ringfence.watch.scans import Scans
from ringfence.watch.sinks import Sink
from ringfence.watch.tally import Tally
from ringfence.watch.told import DenialTold, FlowTold, Hello, Missed, Unnamed
from ringfence.watch.violations import Status, Violation, met_again, violation_of
from ringfence.watch.waiting import Waiting

# Elements of kernel sets that are remembered of one host: as many as a full set of 16 rules has.
ELEMENTS = 65_536
# Flows that wait to be written, and violations that do: of all hosts, which share them.
FLOWS_WAITING = 200_000
VIOLATIONS_WAITING = 5000
# Why a host is silent whose connection was still being made at the end.
UNHEARD = "it had not answered when the watch ended"
# Events that are told in one second.
LINES_A_SECOND = 200
# Seconds that a look may be late before people are told.
LATE = 1.0


class WatchSession:
    """Takes looks of hosts; `judge` and `known` may be replaced while it lasts."""

    def __init__(
        self,
        judge: Judge,
        pairs: KnownPairs,
        settings: WatchSettings,
        known: dict[str, Status],
        hearing: Hearing,
        sinks: Sequence[Sink] = (),
        *,
        keep_flows: bool = False,
        kinds: Collection[Kind] = tuple(Kind),
    ) -> None:
        self.judge = judge
        self.tally = Tally()
        self.sinks = sinks
        self._pairs = pairs
        self._known = known
        self._hearing = hearing
        self._keep_flows = keep_flows
        self._kinds = frozenset(kinds)
        self._folding = Folding()
        self._scans = Scans(settings.scan_targets, settings.scan_within)
        self._elements: dict[str, OrderedDict[tuple[object, ...], int]] = {}
        self._flows: Waiting[Flow] = Waiting(FLOWS_WAITING)
        self._shown = 0
        self._full = False
        self._full_records: set[str] = set()
        self._waiting: Waiting[Violation] = Waiting(VIOLATIONS_WAITING)
        self._numbers = count()
        self._unheard: set[str] = set()

    def begun(self, hosts: Collection[str]) -> None:
        """Take which hosts are to be watched."""
        self.tally.hosts = len(hosts)
        self._unheard = set(hosts)

    def stood(self, host: str, hello: Hello | None, why: str) -> None:
        """Take that a host is watched, or why it is not; the same reason again is not told again."""
        self._unheard.discard(host)
        if hello is None:
            if self.tally.silent.get(host) != why:
                self._hearing.host(host, why)
            self.tally.silent[host] = why
            return
        if host in self.tally.silent:
            del self.tally.silent[host]
        self._hearing.host(host, "")
        if not hello.root:
            self._hearing.note(f"{host}: the login is not root: denials and tracked connections stay unseen")

    def looked(self, host: str, look: Look) -> None:
        """Take one look of a host."""
        now = datetime.now(UTC)
        self.tally.looks += 1
        self.tally.wrong += look.wrong
        late = max(look.took, look.cpu / SHARE) - EVERY
        if late > LATE and host not in self.tally.behind:
            self._hearing.note(f"{host}: a look takes {look.cpu:.2f} s of its processor: it is asked less often")
        if late > LATE:
            self.tally.behind[host] = max(late, self.tally.behind.get(host, 0.0))
        # what a kernel remembers when a watch begins was denied before it
        old = look.first and host not in self._elements
        self._elements.setdefault(host, OrderedDict())
        for told in look.told:
            if isinstance(told, FlowTold):
                self._flow(host, told, now)
            elif isinstance(told, DenialTold):
                self._denial(host, told, now, old=old)
            elif isinstance(told, Missed):
                self.tally.missed += told.lines
            elif isinstance(told, Unnamed):
                self._unnamed(host, told)

    def due(self) -> None:
        """Tell what was held back for long enough; called each second."""
        if self._shown >= LINES_A_SECOND and not self._full:
            self._hearing.note(f"more than {LINES_A_SECOND} events a second: the others are counted, and not shown")
        self._full = self._shown >= LINES_A_SECOND
        self._shown = 0
        for event in self._folding.due(datetime.now(UTC).timestamp()):
            self._tell(event)

    def end(self) -> None:
        """Tell what is still held back; hosts that did not answer until now are silent."""
        self.tally.silent.update(dict.fromkeys(self._unheard, UNHEARD))
        self._shown = 0
        for event in self._folding.rest():
            self._tell(event)

    def flows_waiting(self) -> list[Flow]:
        """Return and forget the flows that are to be kept."""
        return self._flows.take()

    def violations_waiting(self) -> list[Violation]:
        """Return and forget the violations that are to be written."""
        return self._waiting.take()

    def written(self, violations: Sequence[Violation], statuses: dict[str, Status]) -> None:
        """Take the violations that turned out to be new when they were written, and the statuses of all of them."""
        self.tally.violations += len(violations)
        for one in violations:
            self._hearing.violation(one)
            for sink in self.sinks:
                sink.violation(one)
        self._known = statuses

    def _unnamed(self, host: str, told: Unnamed) -> None:
        if host not in self._full_records:
            self._full_records.add(host)
            rule = self.judge.name_of(told.rule)
            self._hearing.note(f"{host}: its record for '{rule}' is full: further peers are counted, and not named")
        self.tally.unnamed += told.packets

    def _flow(self, host: str, told: FlowTold, now: datetime) -> None:
        try:
            event = self.judge.flow(host, told, now)
        except InputError:
            self.tally.not_believed += 1
            return
        if self._keep_flows:
            self._keep(host, flow_of(host, told, now))
        if event is not None:
            self._take(event)

    def _denial(self, host: str, told: DenialTold, now: datetime, *, old: bool) -> None:
        elements = self._elements[host]
        key = (told.effect, told.rule, told.direction, told.protocol, told.peer, told.port)
        before = elements.get(key, 0)
        elements[key] = told.packets
        elements.move_to_end(key)
        if len(elements) > ELEMENTS:
            elements.popitem(last=False)
            self.tally.forgotten += 1
        # a number that fell is of an element that the kernel has forgotten and made anew
        more = told.packets - before if told.packets >= before else told.packets
        if old or not more:
            return
        try:
            event = self.judge.denial(host, told, more, now)
        except InputError:
            self.tally.not_believed += 1
            return
        if event is None:
            return
        if self._keep_flows and event.kind is Kind.DENIED:
            self._keep_denied(event)
        self._take(event)

    def _keep_denied(self, event: WatchEvent) -> None:
        flow = Flow(
            event.client.point,
            event.server.point,
            event.port,
            event.protocol,
            event.time,
            event.time,
            packets=event.count,
            source=f"{SOURCE}{event.host}",
            outcome=REFUSED,
        )
        refuse_impossible(flow, event.time + TOLERANCE)
        self._keep(event.host, flow)

    def _keep(self, host: str, flow: Flow) -> None:
        if not self._flows.put(host, next(self._numbers), flow):
            self.tally.forgotten += 1

    def _take(self, event: WatchEvent) -> None:
        """Count an event and everything that follows from it; the single attempts of a scan are no events."""
        scanning, scan = self._scans.take(event)
        if scan is not None:
            self._count(scan)
        if scanning:
            self.tally.events[event.kind.word] += 1
            self.tally.hidden += 1
            return
        self._count(event)
        if event.kind is not Kind.CUT and self._pairs.is_new(event):
            self._count(self._pairs.event(event))

    def _count(self, event: WatchEvent) -> None:
        self.tally.events[event.kind.word] += 1
        status = None
        if event.kind not in HARMLESS:
            status = self._violation(event)
        if event.kind is Kind.DENIED and status is not Status.ACCEPTED:
            self.tally.denied = True
        for sink in self.sinks:
            sink.event(event)
        told = self._folding.take(event)
        if told is None:
            self.tally.hidden += 1
        else:
            self._tell(told)

    def _violation(self, event: WatchEvent) -> Status:
        one = violation_of(event)
        if not self._waiting.put(event.host, one.id, met_again(self._waiting.get(one.id), one)):
            self.tally.forgotten += 1
        status = self._known.get(one.id, Status.NEW)
        if status is Status.FIXED:
            status = Status.NEW
        self._known[one.id] = status
        return status

    def _tell(self, event: WatchEvent) -> None:
        if event.kind not in self._kinds:
            return
        if self._shown >= LINES_A_SECOND:
            self.tally.hidden += 1
            return
        self._shown += 1
        status = None if event.kind in HARMLESS else self._known.get(violation_of(event).id, Status.NEW)
        self._hearing.event(event, status)

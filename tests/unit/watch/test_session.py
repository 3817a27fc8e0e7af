"""A watch: looks become events, violations and flows, each bounded and counted."""

from __future__ import annotations

from ringfence.model.addresses import point_of
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect
from ringfence.model.watch_settings import WatchSettings
from ringfence.watch.events import Kind, WatchEvent
from ringfence.watch.hearing import Hearing
from ringfence.watch.known_pairs import KnownPairs
from ringfence.watch.link import Look
from ringfence.watch.session import LINES_A_SECOND, WatchSession
from ringfence.watch.told import DenialTold, Hello, Missed, Told, Unnamed
from ringfence.watch.violations import Status, violation_of

from tests.unit.watch.watch_factory import DB, DEV, WEB, event, flow, judge


class Heard(Hearing):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[tuple[Kind, Status | None]] = []
        self.hosts: list[tuple[str, str]] = []
        self.notes: list[str] = []

    def event(self, event: WatchEvent, status: Status | None) -> None:
        """Keep an event."""
        self.events.append((event.kind, status))

    def host(self, host: str, why: str) -> None:
        """Keep what a host is."""
        self.hosts.append((host, why))

    def note(self, text: str) -> None:
        """Keep a sentence."""
        self.notes.append(text)


def session(
    heard: Hearing, *, known: dict[str, Status] | None = None, keep: bool = False, pairs: KnownPairs | None = None
) -> WatchSession:
    """Return a watch of web, db and dev."""
    return WatchSession(
        judge(), pairs or KnownPairs([], []), WatchSettings(), known or {}, heard, keep_flows=keep
    )  # fmt: skip


def denial(packets: int, peer: str = DEV, port: int = 5432) -> DenialTold:
    """Return what db denied of a peer until now."""
    return DenialTold(Effect.DENY, "nodev000", Direction.IN, 6, point_of(peer), port, packets)


def look(*told: Told, first: bool = False) -> Look:
    """Return one look."""
    return Look(list(told), first=first)


def test_what_a_kernel_remembers_from_before_is_no_event_and_what_it_adds_is() -> None:
    heard = Heard()
    watched = session(heard)
    watched.looked("db", look(denial(7), denial(500, port=22), denial(3, peer=WEB), first=True))
    assert (heard.events, watched.tally.denied) == ([], False)
    watched.looked("db", look(denial(9), denial(500, port=22), denial(3, peer=WEB)))
    assert heard.events == [(Kind.DENIED, Status.NEW)]
    assert watched.tally.denied


def test_what_happened_while_a_connection_was_lost_is_told_after_it() -> None:
    heard = Heard()
    watched = session(heard)
    watched.looked("db", look(denial(7), first=True))
    watched.looked("db", look(denial(7), denial(1, port=22), first=True))
    assert [kind for kind, _ in heard.events] == [Kind.DENIED]


def test_an_element_that_the_kernel_made_anew_counts_from_nothing() -> None:
    watched = session(Heard())
    watched.looked("db", look(denial(90), first=True))
    watched.looked("db", look(denial(2)))
    assert [one.count for one in watched.violations_waiting()] == [2]


def test_equal_events_are_one_line_and_one_violation() -> None:
    heard = Heard()
    watched = session(heard)
    watched.looked("db", look(first=True))
    watched.looked("db", look(flow(DEV, DB, answered=False), flow(DEV, DB, answered=False), flow(WEB, DB)))
    assert heard.events == [(Kind.DENIED, Status.NEW), (Kind.ALLOWED, None)]
    assert watched.tally.events == {"denied": 2, "allowed": 1}
    assert [one.count for one in watched.violations_waiting()] == [2]
    assert watched.violations_waiting() == []


def test_an_accepted_violation_does_not_end_a_watch_until_denied() -> None:
    heard = Heard()
    key = violation_of(event()).id
    watched = session(heard, known={key: Status.ACCEPTED})
    watched.looked("db", look(flow(DEV, DB, answered=False)))
    assert heard.events == [(Kind.DENIED, Status.ACCEPTED)]
    assert not watched.tally.denied


def test_a_scan_is_one_event_and_not_a_violation_a_port() -> None:
    heard = Heard()
    watched = session(heard)
    watched.looked("db", look(*(flow(DEV, DB, port, answered=False) for port in range(1, 1001))))
    kinds = [kind for kind, _ in heard.events]
    assert kinds.count(Kind.SCAN) == 1
    assert kinds.count(Kind.DENIED) == WatchSettings().scan_targets - 1
    assert watched.tally.events["denied"] == 1000
    assert len(watched.violations_waiting()) == WatchSettings().scan_targets


def test_a_flood_shows_a_bounded_number_of_lines() -> None:
    heard = Heard()
    watched = session(heard)
    watched.looked("db", look(*(flow(DB, f"192.0.2.{n % 250}", n, 17) for n in range(1, 2001)), Missed(500)))
    watched.due()
    assert len(heard.events) == LINES_A_SECOND
    assert heard.notes == ["more than 200 events a second: the others are counted, and not shown"]
    assert watched.tally.missed == 500


def test_a_record_that_is_full_is_told_once_and_counted() -> None:
    heard = Heard()
    watched = session(heard)
    for _ in range(2):
        watched.looked("db", look(Unnamed(Effect.DENY, "nodev000", 50)))
    assert heard.notes == ["db: its record for 'nodev' is full: further peers are counted, and not named"]
    assert watched.tally.unnamed == 100


def test_flows_between_others_are_counted_and_nothing_else() -> None:
    heard = Heard()
    watched = session(heard, keep=True)
    watched.looked("dev", look(flow(WEB, DB), flow("fd00::1", DEV)))
    assert heard.events == []
    assert watched.tally.not_believed == 2
    assert watched.flows_waiting() == []


def test_flows_are_kept_with_their_outcome() -> None:
    watched = session(Heard(), keep=True)
    watched.looked("db", look(first=True))
    watched.looked("db", look(flow(WEB, DB), denial(3)))
    assert [(one.outcome, one.source, one.packets) for one in watched.flows_waiting()] == [
        ("answered", "hosts:db", 0),
        ("refused", "hosts:db", 3),
    ]


def test_labels_that_never_met_are_an_event_of_their_own() -> None:
    heard = Heard()
    watched = session(heard, pairs=KnownPairs(["role"], [{"from": {"role": "x"}, "to": None}]))
    watched.looked("db", look(flow(WEB, DB)))
    assert heard.events == [(Kind.ALLOWED, None), (Kind.NEW_PAIR, Status.NEW)]
    assert not watched.tally.denied


def test_a_silent_host_is_told_once_for_each_reason() -> None:
    heard = Heard()
    watched = session(heard)
    for why in ("refused", "refused", "timed out"):
        watched.stood("db", None, why)
    watched.stood("db", Hello(True, "proc", False), "")
    assert heard.hosts == [("db", "refused"), ("db", "timed out"), ("db", "")]
    assert watched.tally.silent == {}
    assert "not root" in heard.notes[0]


def test_a_host_that_has_not_answered_when_the_watch_ends_is_silent() -> None:
    watch = session(Heard())
    watch.begun(["db", "web", "dev"])
    watch.stood("db", Hello(True, "proc", True), "")
    watch.stood("web", None, "no route to host")
    watch.end()
    assert watch.tally.hosts == 3
    assert watch.tally.silent == {"web": "no route to host", "dev": "it had not answered when the watch ended"}

"""What people read of a watch: one plain line an event, and a summary that says what was not seen."""

from __future__ import annotations

from ringfence.model.addresses import point_of
from ringfence.presenting.watch_view import event_line, host_line, summary_lines, violation_rows
from ringfence.watch.events import End, Kind
from ringfence.watch.tally import Tally
from ringfence.watch.violations import Status, violation_of

from tests.unit.watch.watch_factory import STRANGER, event


def test_a_line_says_who_with_whom_on_what_and_by_which_rule() -> None:
    line = event_line(event(place="policy/db.yml:2:3", count=1400), Status.NEW)
    assert line.text.endswith(
        "denied       dev (role=dev) → db (role=db) tcp/5432: nodev (policy/db.yml:2:3) ×1,400 [db]"
    )
    assert line.style == "red"


def test_an_address_of_no_asset_stands_for_itself_and_what_is_accepted_says_so() -> None:
    line = event_line(event(Kind.WOULD_DENY, client="stranger", server=End(point_of("fd00::1"))), Status.ACCEPTED)
    assert f"{STRANGER} → fd00::1 tcp/5432: nodev [db] accepted" in line.text


def test_an_allowed_flow_without_an_answer_says_so() -> None:
    assert "no answer yet" in event_line(event(Kind.ALLOWED), None).text
    assert "no answer yet" not in event_line(event(Kind.ALLOWED, answered=True), None).text


def test_a_summary_tells_what_was_not_seen() -> None:
    tally = Tally(hosts=3, missed=2000, not_believed=1, violations=1)
    tally.events["denied"] = 1200
    tally.silent["web"] = "timed out"
    tally.behind["db"] = 2.25
    tally.sinks = [{"sink": "udp://log", "sent": 1, "dropped": 4, "trouble": "it answers 500"}]
    assert [line.text for line in summary_lines(tally)] == [
        "2 of 3 hosts watched; 1,200 denied",
        "1 violation new (ringfence violations)",
        "2,000 lines not told by hosts, because one look had too many",
        "1 line of addresses that the inventory does not give their host",
        "db: up to 2.2 s late",
        "udp://log: 1 sent, 4 dropped; it answers 500",
        "web: silent, timed out",
    ]


def test_a_host_is_watched_or_silent() -> None:
    assert host_line("db", "").text == "db: watched"
    assert host_line("db", "refused").style == "yellow"


def test_a_violation_is_a_row() -> None:
    (row,) = violation_rows([violation_of(event())])
    assert row[1:7] == (Status.NEW, Kind.DENIED, "role=dev", "role=db", "tcp/5432", "nodev")

"""Of many equal events the first is told at once, and the others once a minute, as one."""

from __future__ import annotations

from dataclasses import replace

from ringfence.watch.events import End, Kind
from ringfence.watch.folding import Folding
from ringfence.watch.known_pairs import KnownPairs
from ringfence.watch.scans import CLIENTS, Scans

from tests.unit.watch.watch_factory import NOW, event

START = NOW.timestamp()


def test_the_first_is_told_and_the_others_are_counted() -> None:
    folding = Folding(60)
    assert folding.take(event()) is not None
    assert folding.take(event(second=1)) is None
    assert folding.take(event(second=2, count=4)) is None
    assert list(folding.due(START + 59)) == []
    assert [one.count for one in folding.due(START + 61)] == [5]
    assert list(folding.due(START + 200)) == []
    folding.take(event(second=201))
    folding.take(event(second=202))
    assert [one.count for one in folding.rest()] == [1]
    assert list(folding.rest()) == []


def test_another_service_rule_or_label_is_another_event() -> None:
    folding = Folding(60)
    told = [folding.take(one) for one in (event(), event(port=1), event(rule="x"), event(client="stranger"))]
    assert None not in told


def test_a_client_that_many_ports_refuse_scans() -> None:
    scans = Scans(5, 10)
    found = [scans.take(event(port=port)) for port in range(1, 9)]
    assert [scanning for scanning, _ in found] == [False] * 4 + [True] * 4
    told = [one for _, one in found if one]
    assert [(one.kind, one.count) for one in told] == [(Kind.SCAN, 5)]
    assert told[0].detail == "1 servers, 5 services, none let it in"


def test_the_same_port_again_and_slow_attempts_are_no_scan() -> None:
    scans = Scans(5, 10)
    assert not any(scans.take(event())[0] for _ in range(50))
    assert not any(scans.take(event(port=port, second=port * 3.0))[0] for port in range(1, 30))


def test_what_is_answered_is_no_scan() -> None:
    scans = Scans(2, 10)
    assert not any(scans.take(event(Kind.ALLOWED, port=port, answered=True))[0] for port in range(1, 9))


def test_many_clients_do_not_fill_the_memory() -> None:
    scans = Scans(5, 10)
    for number in range(CLIENTS + 50):
        scans.take(replace(event(), client=End(number)))
    assert len(scans._clients) == CLIENTS


def test_labels_that_meet_for_the_first_time_are_new_once() -> None:
    pairs = KnownPairs(["role"], [{"from": {"role": "web"}, "to": {"role": "db"}}])
    assert pairs.is_new(event())
    assert not pairs.is_new(event(port=9))
    assert pairs.event(event()).kind is Kind.NEW_PAIR


def test_without_a_store_no_pair_is_new() -> None:
    assert not KnownPairs(["role"], []).is_new(event())

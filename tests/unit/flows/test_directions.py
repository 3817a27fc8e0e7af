"""What one flow does not tell of its direction, all flows of a window may; else it is said to be a guess."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ringfence.flows.store import FlowStore
from ringfence.flows.window import FlowWindow
from ringfence.model.addresses import address_text
from ringfence.model.flows import Flow

from tests.unit.flows import flow_factory as factory

UDP, NTP = 17, 123
CLOCK, ONE, TWO, THREE = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"


def guess(client: str, server: str, port: int = NTP, **more: object) -> Flow:
    return factory.flow(client, server, port, UDP, direction_by="guess", **more)


def known(client: str, server: str, port: int = NTP, by: str = "first", **more: object) -> Flow:
    return factory.flow(client, server, port, UDP, direction_by=by, **more)


def directions(*flows: Flow) -> list[tuple[str, str, str]]:
    with FlowWindow.of_flows(flows) as window:
        found = sorted((address_text(one.client), address_text(one.server), one.direction_by) for one in window)
        assert len(found) == window.distinct.count
        return found


def test_the_end_with_more_peers_on_the_port_is_the_server() -> None:
    assert directions(guess(CLOCK, ONE), guess(CLOCK, TWO), guess(THREE, CLOCK)) == [
        (ONE, CLOCK, "peers"),
        (TWO, CLOCK, "peers"),
        (THREE, CLOCK, "peers"),
    ]


def test_two_ends_with_as_many_peers_stay_a_guess_and_are_counted() -> None:
    flows = [guess(CLOCK, ONE)]
    assert directions(*flows) == [(CLOCK, ONE, "guess")]
    with FlowWindow.of_flows(flows) as window:
        assert (window.guesses, window.totals()["guesses"]) == (1, 1)


def test_a_known_direction_of_the_pair_is_stronger_than_peers() -> None:
    found = directions(guess(CLOCK, ONE), known(CLOCK, ONE), guess(CLOCK, TWO), guess(CLOCK, THREE))
    assert (CLOCK, ONE, "first") in found  # one flow, its stronger reason
    assert len(found) == 3


def test_an_end_that_is_known_to_serve_the_port_is_the_server() -> None:
    assert (ONE, CLOCK, "known") in directions(guess(CLOCK, ONE), known("192.0.2.1", CLOCK), guess(ONE, TWO))


def test_what_the_source_says_itself_is_known_too() -> None:
    assert (ONE, CLOCK, "") in directions(guess(CLOCK, ONE), known(ONE, CLOCK, by=""))


def test_a_refused_attempt_tells_nothing() -> None:
    scan = known(ONE, CLOCK, by="port", outcome="refused")
    assert (CLOCK, ONE, "guess") in directions(guess(CLOCK, ONE), scan)


def test_evidence_of_another_port_or_protocol_counts_for_nothing() -> None:
    others = (known(ONE, CLOCK, 53), factory.flow(ONE, CLOCK, NTP, 6, direction_by="first"))
    assert (CLOCK, ONE, "guess") in directions(guess(CLOCK, ONE), *others)


@pytest.mark.parametrize("port", [40000, 0])
def test_a_guess_between_other_ports_is_left_alone(port: int) -> None:
    assert (CLOCK, ONE, "guess") in directions(guess(CLOCK, ONE, port), known(ONE, CLOCK, port))


def test_assets_and_counts_turn_with_the_ends(tmp_path: Path) -> None:
    store = FlowStore(tmp_path)
    hosts = factory.snapshot(
        factory.asset("clock", CLOCK), factory.asset("one", ONE), taken=factory.NOON - timedelta(days=1)
    )
    store.add([guess(CLOCK, ONE, connections=3, bytes=7), guess(CLOCK, TWO), guess(CLOCK, THREE)], [hosts])
    with store.window() as window:
        rows = window.rows(f"SELECT client_asset, server_asset, connections, bytes FROM flows WHERE client = '{ONE}'")
        assert rows == [("one", "clock", 3, 7)]
        assert (window.distinct.count, window.guesses) == (3, 0)


def test_the_digest_of_a_window_is_of_what_was_seen_not_of_what_was_decided() -> None:
    def digest(*, asked: bool) -> str:
        with FlowWindow.of_flows([guess(CLOCK, ONE), guess(CLOCK, TWO)]) as window:
            if asked:
                _ = window.distinct
            return window.digest()

    assert digest(asked=True) == digest(asked=False)


@pytest.mark.parametrize(
    ("reasons", "told"),
    [(("first", "port"), "port"), (("guess", "listener"), "listener"), (("guess", "own"), "own"), (("port", ""), "")],
)
def test_of_several_reasons_the_strongest_is_told(reasons: tuple[str, ...], told: str) -> None:
    flows = [
        factory.flow(ONE, TWO, 8443, at=factory.NOON + timedelta(seconds=n), direction_by=reason)
        for n, reason in enumerate(reasons)
    ]
    assert directions(*flows) == [(ONE, TWO, told)]

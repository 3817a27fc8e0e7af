"""What the Explain screen asks: the answers are those of the command, and what is known besides is told apart."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest
from ringfence.model.errors import InputErrors, RingfenceError
from ringfence.model.picture import PolicyState, Sign
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.other_firewalls import keep_reports
from ringfence.operations.picture import PictureRequest, judged_picture
from ringfence.rollout import HostResult
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.assets.detail import DetailRequest
from ringfence_tui.screens.assets.questions import detail
from ringfence_tui.screens.explain.model import Beside, ExplainRequest, completions, foot_rows, head_row
from ringfence_tui.screens.explain.questions import answer, offer, reads, seen, states, take, words
from ringfence_tui.spans import plain

from tests.tui.map_estate import POLICY, drawn
from tests.unit.cli_shop import NOW, data

TELL = Tell(lambda _part: None)
PAIRS = [
    ExplainRequest("web-1", "api-1", "tcp/8443"),
    ExplainRequest("web-1", "db-1", "tcp/6379"),
    ExplainRequest("dev-api-1", "db-1", "tcp/1-65535"),
    ExplainRequest("203.0.113.7", "web-1", "tcp/443"),
    ExplainRequest("10.0.1.3", "8.8.8.8", "icmp"),
    ExplainRequest("api-1", "db-1", "postgresql", "shop-api.service"),
]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineSession:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    return EngineSession(drawn(tmp_path))


def test_the_answers_are_those_of_the_command(session: EngineSession) -> None:
    for request in PAIRS:
        told = data(session.directory, *request.command().split()[1:])
        found = answer(session, request, TELL)
        every = [*told["answers"], *told["other_addresses"]]
        assert len(found.answers) == len(every)
        for one, other in zip(found.answers, every, strict=True):
            assert ("deny" if str(one.sign) == "x" else "allow") == other["verdict"]
            for side, said in zip(one.sides, other["sides"], strict=True):
                assert (side.verdict, side.rule, side.place, side.mode) == (
                    said["verdict"],
                    said["rule"],
                    said["place"] or "",
                    said["mode"] or "",
                )
                assert (str(side.sign) == "!") == said["would_deny"]
            assert one.nearest == (other["nearest"]["rule"] if other["nearest"] else "")


def test_the_rule_that_decides_stands_in_its_tier_and_has_an_id(session: EngineSession) -> None:
    (one,) = answer(session, PAIRS[0], TELL).answers
    assert dict(one.sides[1].tiers)["application"] == "web to api"
    assert len(one.sides[1].rule_id) == 8
    assert ("role", "api", "labels.yml:2") in [(label.key, label.value, label.origin) for label in one.sides[1].labels]


def test_what_other_firewalls_cut_is_in_the_verdict_and_beside_its_end(session: EngineSession) -> None:
    request = PAIRS[5]
    text = "part save legacy 4\n*filter\n:INPUT DROP [0:0]\nCOMMIT\nend\n"
    report = base64.b64encode(zlib.compress(text.encode())).decode()
    keep_reports(session.fresh(), {"db-1": HostResult("db-1", "verified", ok=True, result={"beside": report})})
    found = answer(session, request, TELL)
    head = plain(head_row(found, 0, Beside()))
    assert "ALLOWED by Ringfence, cut by a hand-written policy on db-1" in head
    assert found.answers[0].sides[1].notes[-1].startswith("cut by a hand-written policy on db-1 (iptables (legacy)")
    lines = dict(detail(session, DetailRequest("db-1"), TELL).lines)
    assert lines["beside"].startswith("may cut more: a hand-written policy (iptables (legacy) filter INPUT)")


def test_the_draft_is_told_apart_from_files_and_hosts(session: EngineSession) -> None:
    request = PAIRS[1]
    assert states(session, request, TELL).draft == ()
    assert [line.partition(":")[0] for line in offer(session, request, TELL).lines] == ["name", "from", "to", "allow"]
    assert take(session, request, TELL) == 1
    found = states(session, request, TELL)
    assert found.held == ("~",)
    assert found.draft == ("+",)
    assert str(answer(session, request, TELL).answers[0].sign) == "x"


def test_what_hosts_hold_and_files_say_has_the_sign_that_the_map_has(session: EngineSession) -> None:
    asked = PictureRequest(FlowSelection(), ("app",))
    signs = set()
    with judged_picture(session.estate, asked.flows) as judged:
        shown = judged.at(asked.levels)
        flows = [
            flow
            for edge in shown.edges
            for flow in judged.cell(asked.levels, shown.groups[edge.client], shown.groups[edge.server], 50).flows
        ]
    for flow in flows:
        if flow.refused or flow.port is None:
            continue
        request = ExplainRequest(flow.client.address, flow.server.address, f"tcp/{flow.port}")
        (by_files,) = answer(session, request, TELL).answers
        told = (states(session, request, TELL).held, by_files.sign)
        assert told == ((str(flow.signs[PolicyState.HELD]),), flow.signs[PolicyState.FILES]), request
        signs.update((flow.signs[PolicyState.HELD], by_files.sign))
    assert {Sign.DENIED, Sign.UNDECIDED, Sign.ALLOWED, Sign.NOT_JUDGED} <= signs


def test_a_draft_is_not_changed_read_only(session: EngineSession) -> None:
    with pytest.raises(RingfenceError, match="read-only"):
        take(EngineSession(session.directory, read_only=True), PAIRS[1], TELL)


def test_what_was_seen_is_counted_with_what_was_refused(session: EngineSession) -> None:
    assert [(one.service, one.connections) for one in seen(session, PAIRS[1], TELL)] == [("tcp/6379", 4)]
    refused = seen(session, ExplainRequest("dev-db-1", "db-1", "tcp/22"), TELL)
    assert [(one.refused, one.connections) for one in refused] == [(True, 2)]
    assert seen(session, ExplainRequest("db-1", "web-1", "any"), TELL) == ()
    assert len(seen(session, ExplainRequest("203.0.113.7", "10.0.1.1", "any"), TELL)) == 1


def test_nothing_is_read_of_hosts_that_have_nothing(session: EngineSession) -> None:
    assert reads(session, PAIRS[0], TELL) == ()
    found = answer(session, PAIRS[0], TELL)
    assert "nothing was rolled out" in plain(foot_rows(found, 0, Beside(reads=()))[-1])


def test_a_broken_policy_is_an_error_with_its_place(session: EngineSession) -> None:
    (session.directory / "policy/shop.yml").write_text(POLICY.replace("to: {role: api}", "too: {role: api}"))
    with pytest.raises(InputErrors, match="too"):
        answer(session, PAIRS[0], TELL)


def test_fields_complete_with_names_services_and_processes(session: EngineSession) -> None:
    found = words(session, None, TELL)
    assert completions(found.assets, "dev-") == ("dev-api-1", "dev-db-1", "dev-old-1")
    assert completions(found.services, "tcp/84") == ("tcp/8443",)
    assert completions(found.assets, "nobody") == ()


def test_without_a_question_the_head_says_what_is_missing() -> None:
    assert "a service" in plain(head_row(None, 0, Beside()))

"""Rows of the Simulate screen: they say what `simulate --json` says, at every step down to the single flow."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ringfence.model.errors import InputError
from ringfence.rollout.cancellation import Cancelled
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.simulate.model import KINDS, By, SimulateRequest, SimulateView, flow_sign
from ringfence_tui.screens.simulate.questions import rows

from tests.tui.map_estate import drawn
from tests.unit.cli_shop import NOW, data


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def session(directory: Path, monkeypatch: pytest.MonkeyPatch) -> EngineSession:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    return EngineSession(directory)


def ask(session: EngineSession, request: SimulateRequest) -> SimulateView:
    return rows(session, request, Tell(lambda _part: None))


def test_categories_are_those_of_the_command(directory: Path, session: EngineSession) -> None:
    told = data(directory, "simulate")
    view = ask(session, SimulateRequest())
    assert view.totals == {kind: told["categories"][kind]["flows"] for kind in KINDS}
    assert view.watched == told["would_be_denied"]["flows"]
    assert view.refused == told["refused"]["flows"] == 1
    assert [one.words for one in view.rows] == [kind.replace("_", " ") for kind in KINDS]


@pytest.mark.parametrize("by", [By.RULE, By.PAIR, By.RULESET])
def test_rows_are_those_of_the_command_in_its_order(directory: Path, session: EngineSession, by: By) -> None:
    option = {By.RULE: "by_rule", By.PAIR: "by_labels", By.RULESET: "by_ruleset"}[by]
    told = data(directory, "simulate")[option]
    view = ask(session, SimulateRequest(by))
    assert [one.counts for one in view.rows] == [tuple(one[kind]["flows"] for kind in KINDS) for one in told]


def test_a_step_goes_down_to_the_flows_that_a_row_has_counted(session: EngineSession) -> None:
    request = SimulateRequest(By.PAIR)
    for one in ask(session, request).rows:
        assert one.step is not None
        below = ask(session, request.into(one.step))
        assert below.request.by is By.FLOW
        assert len(below.flows) == sum(one.counts)
        assert tuple(sum(flow.kind == kind for flow in below.flows) for kind in KINDS) == one.counts


def test_an_asset_has_its_own_flows(session: EngineSession) -> None:
    request = SimulateRequest(By.ASSET)
    for one in ask(session, request).rows:
        if one.step is not None:
            flows = ask(session, request.into(one.step)).flows
            assert flows
            assert all(one.words in (flow.client, flow.server) for flow in flows)


def test_the_worst_flow_stands_first_and_says_who_decided(session: EngineSession) -> None:
    flows = ask(session, SimulateRequest(By.FLOW)).flows
    assert [KINDS.index(flow.kind) for flow in flows] == sorted(KINDS.index(flow.kind) for flow in flows)
    denied = flows[0]
    assert str(flow_sign(denied)) == "x"
    assert [one.side for one in denied.sides] == ["from", "to"]
    assert {one.verdict for one in denied.sides} == {"allow", "deny"}


def test_the_command_of_a_row_counts_the_same_flows(directory: Path, session: EngineSession) -> None:
    request = SimulateRequest(By.PAIR)
    step = ask(session, request).rows[0].step
    assert step is not None
    words = request.into(step).command().split()
    assert len(data(directory, *words[1:])["flows"]) == len(ask(session, request.into(step)).flows)


def test_a_pair_is_found_again_after_the_files_changed(session: EngineSession, directory: Path) -> None:
    request = SimulateRequest(By.PAIR)
    found = ask(session, request).rows[-1]
    assert found.step is not None
    labels = directory / "labels.yml"
    text = labels.read_text()
    try:
        labels.write_text(text + "  # another file now\n")
        assert len(ask(session, request.into(found.step)).flows) == sum(found.counts)
    finally:
        labels.write_text(text)


def test_the_files_are_compared_with_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    drawn(tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=k", "-c", "user.email=k@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "before"]):
        subprocess.run([*git, *words], check=True)
    policy = tmp_path / "policy/shop.yml"
    policy.write_text(policy.read_text().replace("allow: tcp/8443", "allow: tcp/9999"))
    session = EngineSession(tmp_path)
    view = ask(session, SimulateRequest(against="HEAD"))
    assert "before" in view.against
    assert view.totals["newly_denied"] == 2
    with pytest.raises(InputError, match="nothing"):
        ask(session, SimulateRequest(against="nothing"))


def test_a_question_that_nobody_waits_for_ends_without_an_answer(session: EngineSession) -> None:
    def stop(_part: object) -> None:
        tell.cancel.cancel()

    tell = Tell(stop)
    with pytest.raises(Cancelled):
        rows(session, SimulateRequest(since="90d"), tell)
    assert ask(session, SimulateRequest(since="90d")).count


def test_steps_lead_out_again_the_way_they_came() -> None:
    request = SimulateRequest()
    from ringfence_tui.screens.simulate.model import Step

    deep = request.into(Step(By.CATEGORY, "newly denied", "newly_denied")).into(Step(By.RULE, "web", "12345678"))
    assert deep.by is By.PAIR
    out = deep.out()
    assert out is not None
    assert (out.by, len(out.steps)) == (By.RULE, 1)
    again = out.out()
    assert again is not None
    assert (again.by, again.steps) == (By.CATEGORY, ())
    assert again.out() is None

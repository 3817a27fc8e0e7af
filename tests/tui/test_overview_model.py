"""What the overview says, and what it proposes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ringfence.model.overview import (
    AssetsSummary,
    DraftSummary,
    EmergenciesSummary,
    EmergencySummary,
    RolloutSummary,
    SourceSummary,
    TrafficSummary,
)
from ringfence.model.picture import Sign, SignCount
from ringfence_tui.ages import age, ago
from ringfence_tui.screens.overview.model import Broken, Findings, Overview, Wrong, taken
from ringfence_tui.screens.overview.next_steps import next_steps
from ringfence_tui.screens.overview.rows import rows
from ringfence_tui.spans import plain

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SCREENS = ("overview", "assets", "map", "rollout", "verify", "check")
ASSETS = AssetsSummary(
    214, 201, (SourceSummary("aws", 131), SourceSummary("onprem", 21, 3, "2026-11-27T12:00:00Z")), 188, {"role": 13}, 2,
    {"nftables": 201}, NOW - timedelta(minutes=4),
)  # fmt: skip


def text(overview: Overview) -> str:
    return "\n".join(plain(one) for one in rows(overview, NOW, 80))


def test_ages_are_short() -> None:
    assert age(NOW - timedelta(minutes=4), NOW) == "4 min"
    assert ago("2026-11-28T12:00:00+00:00", NOW) == "2 d ago"
    assert age("nonsense", NOW) == ""


def test_it_says_sources_with_their_age_and_what_lacks_a_label() -> None:
    shown = text(taken(Overview(), ASSETS))

    assert "aws 131 (4 min)" in shown
    assert "onprem 21 (3 d !)" in shown
    assert "13 without role, 2 contradictions" in shown


def test_a_part_that_cannot_be_had_says_why_and_the_others_stay() -> None:
    wrong = Wrong("policy/shop.yml:6:5", "'allov' is not a key of a rule", "did you mean 'allow'?")
    overview = taken(taken(Overview(), ASSETS), Broken("policy", (wrong,)))

    assert "not known: policy/shop.yml:6:5" in text(overview)
    assert "214" in text(overview)
    assert next_steps(overview, SCREENS, read_only=False)[0].key == "c"


def test_an_error_that_two_parts_meet_is_told_once() -> None:
    wrong = Wrong("labels.yml:2", "no such key")
    overview = taken(taken(Overview(), Broken("policy", (wrong,))), Broken("traffic", (wrong,)))
    overview = taken(overview, Findings((Wrong("hosts.csv:3", "no address", error=False),)))

    assert "1 error, 1 warning" in text(overview)


def test_what_to_do_next_is_the_most_urgent_first_and_leads_to_screens_that_there_are() -> None:
    signs = {Sign.WOULD_BE_DENIED: SignCount(97, 900), Sign.UNDECIDED: SignCount(5, 5)}
    overview = taken(taken(Overview(), ASSETS), TrafficSummary(905, 102, signs, SignCount(), 201, ("db-9",)))
    overview = taken(overview, RolloutSummary(plan="5f3a", plans=1, drifted=(("db-3", "1 open"),)))

    steps = next_steps(overview, SCREENS, read_only=False)
    assert [step.key for step in steps] == ["v", "m", "l", "d", "p", "a"]
    assert steps[1].text == "97 flows would be denied in full mode: see the map"
    overview = taken(overview, DraftSummary(2, ("policy/shop.yml",)))
    assert next_steps(overview, SCREENS, read_only=False)[2].key == "w"
    assert "map" not in {step.screen for step in next_steps(overview, ("assets",), read_only=False)}
    assert "p" not in {step.key for step in next_steps(overview, SCREENS, read_only=True)}


def test_a_plan_is_next_where_there_is_none_or_the_newest_was_not_rolled_out() -> None:
    seen = taken(Overview(), TrafficSummary(905, 102, {}, SignCount(), 201, ()))

    def planned(rollout: RolloutSummary) -> str:
        steps = next_steps(taken(seen, rollout), SCREENS, read_only=False)
        return next((step.text for step in steps if step.key == "p"), "")

    assert "nothing is planned yet" in planned(RolloutSummary())
    assert "plan 5f3a0c1d2e4b waits" in planned(RolloutSummary(plan="5f3a0c1d2e4b", run="r", run_plan="0715fe98"))
    assert planned(RolloutSummary(plan="5f3a0c1d2e4b", run="r", run_plan="5f3a0c1d")) == ""


def test_emergencies_come_first_with_who_holds_them_and_who_may_not() -> None:
    since = int((NOW - timedelta(minutes=5)).timestamp())
    stands = EmergencySummary("quarantine", "q-1a2b3c4d", "web-3", "alice", since, held=12, doubtful=("db-1",))
    over = EmergencySummary("permission", "p-00000001", "", "bob", since, over=True, doubtful=("db-2",))
    lines = text(taken(taken(Overview(), ASSETS), EmergenciesSummary((stands, over)))).splitlines()

    assert (
        lines[0]
        .strip()
        .endswith("quarantine q-1a2b3c4d of web-3, 5 min ago by alice: held by 12 hosts, not known of db-1")
    )
    assert lines[1].strip().endswith("permission p-00000001 5 min ago by bob: ended, but may still be held by db-2")
    assert lines[2].strip().startswith("ASSETS")


def test_of_many_emergencies_the_first_are_named() -> None:
    many = tuple(EmergencySummary("quarantine", f"q-0000000{one}", "web-3", "alice", 0, held=1) for one in range(5))
    assert "and 2 more: ringfence emergencies" in text(taken(Overview(), EmergenciesSummary(many)))

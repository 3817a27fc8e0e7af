"""What verify tells of a host, from the host's reply."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import MOST_TOLD, verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan
from ringfence.enforcers.nftables import render
from ringfence.model.tables import VerdictTable

from tests.rollout_plans import PlanMaker, Wanted
from tests.table_factory import CONTROL, direction_table, service_map, shop_table


class ManyServices(Wanted):
    """A host whose peers have a port each."""

    def table(self) -> VerdictTable:
        """Return the verdict table of sixty peers."""
        return shop_table(direction_table({(f"10.1.0.{n * 2}",): service_map(f"tcp/{n + 1}") for n in range(60)}))


def test_of_very_many_differences_the_gravest_are_told_and_the_rest_is_counted(tmp_path: Path) -> None:
    wanted = ManyServices(control=CONTROL.networks)
    plan = load_plan(str(PlanMaker(tmp_path).write({"web": wanted})))
    host = plan.host("web")
    listing = render(wanted.table()).partition("delete table inet ringfence\n")[2]
    values = {"ruleset": [host.ruleset], "stands": ["confirmed"]}

    proven = verify(plan, host, Reply(values, {"listing": listing}))
    drifted = verify(plan, host, Reply(values, {"listing": listing.replace("hook input", "hook forward")}))

    assert proven["drift"] == proven["differences"] == []
    assert len(drifted["differences"]) > 100
    assert len(drifted["drift"]) == MOST_TOLD + 1
    assert "nothing is enforced inbound" in drifted["drift"][0]
    assert all("is open and should not be" in text for text in drifted["drift"][1:-1])
    assert drifted["drift"][-1] == f"and {len(drifted['differences']) - MOST_TOLD} differences more"


UNITS = Wanted(allow={"web.service": (7000,), None: (1,)})


def said(tmp_path: Path, values: dict[str, list[str]], wanted: Wanted = UNITS, history: str = "") -> list[str]:
    """Return what verify says of a host that answers so."""
    plan = load_plan(str(PlanMaker(tmp_path).write({"web": wanted})))
    host = plan.host("web")
    ours = {"digest": plan.digest, "ruleset": host.ruleset}
    given = {key: [value.format(**ours) for value in found] for key, found in values.items()}
    listing = render(wanted.table()).partition("delete table inet ringfence\n")[2]
    reply = Reply(
        given, {"listing": listing if values.get("table") == ["present"] else "", "history": history.format(**ours)}
    )
    return verify(plan, host, reply)["drift"]  # type: ignore[no-any-return]


HOLDS = {"table": ["present"], "ruleset": ["{ruleset}"], "plan": ["{digest}"], "stands": ["confirmed"]}


def test_a_host_that_says_nothing_of_a_planned_process_is_not_proven(tmp_path: Path) -> None:
    assert said(tmp_path, HOLDS) == ["unknown: this host does not report unit web.service"]
    assert said(tmp_path, {**HOLDS, "no_unit": ["web.service"]}) == []
    assert said(tmp_path, {**HOLDS, "unit": ["stopped web.service units_in_2 in_u0 system.slice/web.service"]}) == []


def test_a_unit_that_starts_or_stops_while_the_kernel_is_read_is_named_and_not_judged(tmp_path: Path) -> None:
    plan = load_plan(str(PlanMaker(tmp_path).write({"web": UNITS})))
    host = plan.host("web")
    listing = render(UNITS.table()).partition("delete table inet ringfence\n")[2]
    values = {"ruleset": [host.ruleset], "stands": ["confirmed"], "table": ["present"]}
    place = "web.service units_in_2 in_u0 system.slice/web.service"

    starts = verify(plan, host, Reply({**values, "unit": [f"changing {place}"]}, {"listing": listing}))
    runs = verify(plan, host, Reply({**values, "unit": [f"runs {place}"]}, {"listing": listing}))

    assert (starts["drift"], runs["not_proven"]) == ([], [])
    assert starts["not_proven"] == ["unit web.service is starting or stopping: its rules are not checked"]
    assert runs["drift"] == ["unit web.service is running but not in units_in_2: its rules do not apply"]


def test_a_kernel_that_does_not_tell_is_unknown_and_proves_nothing(tmp_path: Path) -> None:
    known = {**HOLDS, "no_unit": ["web.service"]}
    (sentence,) = said(tmp_path, {**known, "unknown": ["nft does not tell what is in the kernel"]})
    assert sentence.startswith("unknown: nft does not tell")
    assert "ringfence apply" in sentence
    unlisted = said(tmp_path, {**known, "table": ["unknown"], "unknown": ["nft does not list our table"]})
    assert len(unlisted) == 1
    # nothing at all is no answer either: an empty listing does not say that everything is open
    assert not any("is not there" in sentence for sentence in said(tmp_path, {}))


def test_a_table_that_waits_is_named_with_the_commands_that_end_it(tmp_path: Path) -> None:
    waits = {**HOLDS, "no_unit": ["web.service"], "stands": ["candidate"], "pending_plan": ["{digest}"]}
    (armed,) = said(tmp_path, {**waits, "pending": ["armed"]})
    assert "is waiting for confirmation" in armed
    assert "ringfence confirm" in armed
    (lost,) = said(tmp_path, {**waits, "pending": ["abandoned"]})
    assert "its scheduled rollback is gone" in lost
    assert "ringfence rollback" in lost


def test_a_host_that_lost_its_table_is_open_and_one_that_went_back_says_why(tmp_path: Path) -> None:
    opened = said(tmp_path, {"table": ["absent"], "ruleset": ["{ruleset}"], "plan": ["{digest}"]})
    assert opened[0].startswith("open: ")
    went = "2026-11-24T07:00:00Z timed-out {digest} 1 {ruleset}"
    back = said(tmp_path, {"table": ["absent"]}, history=went)
    assert back[0].startswith("rolled back: ")
    assert "timed-out, 2026-11-24T07:00:00Z" in back[0]
    assert back[1] == "this host holds no plan: it is open"

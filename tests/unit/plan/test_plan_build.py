"""Building plans: the same bytes for the same inputs, what hosts hold, waves, and every refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis.checks import problems
from ringfence.compiler import Compilation
from ringfence.enforcers.nftables import ENFORCER
from ringfence.model.assets import Control
from ringfence.model.errors import InputErrors
from ringfence.model.rules import Peer, Process, Rule
from ringfence.model.selectors import ANY, LabelIn
from ringfence.plan import Circumstances, Held, restore
from ringfence.plan.artefact import digest_of
from ringfence.plan.build import build
from ringfence.plan.preflight import doubts
from ringfence.plan.verdict_table_json import table_of
from ringfence.plan.waves import waves

from tests.unit.plan.plan_estates import CONTROL, INPUTS, NOW, asset, compilation, draft, estate, rule


def held(ruleset: str = "a" * 64, **more: object) -> Held:
    return Held.model_validate({"ruleset": ruleset, "seen": "2026-11-24T06:00:00Z", "sequence": 4, **more})


def test_the_same_inputs_give_the_same_bytes() -> None:
    first, second = draft(), draft(compilation())

    assert first.plan.text == second.plan.text
    assert first.rulesets == second.rulesets
    assert first.tables == second.tables


def test_hosts_with_equal_tables_share_one_ruleset() -> None:
    made = draft()

    assert made.plan.hosts["web-1"] == made.plan.hosts["web-2"]
    assert len(made.rulesets) == len(made.tables) == 2


def test_every_file_is_named_after_its_bytes() -> None:
    made = draft()

    assert all(digest_of(text) == digest for texts in (made.rulesets, made.tables) for digest, text in texts.items())


def test_a_table_read_back_from_its_text_is_the_same_table() -> None:
    compiled = compilation(estate(), rule(process=Process(units=("shop.service",))))

    for table in compiled.distinct():
        assert table_of(table.text()).text() == table.text()


def test_a_plan_expects_what_hosts_are_known_to_hold() -> None:
    now_held = draft().plan.hosts["web-1"].ruleset

    plan = draft(held={"web-1": held(now_held), "db-1": held()}).plan

    assert plan.hosts["web-2"].expects == ""
    assert plan.hosts["db-1"].expects == "a" * 64
    assert plan.changed == ["db-1", "web-2"]


def test_a_plan_names_the_rules_that_decide_with_their_places() -> None:
    assert draft().plan.rules["5f3a9c01"].model_dump() == {"name": "web to db", "place": "policy/shop.yml:3:5"}


def test_a_plan_is_valid_for_the_days_of_the_settings() -> None:
    assert draft().plan.valid_until == "2026-12-01T07:00:00Z"


def test_a_process_rule_brings_the_elements_that_the_target_fills() -> None:
    plan = draft(compilation(estate(), rule(process=Process(units=("shop.service",))))).plan

    assert [one["unit"] for one in plan.hosts["web-1"].runtime] == ["shop.service"]


def refused(compiled: object, **held_by: Held) -> str:
    with pytest.raises(InputErrors) as caught:
        draft(compiled, {name.replace("_", "-"): one for name, one in held_by.items()})  # type: ignore[arg-type]  # a Compilation
    return str(caught.value)


def test_a_workload_without_control_path_is_refused() -> None:
    message = refused(compilation(control=None))

    assert "db-1, web-1, web-2: no control path is known" in message
    assert "ringfence.yml" in message


def test_a_control_port_that_is_not_the_one_ansible_uses_is_refused() -> None:
    odd = asset("odd-1", "10.0.1.9", "web", attributes={"ansible_port": 2222})

    assert "odd-1: Ansible connects to port 2222" in refused(compilation(estate(odd)))


def test_a_host_reached_by_a_family_that_control_lacks_is_refused() -> None:
    odd = asset("odd-1", "fd00::9", "web", attributes={"ansible_host": "fd00::9"})
    compiled = compilation(estate(odd), control=Control(("10.0.0.0/24",)))

    assert "odd-1: Ansible connects by IPv6" in refused(compiled)


def test_a_plan_that_would_cut_the_connection_that_most_hosts_report_is_refused() -> None:
    elsewhere = held(reached_from="192.0.2.1")

    message = refused(compilation(), web_1=elsewhere, web_2=elsewhere)

    assert (
        "web-1, web-2: Ansible came from 192.0.2.1 as the host reports it, which lies outside control.from" in message
    )
    assert "add the network" not in message
    # and no warning says it again for each of them
    assert doubts(compilation(), {"web-1": elsewhere, "web-2": elsewhere}) == []


def test_one_host_that_reports_a_connection_from_elsewhere_is_named_and_stops_no_plan() -> None:
    told = {"web-1": held(reached_from="192.0.2.1")}

    assert sorted(draft(compilation(), told).plan.hosts) == ["db-1", "web-1", "web-2"]
    (doubt,) = doubts(compilation(), told)
    assert doubt.message.startswith("web-1: Ansible came from 192.0.2.1 as the host reports it")
    assert "control.from" in str(doubt.remedy)
    assert "add the network" not in str(doubt.remedy)


OLD = held(features={"nft": "0.9.8", "kernel": "5.10.0", "socket_cgroup": False})
OF_A_UNIT = compilation(estate(), rule(process=Process(units=("shop.service",))))


@pytest.mark.parametrize(
    ("features", "why"),
    [
        ({"nft": "0.9.8", "kernel": "5.10.0", "socket_cgroup": False}, "units cannot be matched, nft 0.9.8"),
        ({"nft": "0.0.0", "kernel": "9" * 5000, "cgroup2": False}, "nft 0.0.0 is older than 0.9.3"),
    ],
)
def test_a_host_that_says_it_cannot_take_its_table_is_left_out_by_name_and_the_others_are_planned(
    features: dict[str, object], why: str
) -> None:
    plan = draft(OF_A_UNIT, {"web-1": held(features=features)}).plan

    assert sorted(plan.hosts) == ["db-1", "web-2"]
    assert plan.left_out["web-1"].startswith(f"it says of itself: {why}")


def test_a_host_that_cannot_match_units_still_gets_a_table_without_any() -> None:
    assert "web-1" in draft(compilation(), {"web-1": OLD}).plan.hosts


def test_a_host_that_tells_nothing_of_what_it_can_is_planned_like_one_that_was_never_asked() -> None:
    assert "web-1" in draft(OF_A_UNIT, {"web-1": held(features={})}).plan.hosts


def test_a_host_that_a_silent_source_no_longer_names_is_not_dropped() -> None:
    message = refused(compilation(estate(without=("web-2",))), web_2=held())

    assert "1 host that is enforced on would be dropped: no source names them any more: web-2" in message
    assert "--drop" in message


def test_a_host_may_be_dropped_where_that_is_said() -> None:
    compiled = compilation(estate(without=("web-2",)))
    given_up = Circumstances(INPUTS, 1, NOW, {"web-2": held()}, dropped=("web-2",))

    plan = build(compiled, lambda _name: ENFORCER, given_up).plan

    assert "web-2" not in plan.hosts
    assert plan.left_out["web-2"].startswith("it is not in the inventory")


def test_a_workload_without_address_is_left_out_and_named() -> None:
    plan = draft(compilation(estate(asset("off-1", "10.0.1.9", "web", addresses=())))).plan

    assert plan.left_out == {"off-1": "it has no address"}


@pytest.mark.parametrize(
    "name", ["web\n1", "web 1", "a:b", "a,b", "!web-1", "web*", "web[1]", "~web", "@file", "all", "-v"]
)
def test_a_name_that_means_something_else_to_ansible_is_left_out_and_named(name: str) -> None:
    plan = draft(compilation(estate(asset(name, "10.0.1.9", "web")))).plan

    assert sorted(plan.hosts) == ["db-1", "web-1", "web-2"]
    assert plan.left_out[name].startswith(f"Ansible cannot be asked for a host called {name!a}")


@pytest.mark.parametrize("name", ["10.0.1.9", "fd00::9", "web-9.example", "sträßle", "web_9"])
def test_a_name_that_ansible_takes_for_a_name_is_planned(name: str) -> None:
    assert name in draft(compilation(estate(asset(name, "10.0.1.9", "web")))).plan.hosts


def test_a_workload_whose_enforcer_is_not_installed_is_left_out_and_named() -> None:
    compiled = compilation(estate(asset("win-1", "10.0.1.9", "web", enforcer="windows"))).enforced({"nftables"})

    plan = draft(compiled).plan

    assert sorted(plan.hosts) == ["db-1", "web-1", "web-2"]
    assert plan.left_out == {"win-1": "no enforcer is called 'windows'"}
    (warning,) = problems(compiled)
    assert warning.message == "no enforcer is called 'windows', so nothing is enforced on win-1"


def test_a_host_that_is_enforced_on_is_not_left_out_for_its_enforcer() -> None:
    compiled = compilation(estate(asset("win-1", "10.0.1.9", "web", enforcer="windows"))).enforced({"nftables"})

    message = refused(compiled, win_1=held())

    assert "1 host that is enforced on would be dropped: no enforcer is called 'windows': win-1" in message


BASTION = asset("bastion-1", "10.0.1.5", "bastion", control=CONTROL)
SESSIONS = replace(
    rule("sessions", "ssh"), sources=(Peer(LabelIn("role", ("bastion",))),), destinations=(Peer(ANY),), id="5f3a9c02"
)


def behind(*networks: str, rules: tuple[Rule, ...] = ()) -> Compilation:
    return compilation(estate(BASTION), rule(), *rules, control=Control(networks))


def test_a_plan_that_keeps_the_bastion_from_the_hosts_behind_it_is_refused() -> None:
    with pytest.raises(InputErrors) as refused:
        draft(behind("10.0.1.5"))

    assert str(refused.value).startswith(
        "db-1, web-1, web-2: Ansible comes from 'bastion-1' (10.0.1.5), which this policy does not let out to tcp/22"
    )


@pytest.mark.parametrize(
    "open_way",
    [
        behind("10.0.1.5", rules=(SESSIONS,)),
        behind("10.0.1.5", "10.0.9.9"),
        behind("10.0.1.0/28"),
    ],
    ids=["the policy lets it", "another way in", "a network, not a host"],
)
def test_hosts_behind_a_bastion_are_planned_where_a_way_in_is_left(open_way: Compilation) -> None:
    assert len(draft(open_way).plan.hosts) == 4


def test_a_host_s_own_control_path_wins() -> None:
    own = Control(("192.0.2.0/24",), 2222)
    odd = asset("odd-1", "10.0.1.9", "web", control=own, attributes={"ansible_port": 2222})

    plan = draft(compilation(estate(odd))).plan

    assert plan.hosts["odd-1"].control.model_dump() == {"networks": ["192.0.2.0/24"], "port": 2222}
    assert plan.hosts["web-1"].control.networks == list(CONTROL.networks)


def test_the_canary_is_a_host_that_changes() -> None:
    texts = draft().plan.hosts
    plan = draft(held={name: held(texts[name].ruleset) for name in ("db-1", "web-1")}).plan

    assert plan.waves[0] == ["web-2"]


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=4), st.sampled_from("xyz"), max_size=30),
    st.sets(st.text("abc", min_size=1, max_size=4)),
    st.lists(st.integers(1, 9), max_size=3),
)
def test_waves_hold_every_host_once_and_those_that_change_first(
    tables: dict[str, str], changed: set[str], sizes: list[int]
) -> None:
    made = waves(tables, frozenset(changed), sizes)
    order = [host for wave in made for host in wave]

    assert sorted(order) == sorted(tables)
    assert all(made)
    first_unchanged = next((index for index, host in enumerate(order) if host not in changed), len(order))
    assert not changed & set(order[first_unchanged:])
    assert [len(wave) for wave in made[: len(sizes)]][:-1] == sizes[: max(len(made[: len(sizes)]) - 1, 0)]


def test_a_restored_plan_gives_what_the_earlier_one_gave_and_expects_what_is_held_now() -> None:
    old = draft()
    given_now = Circumstances(INPUTS, 9, NOW, {"web-1": held()})

    made = restore(old.plan, old, given_now, 7, (1,))

    assert made.plan.restores == old.plan.digest
    assert made.plan.sequence == 9
    assert {name: host.ruleset for name, host in made.plan.hosts.items()} == {
        name: host.ruleset for name, host in old.plan.hosts.items()
    }
    assert made.plan.hosts["web-1"].expects == "a" * 64

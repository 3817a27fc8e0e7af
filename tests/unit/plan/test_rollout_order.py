"""Which host a rollout begins with and why, and which come last: by labels, and by what others hang on."""

from __future__ import annotations

from functools import partial

import pytest
from ringfence.compiler import compile_policy
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.rules import Policy, Settings
from ringfence.model.selectors import AssetNamed, LabelIn, Not, Selector
from ringfence.plan import Circumstances, Draft, Plan, restore
from ringfence.plan.build import build
from ringfence.plan.rollout_order import rollout_order

from tests.unit.plan import plan_estates as estates

CONTROL = estates.CONTROL


def host(name: str, address: str, **given: object) -> Asset:
    labels = {key: Label(str(value), "inventory") for key, value in given.items() if key in ("role", "env", "app")}
    more = {key: value for key, value in given.items() if key.startswith("ansible_")}
    return Asset(name, (point_of(address),), labels, attributes=more)


def estate(*assets: Asset) -> Snapshot:
    return Snapshot(tuple(sorted(assets, key=lambda one: one.name)), estates.NOW)


def planned(*assets: Asset, canary: Selector | None = None, control: Control = CONTROL) -> Plan:
    settings = Settings(control=control, waves=(1, 2), canary=canary)
    compiled = compile_policy(estate(*assets), Policy(rules=(estates.rule(),)), settings)
    # The order alone is looked at here, not whether the bastion gets in.
    given = Circumstances(estates.INPUTS, 1, estates.NOW, force_lockout=True)
    made: Draft = build(compiled, lambda _name: estates.ENFORCER, given)
    return made.plan


WEB = [host(f"web-{number}", f"10.0.1.{number}", role="web", env="prod") for number in (1, 2)]
DEV = [host(f"dev-{number}", f"10.0.2.{number}", role="web", env="dev") for number in (1, 2)]


def test_the_canary_is_never_a_bastion_a_control_host_or_the_only_host_of_its_role() -> None:
    bastion = host("a-bastion", "10.0.1.9", role="web")
    behind = host("web-3", "10.0.1.3", role="web", ansible_ssh_common_args="-o ProxyJump=admin@a-bastion:2222")
    control = host("a-control", "10.0.0.7", role="web")
    single = host("a-single", "10.0.1.8", role="db")

    plan = planned(bastion, control, single, behind, *WEB)

    assert plan.canary is not None
    assert plan.canary.host == plan.waves[0][0] == "web-1"
    assert plan.canary.why == "no other host is reached through it, and it is not the only one of its role"
    assert sorted(plan.waves[-1]) == ["a-bastion", "a-control"]
    assert sorted(name for wave in plan.waves for name in wave) == sorted(plan.hosts)


@pytest.mark.parametrize(
    "arguments",
    [
        {"ansible_ssh_common_args": "-J a-bastion"},
        {"ansible_ssh_common_args": "-Ja-bastion"},
        {"ansible_ssh_extra_args": "-o 'ProxyJump hop.example.org,admin@10.0.1.9:22'"},
        {"ansible_ssh_args": '-o ProxyCommand="ssh -W %h:%p -q admin@a-bastion.example.org"'},
        {"ansible_paramiko_proxy_command": "nc -X 5 -x 10.0.1.9:1080 %h %p"},
        {"ansible_ssh_common_args": "-o ProxyJump={{ hostvars['a-bastion'].ansible_host }}"},
        {"ansible_ssh_common_args": "-o ProxyJump=jump.example.net"},
    ],
)
def test_a_bastion_is_known_by_the_ssh_arguments_of_the_hosts_behind_it(arguments: dict[str, str]) -> None:
    bastion = host("a-bastion", "10.0.1.9", role="web", ansible_host="jump.example.net")
    behind = host("web-3", "10.0.1.3", role="web", **arguments)

    plan = planned(bastion, behind, *WEB)

    assert plan.waves[0] == ["web-1"]
    assert plan.waves[-1] == ["a-bastion"]


@pytest.mark.parametrize("arguments", ["-J jump.example.org", "-o ProxyCommand='nc -x :1080 %h %p'"])
def test_a_host_without_ansible_host_is_no_bastion_because_of_one_that_the_inventory_does_not_have(
    arguments: str,
) -> None:
    behind = host("web-3", "10.0.1.3", role="web", ansible_ssh_common_args=arguments)

    order = rollout_order(estate(*WEB, behind), Settings(control=CONTROL), {"web-1": True, "web-2": True})

    assert (order.ranked, order.last) == (("web-1", "web-2"), {})


def test_the_controller_itself_comes_last() -> None:
    assert planned(host("a", "10.0.1.9", role="web", ansible_connection="local"), *WEB).waves[-1] == ["a"]


def test_a_host_that_is_this_machine_comes_last() -> None:
    given = {one.name: True for one in WEB}
    order = rollout_order(estate(*WEB), Settings(control=CONTROL), given, here=[point_of("10.0.1.1")])
    assert (order.ranked[0], order.last) == ("web-2", {"web-1": "it is the controller"})


def test_a_control_network_that_holds_most_of_the_estate_says_nothing_of_a_host() -> None:
    wide = Control(("10.0.0.0/8", "10.0.1.2"))
    plan = planned(*WEB, *DEV, control=wide)
    assert plan.waves[-1] == ["web-2"], "the single address is the one that Ansible comes from"


def test_labels_choose_the_canary_and_the_plan_says_so() -> None:
    plan = planned(*WEB, *DEV, canary=LabelIn("env", ("prod",)))
    assert plan.canary is not None
    assert (plan.canary.host, plan.canary.why) == ("web-1", "waves.canary chooses it")
    assert planned(*WEB, *DEV).waves[0] == ["dev-1"]


def test_a_choice_that_meets_no_host_is_told_and_the_default_holds() -> None:
    plan = planned(*WEB, canary=LabelIn("env", ("stage",)))
    assert plan.canary is not None
    assert plan.canary.host == "web-1"
    assert plan.canary.why.startswith("waves.canary chooses no host that changes; ")


def test_a_person_may_choose_a_bastion_and_among_several_none_is_taken() -> None:
    bastion = host("a-bastion", "10.0.0.7", role="web", env="dev")
    assert planned(bastion, *WEB, canary=AssetNamed("a-bastion")).waves[0] == ["a-bastion"]
    assert planned(bastion, *DEV, *WEB, canary=LabelIn("env", ("dev",))).waves[0] == ["dev-1"]
    assert planned(bastion, *WEB, canary=Not(LabelIn("env", ("prod",)))).waves == [["a-bastion"], ["web-1", "web-2"]]


def test_a_bastion_that_a_person_chose_is_called_one_and_not_the_best() -> None:
    bastion = host("a-bastion", "10.0.0.7", role="web")
    plan = planned(bastion, *WEB, canary=AssetNamed("a-bastion"))
    assert plan.canary is not None
    assert plan.canary.why == "waves.canary chooses it, although Ansible comes from it (10.0.0.0/24)"


def test_a_lone_host_is_the_canary_because_there_is_no_other() -> None:
    plan = planned(host("web-1", "10.0.1.1"))
    assert plan.canary is not None
    assert plan.canary.why == "it is the only host that changes"


def test_where_no_host_is_without_a_drawback_the_least_bad_is_taken_and_why_is_said() -> None:
    only = [host("db-1", "10.0.1.3", role="db"), host("api-1", "10.0.1.4", role="api")]
    plan = planned(*only)
    assert plan.canary is not None
    assert plan.canary.host == "api-1"
    assert plan.canary.why == "no other host is better, although it is the only host of role=api"

    controls = planned(host("a", "10.0.0.7"), host("b", "10.0.0.8"), control=Control(("10.0.0.7", "10.0.0.8")))
    assert controls.waves == [["a"], ["b"]]
    assert controls.canary is not None
    assert "Ansible comes from it (10.0.0.7)" in controls.canary.why


def test_hosts_without_a_role_are_told_apart_by_all_their_labels() -> None:
    plan = planned(
        host("a", "10.0.1.1", app="one"), *(host(n, f"10.0.1.{i}", app="two") for i, n in enumerate("bc", 2))
    )
    assert plan.waves[0] == ["b"]


def test_the_order_is_the_same_whatever_order_the_assets_come_in() -> None:
    assets = [*WEB, *DEV, host("a-control", "10.0.0.7", role="web")]
    given = {one.name: True for one in assets}
    settings = Settings(control=CONTROL)
    one, other = (rollout_order(Snapshot(tuple(some), estates.NOW), settings, given) for some in (assets, assets[::-1]))
    assert (one.ranked, one.canary, set(one.last)) == (other.ranked, other.canary, set(other.last))


def test_a_restored_plan_names_its_canary_by_the_assets_of_now() -> None:
    old = estates.draft()
    now = estates.estate(estates.asset("a-web", "10.0.1.9", "web"))
    settings = Settings(control=CONTROL, canary=LabelIn("role", ("db",)))
    given = Circumstances(estates.INPUTS, 9, estates.NOW)
    made = restore(old.plan, old, given, 7, (1, 2), partial(rollout_order, now, settings)).plan
    assert made.canary is not None
    assert (made.canary.host, made.waves[0]) == ("db-1", ["db-1"])


def test_a_plan_from_before_canaries_were_named_keeps_its_digest() -> None:
    plan = estates.draft().plan
    bare = without_canary(plan)
    assert "canary" not in bare.text
    assert Plan.model_validate_json(bare.text).digest == bare.digest != plan.digest


def without_canary(plan: Plan) -> Plan:
    return Plan.model_validate({**plan.model_dump(by_alias=True), "canary": None})

from __future__ import annotations

from dataclasses import replace

import pytest
from ringfence.compiler import Compilation
from ringfence.model.assets import Asset, Control
from ringfence.model.errors import InputErrors
from ringfence.model.rules import Direction, Peer, Rule
from ringfence.model.selectors import ANY, AssetNamed
from ringfence.plan import Held

from tests.unit.plan.plan_estates import asset, compilation, draft, estate, rule

CONTROL = Control(("10.0.0.0/24",), 22)
BASTION = asset("bastion-1.example.org", "10.0.1.5", "bastion", attributes={"ansible_host": "jump.example.net"})
INNER = asset("inner-1", "10.0.1.6", "bastion")


def behind(arguments: str, key: str = "ansible_ssh_common_args") -> Asset:
    return asset("app-1", "10.0.1.9", "app", attributes={key: arguments})


def ssh_from(name: str) -> Rule:
    sessions = rule(f"sessions of {name}", "ssh")
    return replace(sessions, sources=(Peer(AssetNamed(name)),), destinations=(Peer(ANY),), id=name.encode().hex()[:8])


def planned(app: Asset, *rules: Rule, control: Control = CONTROL, bastion: Asset = BASTION) -> Compilation:
    return compilation(estate(bastion, INNER, app), rule(), *rules, control=control)


def refused(compiled: Compilation) -> str:
    with pytest.raises(InputErrors) as error:
        draft(compiled)
    return "\n".join(f"{one.message} -> {one.remedy}" for one in error.value.errors)


@pytest.mark.parametrize(
    "app",
    [
        behind("-J bastion-1"),
        behind("-Jadmin@bastion-1.example.org:22"),
        behind("-C -o ControlMaster=auto -o ProxyJump=jump.example.net", "ansible_ssh_args"),
        behind("-o 'ProxyJump ssh://10.0.1.5:22'", "ansible_ssh_extra_args"),
        behind('-o ProxyCommand="/usr/bin/ssh -q -i /etc/key -W %h:%p admin@bastion-1"'),
        behind("ssh -W %h:%p -p 22 10.0.1.5", "ansible_paramiko_proxy_command"),
        behind("-J Bastion-1.Example.ORG."),
        behind("-J JUMP.example.net"),
        behind("-J ::ffff:10.0.1.5"),
        behind('-o ProxyCommand="exec ssh ssh://admin@bastion-1:22 -W %h:%p"'),
    ],
)
def test_a_plan_is_refused_whose_control_path_does_not_let_the_jump_host_in(app: Asset) -> None:
    told = refused(planned(app, ssh_from("bastion-1.example.org")))

    assert told == (
        "app-1: Ansible comes through 'bastion-1.example.org' (10.0.1.5), which lies outside control.from "
        "(10.0.0.0/24): the way in would be cut -> "
        "add the address from which 'bastion-1.example.org' reaches the hosts behind it to control.from"
    )


def test_a_jump_host_inside_a_network_of_the_control_path_must_be_let_out() -> None:
    inside = Control(("10.0.0.0/16",), 22)
    told = refused(planned(behind("-J bastion-1"), control=inside))

    assert told == (
        "app-1: Ansible comes through 'bastion-1.example.org', which this policy does not let out to tcp/22 there -> "
        "add a rule: allow tcp/22 from 'bastion-1.example.org' to the hosts that Ansible reaches from it"
    )
    assert draft(planned(behind("-J bastion-1"), ssh_from("bastion-1.example.org"), control=inside)).plan.hosts


def test_every_jump_host_of_a_chain_must_be_let_out_and_into_the_next() -> None:
    chain = behind("-J bastion-1,inner-1:2222")
    path = Control(("10.0.0.0/24", "10.0.1.6"), 22)
    every = ssh_from("bastion-1.example.org"), ssh_from("inner-1")
    at_2222 = replace(every[0], services=rule(service="tcp/2222").services)

    closed = [refused(planned(chain, *rules, control=path)) for rules in ((every[1],), every)]
    assert all(
        "through 'bastion-1.example.org', which this policy does not let out to tcp/2222" in one for one in closed
    )
    assert "through 'inner-1', which this policy does not let out to tcp/22 " in refused(
        planned(chain, at_2222, control=path)
    )
    only_out = replace(at_2222, sides=frozenset({Direction.OUT}))
    assert "to 'inner-1', which this policy does not let it into at tcp/2222" in refused(
        planned(chain, only_out, every[1], control=path)
    )
    assert draft(planned(chain, at_2222, every[1], control=path)).plan.hosts


def test_a_jump_host_that_no_asset_is_must_lie_in_the_control_path_where_its_address_is_known() -> None:
    told = refused(planned(behind("-J admin@192.0.2.9:2222")))

    assert "app-1: Ansible comes through 192.0.2.9, which lies outside control.from" in told
    assert draft(planned(behind("-J 10.0.0.9"))).plan.hosts


@pytest.mark.parametrize(
    "arguments",
    [
        "-J hop.example.org",
        "-o ProxyJump=none",
        "-o ProxyCommand='nc -x 10.0.1.5:1080 %h %p'",
        "-o ProxyJump={{ groups.bastions[0] }}",
        "-o User=bastion-1 -i bastion-1",
        "-J app-1",
        "-J bastion-1.example.com",
        "-J jump.example.org",
        "-o ProxyCommand=none -J bastion-1",
    ],
)
def test_a_way_that_nobody_can_judge_stops_no_plan(arguments: str) -> None:
    assert draft(planned(behind(arguments))).plan.hosts


def test_a_jump_host_that_no_policy_is_enforced_on_is_reached_from_where_ansible_comes_from() -> None:
    controller = asset("controller-1", "10.0.1.5", "admin")
    hop = asset("hop-1", "10.0.1.7", "bastion", workload=False)
    estate_ = estate(controller, hop, behind("-J hop-1"), without=("db-1", "web-1", "web-2"))
    path = Control(("10.0.1.5", "10.0.1.7"), 22)

    told = refused(compilation(estate_, rule(), control=path))

    assert "app-1: Ansible comes from 'controller-1' (10.0.1.5), which this policy does not let out to tcp/22" in told


def test_two_assets_of_one_short_name_are_no_jump_host_that_anybody_can_judge() -> None:
    other = asset("bastion-1.example.net", "10.0.1.8", "bastion")
    assert draft(compilation(estate(BASTION, other, behind("-J bastion-1")), rule(), control=CONTROL)).plan.hosts


def test_the_address_from_which_a_host_saw_ansible_come_may_be_that_of_a_nat_before_the_jump_host() -> None:
    compiled = planned(behind("-J bastion-1"), ssh_from("bastion-1.example.org"))

    assert draft(compiled, {"app-1": Held(seen="2026-11-24T07:00:00Z", reached_from="10.0.0.9")}).plan.hosts


@pytest.mark.parametrize("port", ["0", "65536", "9" * 5000, "٣"])
def test_a_port_of_a_jump_host_that_is_none_ends_no_command(port: str) -> None:
    for arguments in (f"-J bastion-1:{port}", f"-o ProxyCommand='ssh -p {port} bastion-1 -W %h:%p'"):
        assert "which lies outside control.from" in refused(planned(behind(arguments), ssh_from(BASTION.name)))


def test_no_jump_host_in_the_first_arguments_that_ssh_gets_is_none_whatever_the_others_say() -> None:
    app = behind("-J bastion-1")
    without = replace(app, attributes={**app.attributes, "ansible_ssh_args": "-o ProxyJump=none"})
    assert draft(planned(without)).plan.hosts


def test_an_asset_is_the_jump_host_whose_name_is_spelled_as_its_own_before_one_that_differs_in_case() -> None:
    upper = asset("BASTION-1.example.org", "10.0.0.8", "bastion")
    compiled = compilation(
        estate(BASTION, upper, behind("-J BASTION-1.example.org")), rule(), ssh_from(upper.name), control=CONTROL
    )
    assert draft(compiled).plan.hosts

"""Twenty cells and twenty flows of drawn estates say what `simulate --json` and `explain --json` say."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from ringfence.analysis.picture import JudgedPicture
from ringfence.estate import Estate
from ringfence.model.picture import PictureFlow, PolicyState, Sign
from ringfence.operations.explain import explain
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.picture import judged_picture
from ringfence.operations.simulate import simulate

from tests.unit.analysis.told_signs import sign_of
from tests.unit.cli_shop import shop

FILES = PolicyState.FILES
SEEDS = (1, 2, 3, 4)
LEVELS = ("env", "role")
ENVS, ROLES, PORTS = ("prod", "dev"), ("web", "api", "db"), (22, 80, 443, 5432, 8443)
HOSTS = {
    f"{env}-{role}-{number}": (f"10.{ENVS.index(env)}.{ROLES.index(role)}.{number}", env, role)
    for env in ENVS
    for role in ROLES
    for number in (1, 2)
}
PEERS = ("any", "internet", "{list: partners}", "{cidr: 10.9.0.0/16}", "{env: dev}", "{role: [web, api]}", "{role: db}")
UNITS = ("", "", "", ", process: {unit: api.service}")
SERVICES = ("tcp/8443", "postgresql", "[ssh, https]", "tcp", "any")
MODES = (
    "full",
    "observe",
    "selective",
    "{inbound: selective, outbound: observe}",
    "{inbound: full, outbound: selective}",
)


def drawn_policy(chance: random.Random) -> str:
    """Return a policy with denials, tiers, lists, units and modes."""
    text = "lists: {partners: [203.0.113.0/24, 10.8.0.0/16]}\n"
    for tier, actions in (("emergency", ["deny"]), ("guardrail", ["deny", "pass"]), ("application", ["allow", "deny"])):
        text += f"---\ntier: {tier}\nrules:\n"
        for number in range(1 if tier == "emergency" else 5):
            ends = [chance.choice(PEERS), f"{{role: {chance.choice(ROLES)}}}"]
            source, destination = ends if chance.random() < 0.8 else ends[::-1]
            if source.startswith("{role"):
                source = source[:-1] + chance.choice(UNITS) + "}"
            said = f"from: {source}, to: {destination}, {chance.choice(actions)}: {chance.choice(SERVICES)}"
            text += f"  - {{name: {tier} {number}, {said}}}\n"
    where = ["{env: dev}", "{role: web}", "any"]
    return text + "---\nenforce:\n" + "".join(f"  - {{where: {one}, mode: {chance.choice(MODES)}}}\n" for one in where)


def drawn_flows(chance: random.Random) -> str:
    ends = [*(address for address, _, _ in HOSTS.values()), "203.0.113.9", "10.9.1.1", "10.8.8.8"]
    rows = {
        (*chance.sample(ends, 2), chance.choice(PORTS), chance.choice(["answered", "answered", "answered", "refused"]))
        for _ in range(150)
    }
    lines = [
        f"{client},{server},{port},tcp,{1 + number},2026-11-24T06:00:00Z,{outcome}"
        for number, (client, server, port, outcome) in enumerate(sorted(rows))
    ]
    return "\n".join(["client,server,port,protocol,connections,first_seen,outcome", *lines, ""])


@pytest.fixture(scope="module", params=SEEDS)
def estate(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Estate:
    chance = random.Random(request.param)
    hosts = "".join(
        f"    {name}: {{ansible_host: {address}, ringfence_labels: {{env: {env}, role: {role}}}}}\n"
        for name, (address, env, role) in HOSTS.items()
    )
    changed = {
        "labels.yml": "labels: []\n",
        "inventory/hosts.yml": f"all:\n  hosts:\n{hosts}",
        "policy/shop.yml": drawn_policy(chance),
        "policy/tests/shop.yml": "tests: []\n",
        "flows.csv": drawn_flows(chance),
    }
    return Estate(shop(tmp_path_factory.mktemp("drawn"), changed))


@pytest.fixture(scope="module")
def judged(estate: Estate) -> Iterator[JudgedPicture]:
    with judged_picture(estate, FlowSelection([estate.directory / "flows.csv"])) as found:
        yield found


def every(judged: JudgedPicture) -> dict[tuple[str, ...], list[PictureFlow]]:
    """Return the judged flows of every cell, by the labels of its ends."""
    picture = judged.at(LEVELS)
    found = {}
    for edge in picture.edges:
        ends = picture.groups[edge.client], picture.groups[edge.server]
        key = tuple(" ".join(str(value) for value in group.labels) or group.kind for group in ends)
        found[key] = [one for one in judged.cell(LEVELS, *ends, limit=10_000).flows if not one.refused]
    return found


def test_cells_have_the_counts_of_the_simulation(estate: Estate, judged: JudgedPicture) -> None:
    with simulate(estate, FlowSelection([estate.directory / "flows.csv"])) as simulated:
        told = {(one["client"], one["server"], one["port"]): one for one in simulated.flows()}
        refused = simulated.simulation.data()["refused"]
    cells = every(judged)
    assert len([key for key, flows in cells.items() if flows]) >= 20
    seen = Counter(sign_of(told[one.client.address, one.server.address, one.port]) for f in cells.values() for one in f)
    picture = judged.at(LEVELS)
    assert {sign: count.flows for sign, count in picture.totals[FILES].items()} == dict(seen)
    assert len(seen) >= 3
    assert {"flows": picture.refused.flows, "connections": picture.refused.connections} == refused
    for flows in cells.values():
        for one in flows:
            plain = told[one.client.address, one.server.address, one.port]
            assert one.signs[FILES] is sign_of(plain)
            assert one.connections == plain["connections"]
    assert sum(map(len, cells.values())) == len(told)


def test_flows_have_the_verdict_and_the_rules_of_their_explanation(estate: Estate, judged: JudgedPicture) -> None:
    known = [one for flows in every(judged).values() for one in flows if one.signs[FILES] is not Sign.NOT_JUDGED]
    for one in random.Random(1).sample(known, 20):
        said = explain(estate, one.client.address, one.server.address, f"tcp/{one.port}").data()
        assert (said["verdict"] == "deny") == (one.signs[FILES] is Sign.DENIED), said
        sides = said["sides"]
        assert isinstance(sides, list)
        deciding = [side for side in sides if side["verdict"] == "deny" or said["verdict"] == "allow"]
        names = {rule.id: rule.name for rule in estate.workspace.policy.rules}
        rules = {names.get(rule, rule).replace("built-in:", "built in:") for rule in one.rules[FILES]}
        assert rules == {side["rule"] for side in deciding if not side["rule"].startswith("no workload")}
        assert (one.signs[FILES] is Sign.WOULD_BE_DENIED) == (
            said["verdict"] == "allow" and any(side["would_deny"] for side in sides)
        )

"""Containers of a real Docker and a real Podman are enforced on by their host, whatever addresses they come back to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Rule
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service

from tests.container_host import HOST, OUTSIDE, ContainerHost
from tests.sources.container_engine import ENGINES, missing_tools
from tests.unit.enforcers.containers import PLACE

pytestmark = pytest.mark.lab
CLIENT_TO_WEB = ("client", "web", "tcp/80")
LINES = (CLIENT_TO_WEB, ("web", "app", "tcp/8080"), ("app", "db", "tcp/5432"), ("app", "client", "tcp/9"))
CONTAINERS = ("db", "app", "web")
# What the kernel keeps of Docker's and Podman's own, without its counters.
OWN = "for tool in iptables ip6tables; do $tool-save | grep -v '^#' | sed 's/\\[[0-9]*:[0-9]*\\]//'; done"


def policy(*lines: tuple[str, str, str], mode: Mode = Mode.FULL) -> Policy:
    """Return a policy of lines `from, to, service` between roles."""
    rules = tuple(
        Rule(
            id=f"{number:08x}",
            name=f"{source} to {destination}",
            place=PLACE,
            sources=(Peer(LabelIn("role", (source,))),),
            destinations=(Peer(LabelIn("role", (destination,))),),
            action=Action.ALLOW,
            services=parse_service(service),
        )
        for number, (source, destination, service) in enumerate(lines)
    )
    return Policy(rules=rules, enforcement=(Enforcement(ANY, mode, mode, PLACE),))


@pytest.fixture(scope="module", params=ENGINES)
def held(request: pytest.FixtureRequest) -> Iterator[ContainerHost]:
    """A host of three containers on two bridges: db behind, app on both, web in front and published."""
    if missing_tools(request.param):
        pytest.skip(f"not there: {', '.join(missing_tools(request.param))}")
    directory = Path(tempfile.mkdtemp(prefix="rf-held-"))
    host = None
    try:
        host = ContainerHost(request.param, directory)
        host.start("db", "back", port=5432)
        host.start("app", "front", "back", port=8080)
        host.start("web", "front", "back", port=80, published=8080)
        yield host
    finally:
        if host is not None:
            host.end()
        shutil.rmtree(directory, ignore_errors=True)


def published(host: ContainerHost) -> bool:
    """Whether the client gets an answer of the published port."""
    return host.reaches("client", f"{OUTSIDE}.1", 8080)


def between(host: ContainerHost) -> dict[str, bool]:
    """Return which containers get answers of which, and what their host gets."""
    app, db = host.address("app", "front"), host.address("db", "back")
    pairs = {"web app": (app, 8080), "app db": (db, 5432), "web db": (db, 5432), f"{HOST} db": (db, 5432)}
    return {pair: host.reaches(pair.split()[0], *at) for pair, at in pairs.items()}


WANTED = {"web app": True, "app db": True, "web db": False, f"{HOST} db": False}


def test_a_published_port_is_closed_by_policy_and_open_when_allowed(held: ContainerHost) -> None:
    held.reaches_soon("client", f"{OUTSIDE}.1", 8080)  # nothing is enforced yet
    own = held.namespace.run("sh", "-c", OWN)
    reply = held.apply(held.plan(policy(*LINES[1:])))
    assert sorted(reply.all("process")) == [f"container {name}: enforced" for name in sorted(CONTAINERS)]
    assert not published(held)
    plan = held.plan(policy(*LINES))
    held.apply(plan)
    assert published(held)
    assert held.verified(plan)["drift"] == []
    assert held.namespace.run("sh", "-c", OWN) == own, "the engine's own chains are not touched"


def test_a_quarantined_client_reaches_no_published_port_whatever_the_policy_says(held: ContainerHost) -> None:
    held.apply(held.plan(policy(*LINES)))
    held.reaches_soon("client", f"{OUTSIDE}.1", 8080)
    entry = f"emergency q-1a2b3c4d quarantine 1 0\nelement quarantined {OUTSIDE}.9/32\n"
    held.namespace.run("sh", "-s", text=f"{script()}emergency_nft '' '' <<'LINES' | nft -f -\n{entry}LINES\n")
    try:
        assert not published(held)
        assert held.reaches("web", held.address("app", "front"), 8080)
    finally:
        held.namespace.nft("delete", "table", "inet", "ringfence_emergency")
    assert published(held)


def test_containers_of_two_bridges_reach_each_other_as_the_policy_says_and_their_host_too(held: ContainerHost) -> None:
    held.apply(held.plan(policy(*LINES)))
    assert between(held) == WANTED
    held.apply(held.plan(policy(*LINES, mode=Mode.OBSERVE)))
    assert set(between(held).values()) == {True}


def test_containers_that_come_back_with_each_others_addresses_keep_their_own_rules(held: ContainerHost) -> None:
    plan = held.plan(policy(*LINES))
    held.apply(plan)
    held.follow()
    try:
        before = {name: held.address(name, "back") for name in ("db", "app")}
        held.stop("db")
        held.stop("app")
        held.start_again("app")
        held.start_again("db")
        after = {name: held.address(name, "back") for name in ("db", "app")}
        assert before != after
        held.reaches_soon("app", after["db"], 5432)
        assert between(held) == WANTED
        # without a start or an end of one
        for word in ("disconnect", "connect"):
            held.engine.call("POST", f"/networks/back/{word}", {"Container": "db"})
        held.reaches_soon("app", held.address("db", "back"), 5432)
        assert held.verified(plan)["drift"] == []
    finally:
        held.unfollow()


def test_a_container_that_nobody_filled_in_is_closed_until_somebody_does(held: ContainerHost) -> None:
    held.apply(held.plan(policy(*LINES)))
    held.start("stranger", "front", port=80)
    address = held.address("stranger", "front")
    assert not held.reaches("web", address, 80)
    assert not held.reaches("stranger", held.address("app", "front"), 8080)
    assert not held.reaches("stranger", f"{OUTSIDE}.9", 9)
    plan = held.plan(policy(*LINES, ("web", "stranger", "tcp/80")))
    held.apply(plan)
    assert held.reaches("web", address, 80)
    held.stop("stranger")


def test_a_restarted_engine_opens_nothing(held: ContainerHost) -> None:
    plan = held.plan(policy(*LINES))
    held.apply(plan)
    held.follow()
    try:
        held.restart_engine(*CONTAINERS)
        held.reaches_soon("client", f"{OUTSIDE}.1", 8080)
        assert between(held) == WANTED
        assert held.verified(plan)["drift"] == []
        held.apply(held.plan(policy(*LINES[1:])))
        assert not published(held)
    finally:
        held.unfollow()


def test_what_is_not_proven_of_containers_is_named(held: ContainerHost) -> None:
    plan = held.plan(policy(*LINES))
    held.apply(plan)
    switch = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    told = [line for line in held.verified(plan)["not_proven"] if "bridge" in line]
    assert told == []
    held.namespace.run("sh", "-c", f"echo 0 >{switch}")
    try:
        told = [line for line in held.verified(plan)["not_proven"] if "bridge" in line]
        assert told == [
            "net.bridge.bridge-nf-call-iptables is off: what containers on one bridge send each other is not seen"
        ]
        assert held.reaches("web", held.address("db", "back"), 5432), "it passes by, as is said"
    finally:
        held.namespace.run("sh", "-c", f"echo 1 >{switch}")


def test_networks_of_other_kinds_are_judged_as_the_documentation_says(held: ContainerHost) -> None:
    held.network("inner", "172.30.3.0/24", internal=True)
    held.network("six", "172.30.4.0/24", "fd30:4::/64")
    held.start("near", "inner", port=80)
    held.start("asks", "inner", port=81)
    held.start("v6", "six", port=80)
    held.start("local", "front", port=80, published=8081, at="127.0.0.1")
    held.start("joined", "container:local", port=82)
    held.start("hosted", "host", port=83)
    try:
        addresses = {
            "near": (held.address("near", "inner"), 80),
            "v6": (held.address("v6", "six", "GlobalIPv6Address"), 80),
            "local": (held.address("local", "front"), 80),
            "joined": (held.address("local", "front"), 82),
            "published": (f"{OUTSIDE}.1", 8080),
            "published locally": ("127.0.0.1", 8081),
        }

        def answers(source: str) -> set[str]:
            return {name for name, at in addresses.items() if held.reaches(source, *at)}

        held.apply(held.plan(policy(*LINES, mode=Mode.OBSERVE)))
        # Podman's plug-ins give the host no address on an internal network
        assert answers(HOST) | {"near"} == addresses.keys()
        plan = held.plan(policy(*LINES))
        assert {"joined", "hosted"} <= {name.partition(".")[0] for name in plan.data["left_out"]}
        reply = held.apply(plan)
        assert "container local: enforced" in reply.all("process")
        assert held.verified(plan)["drift"] == []
        assert answers(HOST) == set()
        assert answers("asks") == set()
        lines = [("asks", "near", "tcp/80"), ("app", "local", "tcp/80"), ("app", "local", "tcp/82")]
        held.apply(held.plan(policy(*LINES, *lines)))
        assert answers("asks") == {"near"}
        assert answers("app") == {"local", "joined"}
    finally:
        for name in ("joined", "hosted", "local", "v6", "asks", "near"):
            held.stop(name)

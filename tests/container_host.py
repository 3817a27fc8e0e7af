"""A host of containers with a real engine: the target's script beside it, a client outside, connections between all."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.api import Engine, ask_engines
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.transform import Shape, hosts
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply, application, script
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan, load_plan
from ringfence.compiler import compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.rules import Policy, Settings
from ringfence.plan import Circumstances, Held
from ringfence.plan.artefact import time_text
from ringfence.plan.build import build
from ringfence.plan.store import write

from tests.lone_target import STAND_INS, LoneTarget, wait_until
from tests.sources.container_engine import ContainerEngine
from tests.unit.enforcers.nft_kernel import Kernel
from tests.unit.plan.plan_estates import INPUTS, NOW

HOST = "dock-1"
OUTSIDE = "203.0.113"  # .1 is the host, .9 the client
CONTROL = Control(("10.203.0.0/16",))
# The command of each engine speaks to the one of the test alone.
COMMANDS = {
    "docker": 'docker() {{ command docker -H unix://{socket} "$@"; }}\n',
    "podman": 'podman() {{ command podman --remote --url unix://{socket} "$@"; }}\n',
}
ENGINE_ALONE = (
    "have() {{ case $1 in {engine}) return 0 ;; docker | podman | systemd-run | timeout | ss) return 1 ;; esac; "
    'command -v "$1" >/dev/null 2>&1; }}\n'
)


@dataclass
class Namespace:
    """What `LoneTarget` and tests run commands in: the network of the engine."""

    pid: int

    @property
    def entered(self) -> list[str]:
        return ["nsenter", "--target", str(self.pid), "--net"]

    def run(self, *command: str, text: str | None = None) -> str:
        done = subprocess.run([*self.entered, *command], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[:2000]}"
        return done.stdout

    def nft(self, *arguments: str, text: str | None = None) -> str:
        return self.run("nft", *arguments, text=text)


class ContainerHost:
    """An engine with two bridge networks, a client behind a wire of its own, and the script of a target."""

    def __init__(self, engine: str, directory: Path) -> None:
        self.engine = ContainerEngine(engine, directory, restarts=True)
        self.namespace = Namespace(self.engine.process.pid)
        self.client = Kernel()
        self.target = LoneTarget(
            directory,
            self.namespace,  # type: ignore[arg-type]  # runs what a Kernel runs
            ["sh", "-s"],
            stand_ins=ENGINE_ALONE.format(engine=engine) + COMMANDS[engine].format(socket=self.engine.socket),
        )
        self.directory = directory
        self.sequence = 0
        self.follower: subprocess.Popen[bytes] | None = None
        self._wire()
        self.engine.image()
        for name, prefix in (("front", "172.30.1"), ("back", "172.30.2")):
            subnet = {"Config": [{"Subnet": f"{prefix}.0/24", "Gateway": f"{prefix}.1"}]}
            self.engine.call("POST", "/networks/create", {"Name": name, "Driver": "bridge", "IPAM": subnet})

    def network(self, name: str, *subnets: str, internal: bool = False) -> None:
        """Make another bridge network; of IPv6, too, where one of the subnets is."""
        six = any(":" in one for one in subnets)
        pools = {"Config": [{"Subnet": one} for one in subnets]}
        body = {"Name": name, "Driver": "bridge", "IPAM": pools, "Internal": internal, "EnableIPv6": six}
        self.engine.call("POST", "/networks/create", body)

    def _wire(self) -> None:
        run = self.namespace.run
        run("ip", "link", "add", "outside", "type", "veth", "peer", "name", "eth0", "netns", str(self.client.pid))
        run("ip", "address", "add", f"{OUTSIDE}.1/24", "dev", "outside")
        run("ip", "link", "set", "outside", "up")
        for words in (f"address add {OUTSIDE}.9/24 dev eth0", "link set eth0 up", f"route add default via {OUTSIDE}.1"):
            self.client.run("ip", *words.split())

    def end(self) -> None:
        """End all of it."""
        if self.follower is not None:
            self.unfollow()
        self.client.close()
        self.engine.end()

    # containers

    def start(self, name: str, *networks: str, port: int, published: int = 0, at: str = "") -> None:
        """Start a container that answers on a port; its label `role` is its name."""
        binding = {f"{port}/tcp": [{"HostPort": str(published), "HostIp": at}]} if published else {}
        body = {
            "Image": "tiny",
            "Cmd": ["/bin/busybox", "nc", "-ll", "-p", str(port), "-e", "/bin/busybox", "echo", name],
            "Labels": {"role": name},
            "ExposedPorts": {one: {} for one in binding},
            "HostConfig": {"NetworkMode": networks[0], "PortBindings": binding},
        }
        self.engine.call("POST", f"/containers/create?name={name}", body)
        for network in networks[1:]:
            self.engine.call("POST", f"/networks/{network}/connect", {"Container": name})
        self.engine.call("POST", f"/containers/{name}/start")

    def stop(self, name: str) -> None:
        """Stop a container."""
        self.engine.call("POST", f"/containers/{name}/stop?t=0")

    def start_again(self, name: str) -> None:
        """Start a container that was stopped."""
        self.engine.call("POST", f"/containers/{name}/start")

    def restart_engine(self, *names: str) -> None:
        """End the engine's service, wait for another, and start containers again."""
        self.engine.end_service()
        for name in names:
            wait_until(lambda name=name: self._starts(name), 30)

    def _starts(self, name: str) -> bool:
        try:
            self.start_again(name)
        except (OSError, AssertionError):
            return False
        return True

    def address(self, name: str, network: str, key: str = "IPAddress") -> str:
        """Return the address of a container on a network now."""
        told: dict[str, Any] = json.loads(self.engine.call("GET", f"/containers/{name}/json"))
        return str(told["NetworkSettings"]["Networks"][network][key])

    # connections

    def reaches(self, source: str, address: str, port: int) -> bool:
        """Return whether the client, the host or a container gets an answer of a port."""
        command = ["timeout", "1", "busybox", "nc", "-w", "1", address, str(port)]
        if source == "client":
            entered = self.client.entered
        elif source == HOST:
            entered = self.namespace.entered
        else:
            pid = json.loads(self.engine.call("GET", f"/containers/{source}/json"))["State"]["Pid"]
            entered = [*self._inside(), "nsenter", f"--net=/proc/{pid}/ns/net"]
        done = subprocess.run([*entered, *command], capture_output=True, stdin=subprocess.DEVNULL, check=False)
        return done.stdout != b""

    def _inside(self) -> list[str]:
        children = Path(f"/proc/{self.namespace.pid}/task/{self.namespace.pid}/children").read_text().split()
        return ["nsenter", "--target", children[0], "--mount", "--pid", "--net"]

    # plans

    def assets(self, *more: Asset) -> list[Asset]:
        """Return the containers as the source tells them, the host and the client."""
        answers = ask_engines([Engine(HOST, f"unix://{self.engine.socket}")], {"status": ["running"]}, 20, 1)
        found = [
            _asset(name, told) for name, told in hosts(answers, Shape(labels={"role": "role"}, enforce=True)).hosts
        ]
        return [*found, _machine(HOST, f"{OUTSIDE}.1"), _machine("client", f"{OUTSIDE}.9"), *more]

    def plan(self, policy: Policy, assets: list[Asset] | None = None) -> Plan:
        """Return the plan of a policy for what runs now, that follows from what the host holds."""
        self.sequence += 1
        inside = f"containers-{HOST}"
        settings = Settings(control=CONTROL, realms={"default": (inside,), inside: ("default",)})
        snapshot = Snapshot(tuple(sorted(assets or self.assets(), key=lambda one: one.name)), NOW)
        compiled = compile_policy(snapshot, policy, settings, abilities=lambda name: enforcer(name).abilities)
        held = {HOST: Held(ruleset=self.target.held, seen=time_text(NOW))} if self.target.held else {}
        draft = build(compiled, enforcer, Circumstances(INPUTS, self.sequence, NOW, held))
        return load_plan(str(write(draft, self.directory / "plans")))

    def apply(self, plan: Plan) -> Reply:
        """Apply and confirm, which must succeed; return the reply to the apply."""
        host = plan.host(HOST)
        text = plan.ruleset(host.ruleset, enforcement(host.enforcer).SUFFIX)
        reply = self.target.ask("apply", {**application(plan, host), "seconds": "30"}, text)[1]
        if reply.last("changed") == "no":
            return reply
        assert reply.last("state") == "waiting", reply
        confirmed = self.target.ask("confirm", {"plan": plan.digest, "port": "22"})[1]
        assert confirmed.last("state") == "confirmed", confirmed
        self.target.held = host.ruleset
        return reply

    def verified(self, plan: Plan) -> dict[str, Any]:
        """Return what verify says of the host."""
        reply = self.target.ask("status", {"listing": "1"})[1]
        return verify(plan, plan.host(HOST), reply)

    def follow(self) -> None:
        """Start what the unit on the target runs."""
        whole, _, end = self.target._placed(script()).rpartition("if [ $# -gt 0 ]")
        stand_ins = STAND_INS.format(place=self.directory, peer=self.target.peer) + self.target.stand_ins
        path = self.directory / "follower.sh"
        path.write_text(f"{whole}{stand_ins}\nif [ $# -gt 0 ]{end}")
        self.follower = subprocess.Popen(
            [*self.namespace.entered, "sh", str(path), "containers"], start_new_session=True
        )

    def reaches_soon(self, source: str, address: str, port: int, within: float = 5) -> float:
        """Return after how many seconds an answer comes; fail where none does in time."""
        began = time.monotonic()
        wait_until(lambda: self.reaches(source, address, port), within)
        return time.monotonic() - began

    def unfollow(self) -> None:
        """End it, with all that it started."""
        assert self.follower is not None
        subprocess.run(["pkill", "--session", str(self.follower.pid)], check=False)
        self.follower.wait(timeout=10)
        self.follower = None


def _asset(name: str, told: dict[str, Any]) -> Asset:
    return Asset(
        name,
        tuple(sorted(point_of(address) for address in told["ringfence_addresses"])),
        {key: Label(value, "inventory") for key, value in told["ringfence_labels"].items()},
        realm=told.get("ringfence_realm", "default"),
        workload=told["ringfence_workload"],
        enforcer=told["ringfence_enforcer"],
        attributes={"ringfence_containers": told["ringfence_containers"]},
    )


def _machine(name: str, address: str) -> Asset:
    return replace(Asset(name, (point_of(address),)), labels={"role": Label(name, "inventory")})

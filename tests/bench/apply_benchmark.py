"""Benchmark `apply`: 50 machines get 500 peers each over cold connections, by several ways in turns."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import (
    COMMAND,
    application,
    order,
    parse_reply,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan

from .fleet import HOSTS, PEERS, Fleet, Spent, fleet, peers
from .result import Result, Target

ROUNDS = 2
PLAYS = Path(__file__).parent / "peers"
OURS, AGAIN, LEAST, STOCK, PLAIN, BARE = (
    "ringfence.core.rollout",
    "the same again, nothing to change",
    "the least that Ansible can do: `raw: true`",
    "the same safety from stock modules",
    "template and `nft -f`, no safety",
    "bare parallel ssh, our steps",
)


def run() -> Result:
    """Measure every way in turn, some rounds; needs root."""
    found: dict[str, list[Spent]] = {name: [] for name in (OURS, AGAIN, LEAST, STOCK, PLAIN, BARE)}
    with fleet() as machines:
        plan = machines.plan()
        variables = peer_variables(machines)
        for _ in range(ROUNDS):
            found[OURS].append(machines.spent(lambda: roll_out(machines, plan)))
            found[AGAIN].append(machines.spent(lambda: roll_out(machines, plan)))
            found[LEAST].append(machines.spent(lambda: machines.ansible("ansible-playbook", str(PLAYS / "least.yml"))))
            machines.clean()
            for name, play in ((STOCK, "stock.yml"), (PLAIN, "plain.yml")):
                found[name].append(machines.spent(lambda play=play: roll_peer(machines, play, variables)))
                machines.clean()
            found[BARE].append(machines.spent(lambda: roll_bare(machines, plan)))
            machines.clean()
    return _result(found)


def roll_out(machines: Fleet, plan: Path) -> None:
    """Roll the plan out as a user would by hand."""
    (plan / "journal.jsonl").unlink(missing_ok=True)
    machines.ansible("ansible-playbook", "-e", f"ringfence_plan={plan}", "ringfence.core.rollout")


def roll_peer(machines: Fleet, play: str, variables: Path) -> None:
    """Run one of the peer's playbooks."""
    machines.ansible("ansible-playbook", "-e", f"@{variables}", str(PLAYS / play))


def peer_variables(machines: Fleet) -> Path:
    """Write the variables that the peers' playbooks need, and return their file."""
    path = machines.directory / "peers.json"
    path.write_text(json.dumps({"peers": {name: peers(number) for number, name in enumerate(machines.names)}}))
    return path


def roll_bare(machines: Fleet, plan: Path) -> None:
    """Send our own orders by ssh alone: one connection applies, a second, new one confirms."""
    known = load_plan(str(plan))

    def both(name: str) -> None:
        host = known.host(name)
        values = {**application(known, host), "seconds": "30"}
        _ask(machines, name, order("apply", values, known.ruleset(host.ruleset, "nft")))
        _ask(machines, name, order("confirm", {key: values[key] for key in ("plan", "token", "port")}))

    machines.each(both)


def _ask(machines: Fleet, name: str, sent: bytes) -> None:
    command = [*machines.ssh_command(name), COMMAND]
    done = subprocess.run(command, input=sent, capture_output=True, check=False)
    reply = parse_reply(done.stdout.decode())
    if done.returncode or reply.last("refused"):
        raise RuntimeError(f"{name}: {reply.last('reason')} {done.stderr.decode()}")


def _result(found: Mapping[str, list[Spent]]) -> Result:
    def cpu(name: str) -> float:
        return median(one.cpu for one in found[name])

    def wall(name: str) -> float:
        return median(one.wall for one in found[name])

    targets = [
        (STOCK, "ratio", 0.25),
        (PLAIN, "ratio_plain", 0.4),
        (BARE, "ratio_bare", 1.6),
    ]
    return Result(
        name="apply",
        subject=f"{HOSTS} machines (Debian 12, systemd-nspawn), {PEERS} peers each, cold connections.",
        seconds=cpu(OURS),
        peer=cpu(STOCK),
        unit="CPU seconds of both ends",
        table=(
            ("way", "clock, s", "CPU of both ends, s", "of it controller", "of it machines"),
            *(
                (
                    name,
                    f"{wall(name):.1f}",
                    f"{cpu(name):.1f}",
                    f"{median(one.controller for one in spent):.1f}",
                    f"{median(one.machines for one in spent):.1f}",
                )
                for name, spent in found.items()
            ),
        ),
        targets=(
            *(Target(f"against {name}, CPU", cpu(OURS) / cpu(name), limit) for name, _, limit in targets),
            *(Target(f"against {name}, clock", wall(OURS) / wall(name), limit) for name, _, limit in targets),
            Target("an unchanged run against the first, CPU", cpu(AGAIN) / cpu(OURS), 1 / 3),
            Target("an unchanged run against the first, clock", wall(AGAIN) / wall(OURS), 1 / 3),
        ),
        remarks=(
            f"Medians of {ROUNDS} rounds, all ways in turn, nothing left of one when the next begins; "
            f"`--forks {HOSTS}`, pipelining, no facts, no interpreter discovery for all of them. Every machine has a "
            "ruleset of its own; one wave.",
            "Ours: lock, guard, timer armed, standing connections made known, swap, confirmation over a new "
            "connection, boot unit. The stock modules do what they can of it (tests/bench/peers/stock.yml): validate, "
            "save, systemd-run, `nft -f`, confirmation by raw over a reset connection, boot unit; no lock, no guard, "
            "no standing connections, no digest of what the host holds.",
            "Everything runs in the machines' network: ssh needs no ProxyCommand. Bare ssh sends the same script "
            "and the same orders over two connections a host.",
            "Controller and machines share the processors here, so the clock shows both.",
            f"No run that asks its hosts can be below `raw: true`, which costs {cpu(LEAST) / cpu(OURS):.2f} of the "
            f"first run's CPU ({wall(LEAST) / wall(OURS):.2f} of its clock); an unchanged run costs "
            f"{cpu(AGAIN) / cpu(LEAST):.2f} times as much as that.",
        ),
        more={
            **{key: cpu(OURS) / cpu(name) for name, key, _ in targets[1:]},
            **{f"{key}_clock": wall(OURS) / wall(name) for name, key, _ in targets},
            "again": cpu(AGAIN) / cpu(OURS),
            "again_least": cpu(AGAIN) / cpu(LEAST),
            "clock": wall(OURS),
        },
    )

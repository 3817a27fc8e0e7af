"""Benchmark `verify`: 50 machines read back and proven, against Ansible's `command` that only reads them."""

from __future__ import annotations

from statistics import median

from .apply_benchmark import roll_out
from .fleet import HOSTS, PEERS, Spent, fleet
from .result import Result, Target

ROUNDS = 3
OURS, READING = "ringfence.core.verify", "ansible -m command -a 'nft list ruleset'"


def run() -> Result:
    """Roll a plan out, then prove and read in turns; needs root."""
    found: dict[str, list[Spent]] = {OURS: [], READING: []}
    with fleet() as machines:
        plan = machines.plan()
        roll_out(machines, plan)
        prove = ("ansible-playbook", "-e", f"ringfence_plan={plan}", "ringfence.core.verify")
        interpreter = "ansible_python_interpreter=/usr/bin/python3"
        read = ("ansible", "-m", "command", "-a", "nft list ruleset", "-e", interpreter, "all")
        for _ in range(ROUNDS):
            found[OURS].append(machines.spent(lambda: machines.ansible(*prove)))
            found[READING].append(machines.spent(lambda: machines.ansible(*read)))
    cpu = {name: median(one.cpu for one in spent) for name, spent in found.items()}
    wall = {name: median(one.wall for one in spent) for name, spent in found.items()}
    return Result(
        name="verify",
        subject=f"{HOSTS} machines with {PEERS} peers each: read back and proven equal to the plan, to the address.",
        seconds=cpu[OURS],
        peer=cpu[READING],
        unit="CPU seconds of both ends",
        table=(
            ("way", "clock, s", "CPU of both ends, s", "of it controller", "of it machines"),
            *(
                (
                    f"`{name}`",
                    f"{wall[name]:.1f}",
                    f"{cpu[name]:.1f}",
                    f"{median(one.controller for one in spent):.1f}",
                    f"{median(one.machines for one in spent):.1f}",
                )
                for name, spent in found.items()
            ),
        ),
        targets=(
            Target("against only reading, CPU", cpu[OURS] / cpu[READING], 1.5),
            Target("against only reading, clock", wall[OURS] / wall[READING], 1.5),
        ),
        remarks=(
            f"Medians of {ROUNDS} rounds in turns, cold connections, `--forks {HOSTS}`. The peer proves nothing.",
        ),
        more={"ratio_clock": wall[OURS] / wall[READING], "clock": wall[OURS]},
    )

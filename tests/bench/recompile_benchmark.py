"""Benchmark `recompile`: one label or one rule changes; how long until the digests of all changed tables are known."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from ringfence.compiler import Compilation, Recompiler, compile_policy
from ringfence.model.assets import Snapshot
from ringfence.model.rules import Policy, Rule
from ringfence.model.services import parse_service

from .estate import estate
from .measuring import Times, middle, timed
from .result import Result, Target

SIZE = (10_000, 1_000, 300)
CHANGES = 15
TARGET = 0.1
LABEL, EDITED, ADDED, REMOVED = "a label", "a rule edited", "a rule added", "a rule removed"


def run() -> Result:
    """Change one thing after another, each time compiling the same from nothing as well."""
    one = estate(*SIZE)
    recompiler = Recompiler(one.snapshot, one.policy, one.settings)
    _digests(recompiler.compilation)
    chance = random.Random(7)
    ours: dict[str, list[Times]] = {LABEL: [], EDITED: [], ADDED: [], REMOVED: []}
    remade: dict[str, list[int]] = {what: [] for what in ours}
    theirs = []
    snapshot, policy = one.snapshot, one.policy
    for number in range(CHANGES):
        for what, spent in ours.items():
            before = recompiler.compilation
            snapshot, policy = _changed(what, snapshot, policy, chance, number)
            taken, after = timed(lambda snapshot=snapshot, policy=policy: _recompiled(recompiler, snapshot, policy))
            spent.append(taken)
            remade[what].append(
                len({id(table) for table in after.distinct()} - {id(table) for table in before.distinct()})
            )
            taken, fresh = timed(
                lambda snapshot=snapshot, policy=policy: _with_digests(
                    lambda: compile_policy(snapshot, policy, one.settings)
                )
            )
            theirs.append(taken)
            assert {name: table.digest for name, table in fresh.tables.items()} == {
                name: table.digest for name, table in after.tables.items()
            }
    mine = {what: middle(spent) for what, spent in ours.items()}
    slowest = max(mine, key=lambda what: mine[what].cpu)
    peers = middle(theirs)
    worst = {what: max(taken.cpu for taken in spent) for what, spent in ours.items()}
    return Result(
        name="recompile",
        subject="One label or rule changes at 10,000 workloads (1,000 rules): to the digests of all changed tables.",
        seconds=mine[slowest].cpu,
        peer=peers.cpu,
        unit="CPU seconds",
        table=(
            ("what changes", "CPU, s", "clock, s", "slowest, CPU s", "tables made"),
            *(
                (
                    what,
                    f"{mine[what].cpu:.4f}",
                    f"{mine[what].wall:.4f}",
                    f"{worst[what]:.4f}",
                    f"{sorted(remade[what])[CHANGES // 2]}",
                )
                for what in ours
            ),
            (
                "compile from nothing",
                f"{peers.cpu:.4f}",
                f"{peers.wall:.4f}",
                f"{max(taken.cpu for taken in theirs):.4f}",
                f"{len(fresh.distinct())}",
            ),
        ),
        targets=(
            *(Target(f"{what}, to the new digests, CPU seconds", mine[what].cpu, TARGET) for what in ours),
            Target("the slowest of all changes, CPU seconds", max(worst.values()), TARGET),
        ),
        remarks=(
            f"Medians of {CHANGES} changes of each kind: a random host gets one label of another; a random rule gets "
            "other services, is removed, or is written anew under another name. Each result is checked to the digest "
            "against the compilation from nothing.",
            "Slow are a rule that most tables meet (a guardrail), and a host whose labels no other has; then nearly"
            " all is compiled.",
        ),
        more={"worst": max(worst.values())},
    )


def _changed(
    what: str, snapshot: Snapshot, policy: Policy, chance: random.Random, number: int
) -> tuple[Snapshot, Policy]:
    if what == LABEL:
        return _relabelled(snapshot, chance), policy
    rules = list(policy.rules)
    at = chance.randrange(len(rules))
    if what == EDITED:
        rules[at] = replace(rules[at], services=parse_service(f"tcp/{20_000 + number}"))
    elif what == ADDED:
        rules.insert(chance.randrange(len(rules)), _copy(rules[at], number))
    else:
        del rules[at]
    return snapshot, replace(policy, rules=tuple(rules))


def _copy(rule: Rule, number: int) -> Rule:
    return replace(rule, id=f"new{number:05}", name=f"new {number}", services=parse_service(f"udp/{20_000 + number}"))


def _relabelled(snapshot: Snapshot, chance: random.Random) -> Snapshot:
    asset, other = chance.sample(snapshot.assets, 2)
    key = chance.choice(sorted(asset.labels))
    changed = replace(asset, labels={**asset.labels, key: other.labels[key]})
    return replace(snapshot, assets=tuple(changed if one is asset else one for one in snapshot.assets))


def _recompiled(recompiler: Recompiler, snapshot: Snapshot, policy: Policy) -> Compilation:
    known = {id(table) for table in recompiler.compilation.distinct()}
    after = recompiler.update(snapshot, policy, recompiler.compilation.settings)
    for table in after.distinct():
        if id(table) not in known:
            assert table.digest
    return after


def _with_digests(compile_all: Callable[[], Compilation]) -> Compilation:
    compilation = compile_all()
    _digests(compilation)
    return compilation


def _digests(compilation: Compilation) -> list[str]:
    return [table.digest for table in compilation.distinct()]

"""Benchmark `recompile`: one host's label changes; how long until the digests of all changed tables are known."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from ringfence.compiler import Compilation, Recompiler, compile_policy
from ringfence.model.assets import Asset, Snapshot

from .estate import estate
from .measuring import middle, timed
from .result import Result, Target

SIZE = (10_000, 1_000, 300)
CHANGES = 25


def run() -> Result:
    """Relabel hosts one after another, each time compiling the same snapshot from nothing as well."""
    one = estate(*SIZE)
    recompiler = Recompiler(one.snapshot, one.policy, one.settings)
    _digests(recompiler.compilation)
    chance = random.Random(7)
    ours, theirs, remade = [], [], []
    for _ in range(CHANGES):
        before = recompiler.compilation
        changed = _relabelled(before.snapshot, chance)
        spent, after = timed(lambda changed=changed: _recompiled(recompiler, changed))
        ours.append(spent)
        remade.append(len({id(table) for table in after.distinct()} - {id(table) for table in before.distinct()}))
        spent, fresh = timed(
            lambda after=after: _with_digests(lambda: compile_policy(after.snapshot, one.policy, one.settings))
        )
        theirs.append(spent)
        assert {name: table.digest for name, table in fresh.tables.items()} == {
            name: table.digest for name, table in after.tables.items()
        }
    mine, peers = middle(ours), middle(theirs)
    return Result(
        name="recompile",
        subject="One label changes on one of 10,000 workloads (1,000 rules): to the digests of all changed tables.",
        seconds=mine.cpu,
        peer=peers.cpu,
        unit="CPU seconds",
        table=(
            ("way", "CPU, s", "clock, s", "tables made"),
            ("recompile", f"{mine.cpu:.4f}", f"{mine.wall:.4f}", f"{sorted(remade)[CHANGES // 2]}"),
            ("compile from nothing", f"{peers.cpu:.4f}", f"{peers.wall:.4f}", f"{len(fresh.distinct())}"),
        ),
        targets=(Target("one relabelled host to the new digests, CPU seconds", mine.cpu, 0.1),),
        remarks=(
            f"Medians of {CHANGES} changes: one of a random host's labels becomes that of a random other host. Each "
            "result is checked to the digest against the compilation from nothing.",
            f"The slowest change took {max(one.cpu for one in ours):.3f} s of CPU.",
        ),
        more={"worst": max(one.cpu for one in ours)},
    )


def _recompiled(recompiler: Recompiler, changed: Asset) -> Compilation:
    known = {id(table) for table in recompiler.compilation.distinct()}
    after = recompiler.relabel(changed)
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


def _relabelled(snapshot: Snapshot, chance: random.Random) -> Asset:
    asset, other = chance.sample(snapshot.assets, 2)
    key = chance.choice(sorted(asset.labels))
    return replace(asset, labels={**asset.labels, key: other.labels[key]})

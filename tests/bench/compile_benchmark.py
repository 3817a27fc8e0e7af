"""Benchmark `compile`: from labelled assets and a policy to all verdict tables and all nft texts."""

from __future__ import annotations

import gc
import multiprocessing
from dataclasses import dataclass
from statistics import fmean

from ringfence.compiler import compile_policy
from ringfence.enforcers.nftables import render

from .aerleon_peer import Aerleon
from .estate import Estate, estate
from .measuring import Times, middle, peak_megabytes, timed
from .result import Result, Target

SMALL, LARGE, HUGE = (10_000, 1_000, 300), (100_000, 1_000, 300), (100_000, 75_000, 15_000)
# 100,000 workloads throughout: what grows are the rules and the label combinations, so the distinct tables.
SERIES = (LARGE, (100_000, 2_000, 600), (100_000, 3_000, 1_200), (100_000, 5_000, 2_400))
PEER_TARGETS = 10
HEADS = ("workloads", "rules", "label combinations", "distinct tables", "tables", "and texts", "texts, MB", "peak, MiB")


@dataclass(frozen=True)
class Compiled:
    """The times of the tables and of tables and texts, and how much there is."""

    tables: Times
    whole: Times
    distinct: int
    characters: int
    peak: float


def run() -> Result:
    """Measure every size in a process of its own; aerleon and we take turns at the smallest."""
    small, peer = in_own_process(against_aerleon, SMALL)
    found = {SMALL: small}
    for size in (*SERIES, HUGE):
        found[size] = in_own_process(compiled, size)
    large, huge = found[LARGE], found[HUGE]
    return Result(
        name="compile",
        subject="Labelled assets and a policy in memory to all verdict tables and all nft texts.",
        seconds=small.whole.cpu,
        peer=peer,
        unit="CPU seconds",
        table=(HEADS, *(_row(size, one) for size, one in found.items())),
        targets=(
            Target("10,000 workloads, 1,000 rules, CPU seconds", small.whole.cpu, 1),
            Target("100,000 workloads, 1,000 rules, CPU seconds", large.whole.cpu, 5),
            Target("100,000 workloads, 75,000 rules, CPU seconds", huge.whole.cpu, 60),
            Target("100,000 workloads, 75,000 rules, peak MiB", huge.peak, 4096),
        ),
        remarks=(
            "`tables` and `and texts` are CPU seconds of one process (by the clock in brackets); making the estate is "
            "left out, and a text is dropped when it is made.",
            f"The peer is aerleon rendering {PEER_TARGETS} of the targets one after another, times the distinct "
            "tables: it shares nothing between targets, and to sort out which rules speak of a target counts, to "
            "parse the network definitions does not. It writes IPv4 and no modes, we write both families.",
            "Estate: every application and environment has its own subnets, filled with gaps (12 %), 7 % of the hosts "
            "stand elsewhere at random; one guardrail (dev never reaches prod) puts a third of the estate into every "
            "table of the other third.",
            "Each line is one run, the first the median of three.",
        ),
        more={"large": large.whole.cpu, "huge": huge.whole.cpu, "huge_peak_mib": huge.peak},
    )


def compiled(size: tuple[int, int, int]) -> Compiled:
    """Compile and render an estate of this size once."""
    return _compiled(estate(*size))


def against_aerleon(size: tuple[int, int, int]) -> tuple[Compiled, float]:
    """Return ours, the median of three, and the peer's CPU seconds for as many targets as we have tables."""
    one = estate(*size)
    peer = Aerleon(one)
    hosts = one.snapshot.assets[:: len(one.snapshot.assets) // PEER_TARGETS][:PEER_TARGETS]
    ours, theirs = [], []
    for _ in range(3):
        ours.append(_compiled(one))
        theirs.append(fmean(timed(lambda host=host: peer.render(host.label_values()))[0].cpu for host in hosts))
    median = Compiled(
        middle([found.tables for found in ours]),
        middle([found.whole for found in ours]),
        ours[0].distinct,
        ours[0].characters,
        ours[0].peak,
    )
    return median, sorted(theirs)[1] * median.distinct


def in_own_process(work, *arguments):  # type: ignore[no-untyped-def]  # a pool's own signature
    """Return what work returns in a fresh process, so that its peak of memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def _compiled(one: Estate) -> Compiled:
    gc.collect()
    tables, compilation = timed(lambda: compile_policy(one.snapshot, one.policy, one.settings))
    distinct = compilation.distinct()
    texts, characters = timed(lambda: sum(len(render(table)) for table in distinct))
    whole = Times(tables.wall + texts.wall, tables.cpu + texts.cpu)
    return Compiled(tables, whole, len(distinct), characters, peak_megabytes())


def _row(size: tuple[int, int, int], one: Compiled) -> tuple[str, ...]:
    return (
        *(f"{number:,}" for number in size),
        f"{one.distinct:,}",
        f"{one.tables.cpu:.2f}",
        f"{one.whole.cpu:.2f} s ({one.whole.wall:.2f})",
        f"{one.characters / 1e6:,.0f}",
        f"{one.peak:,.0f}",
    )

"""What to do next, in words with a key, by what the overview knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringfence.model.counts import counted
from ringfence.model.overview import AssetsSummary, RolloutSummary, TrafficSummary
from ringfence.model.picture import Sign, SignCount
from ringfence.model.run_states import LIVING
from ringfence.wire.first_few import first_few

from ringfence_tui.screens.overview.model import Next, Overview
from ringfence_tui.subjects import AssetsSubject, PictureSubject, PlanSubject, RunSubject

NAMES = 3  # of files and sources in a step


def next_steps(overview: Overview, screens: Sequence[str], *, read_only: bool) -> tuple[Next, ...]:
    """Return what to do next, the most urgent first; only what leads to a screen that there is."""
    found = _wanted(overview, read_only=read_only)
    return tuple(one for one in found if one.screen in screens and not (one.action and read_only))


def _wanted(overview: Overview, *, read_only: bool) -> Iterator[Next]:
    wrong, rollout = overview.wrong(), overview.rollout
    if wrong:
        errors = len(overview.errors())
        what = counted(errors, "error") if errors else counted(len(wrong), "warning")
        stops = ": nothing can be planned until they are solved" if errors else ""
        yield Next("c", f"{what} in the files and the inventory{stops}", "check")
    if rollout is not None and rollout.state in LIVING:
        yield Next("r", f"a rollout runs since {rollout.started}: watch it", "rollout", RunSubject(rollout.run))
    if rollout is not None and rollout.drifted:
        drifted = counted(len(rollout.drifted), "host")
        yield Next("v", f"{drifted} drifted: see what is open", "verify")
    empty = overview.assets is not None and not overview.assets.assets
    if overview.traffic is not None and not (empty and not overview.traffic.flows):
        yield from _of_traffic(overview.traffic)
    if overview.draft.changes:
        files = first_few(overview.draft.files, NAMES) or "no file"
        fails = f", {overview.draft.conflicts} in conflict" if overview.draft.conflicts else ""
        changes = counted(overview.draft.changes, "change")
        yield Next("w", f"the draft ({changes} of {files}, not written{fails}): look, write, or drop it", "map")
    if overview.assets is not None:
        yield from _of_assets(overview.assets)
    if rollout is not None and not read_only:
        yield from _of_plans(rollout, seen=overview.traffic is not None and overview.traffic.flows > 0)
    yield Next("a", "look at the assets", "assets")


def _of_plans(rollout: RolloutSummary, *, seen: bool) -> Iterator[Next]:
    if rollout.plan and not (rollout.run_plan and rollout.plan.startswith(rollout.run_plan)):
        yield Next("p", f"plan {rollout.plan} waits: look at it, roll it out", "rollout", PlanSubject(rollout.plan))
    elif not rollout.plan and seen:
        yield Next("p", "nothing is planned yet: plan the files, and see what hosts would deny", "rollout")


# What a sign says of flows, worst first: the first that there is, is what to look at.
_LOOK = (
    (Sign.WOULD_BE_DENIED, "would be denied in full mode: see the map"),
    (Sign.DENIED, "denied: see the map"),
    (Sign.UNDECIDED, "pass and no rule decides: draw the line on the map"),
)


def _of_traffic(traffic: TrafficSummary) -> Iterator[Next]:
    for sign, words in _LOOK:
        count = traffic.signs.get(sign, SignCount()).flows
        if count:
            yield Next("m", f"{counted(count, 'flow')} {words}", "map", PictureSubject(sign))
            return
    if traffic.flows:
        yield Next("m", "look at who talks to whom", "map")
    elif not traffic.refused.flows:
        yield Next("t", "nothing was seen yet: ask the hosts who talks to whom", "overview", action="collect")


def _of_assets(assets: AssetsSummary) -> Iterator[Next]:
    if assets.lacking:
        key, count = max(assets.lacking.items(), key=lambda one: one[1])
        verb = "has" if count == 1 else "have"
        yield Next("l", f"{counted(count, 'host')} {verb} no {key}: label them", "assets", AssetsSubject(f"!{key}"))
    stale = [one.name for one in assets.sources if one.stale]
    if stale:
        yield Next(
            "d", f"{first_few(stale, NAMES)} did not answer, and its assets stand as they were: ask again", "assets"
        )
    elif not assets.assets:
        yield Next("d", "no asset is known: name hosts in hosts.csv or inventory/, then ask the inventory", "assets")

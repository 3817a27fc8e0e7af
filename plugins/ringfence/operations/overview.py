"""The overview: a workspace at a glance, in parts that cost more and more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.model.overview import (
    AssetsSummary,
    DraftSummary,
    PolicySummary,
    RolloutSummary,
    SourceSummary,
    TrafficSummary,
)
from ringfence.model.picture import PolicyState, SignCount
from ringfence.sources.merging import STALE, contradictions

if TYPE_CHECKING:
    from ringfence.analysis.picture import JudgedPicture
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset, Snapshot
    from ringfence.model.rules import Mode
    from ringfence.model.tables import VerdictTable

USUAL_KEYS = ("env", "app", "role")
_WEAKEST = ("observe", "selective", "full")


def kept_assets(newest: Snapshot) -> AssetsSummary:
    """Return the assets of the newest kept snapshot, which needs no question to the inventory."""
    return replace(_assets(newest), kept=True)


def assets_summary(estate: Estate) -> AssetsSummary:
    """Return the assets as the inventory says, or said where a kept answer holds; also where the survey found errors.

    Raise InputErrors for files that cannot be read.
    """
    survey = estate.survey()
    return replace(_assets(survey.snapshot), waiting=len(survey.claims.waiting))


def policy_summary(estate: Estate) -> PolicySummary:
    """Return how hosts enforce by the files. Raise InputErrors for files or an inventory with errors."""
    compiled = estate.compiled()
    return PolicySummary(
        hosts=len(compiled.tables),
        modes=Counter(str(weaker_mode(table)) for table in compiled.tables.values()),
        covered=sum(bool(table.rule_names) for table in compiled.tables.values()),
        rules=len(compiled.policy.rules),
        impossible={**compiled.why, **dict.fromkeys(compiled.unaddressed, "no source has an address of it")},
    )


def weaker_mode(table: VerdictTable) -> Mode:
    """Return the mode of the direction that enforces less."""
    return min(table.inbound.mode, table.outbound.mode, key=lambda mode: _WEAKEST.index(str(mode)))


def traffic_of(estate: Estate, judged: JudgedPicture) -> TrafficSummary:
    """Return what was seen of flows that are judged already, by the files among other states."""
    picture = judged.at(("env",), services=0)
    seen = {end.asset for end in (*judged.flows.clients, *judged.flows.servers)}
    signs = picture.totals.get(PolicyState.FILES, {})
    total = sum(signs.values(), SignCount())
    hosts = sorted(estate.compiled().tables)
    return TrafficSummary(
        connections=total.connections,
        flows=total.flows,
        signs=signs,
        refused=picture.refused,
        hosts=len(hosts),
        unseen=tuple(name for name in hosts if name not in seen),
        since=picture.since,
        until=picture.until,
    )


def rollout_summary(estate: Estate) -> RolloutSummary:
    """Return the newest plan and run, and what was last found different. Raise InputError for a broken plan."""
    from ringfence.estate.held_tables import known_records
    from ringfence.operations.kept_proofs import kept_proofs
    from ringfence.operations.plans import list_plans
    from ringfence.operations.runs import begun_runs

    plans, (runs, _damaged) = list_plans(estate), begun_runs(estate)
    found = RolloutSummary(plans=len(plans))
    if plans:
        head = plans[-1].head
        found = replace(found, plan=head.short, made=head.created, plan_hosts=head.hosts)
    if runs:
        run = runs[-1]
        held = known_records(estate)
        found = replace(
            found,
            run=run.directory.id,
            run_plan=run.facts.plan[:8],
            state=run.state,
            who=run.facts.who,
            started=run.facts.started,
            run_hosts=len(run.facts.hosts),
            holding=sum(name in held and held[name].plan == run.facts.plan for name in run.facts.hosts),
        )
    proofs = sorted(kept_proofs(estate).items())
    drifted = tuple((name, "; ".join(one.sentences) or one.state) for name, one in proofs if not one.ok)
    return replace(found, drifted=drifted)


def draft_summary(estate: Estate) -> DraftSummary:
    """Return how much is drafted and not written. Raise InputErrors for a damaged draft, and files that are broken."""
    from ringfence.operations.draft import show

    drafted = show(estate)
    return DraftSummary(len(drafted.changes), tuple(drafted.edited.texts), len(drafted.edited.conflicts))


def _assets(snapshot: Snapshot) -> AssetsSummary:
    assets = snapshot.assets
    workloads = [asset for asset in assets if asset.workload]
    lacking = {key: sum(key not in asset.labels for asset in workloads) for key in USUAL_KEYS}
    return AssetsSummary(
        assets=len(assets),
        workloads=len(workloads),
        sources=tuple(_sources(assets)),
        labelled=sum(all(key in asset.labels for key in USUAL_KEYS) for asset in workloads),
        lacking={key: count for key, count in lacking.items() if count},
        contradictions=sum(len(contradictions(asset)) for asset in assets if len(asset.sources) > 1),
        enforcers=Counter(asset.enforcer for asset in workloads),
        taken=snapshot.taken,
    )


def _sources(assets: Iterable[Asset]) -> list[SourceSummary]:
    """Return the sources with their assets, the largest first: `aws:eu-central-1` is one of `aws`."""
    counts: Counter[str] = Counter()
    stale: Counter[str] = Counter()
    since: dict[str, str] = {}
    for asset in assets:
        names = {source.partition(":")[0] for source in asset.sources}
        counts.update(names)
        mark = asset.attributes.get(STALE)
        if mark is not None:
            stale.update(names)
            told = str(mark.get("since", "")) if isinstance(mark, dict) else ""
            since.update({name: min(told, since.get(name, told)) for name in names})
    return [
        SourceSummary(name, count, stale[name], since.get(name, ""))
        for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]

"""The assets' questions: all rows part by part, one asset, labels by hand, discovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ringfence.estate.listening import Listener
from ringfence.model.addresses import address_text
from ringfence.model.asset_events import AssetHistory
from ringfence.model.errors import RingfenceError
from ringfence.model.picture import WORST_FIRST, GroupKind, Neighbour, PictureGroup, PolicyState, Sign, SignCount
from ringfence.operations.asset_activity import last_seen
from ringfence.operations.asset_history import asset_history
from ringfence.operations.assets import find_assets
from ringfence.operations.discover import discover
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.kept_proofs import kept_proofs
from ringfence.operations.label_by_hand import preview_label, write_label
from ringfence.operations.other_firewalls import other_firewalls, who_may_cut
from ringfence.operations.overview import weaker_mode
from ringfence.operations.passwords import Passwords
from ringfence.presenting.asset_view import value_text
from ringfence.sources.host_told import source_of_told
from ringfence.sources.label_origins import Origin, origins
from ringfence.sources.merging import STALE, contradictions
from ringfence.wire.first_few import first_few

from ringfence_tui.clock import date_and_clock
from ringfence_tui.engine.judging import judged_week
from ringfence_tui.engine.progress import Progress
from ringfence_tui.engine.questions import Questions
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.assets.detail import (
    AssetDetail,
    AssetFlows,
    DetailRequest,
    LabelOrigin,
    LabelRequest,
    Peer,
    Preview,
    Written,
)
from ringfence_tui.screens.assets.discovery import DiscoverRequest, Discovery, SourceState
from ringfence_tui.screens.assets.model import (
    AssetRow,
    AssetsRequest,
    Begin,
    Chosen,
    Current,
    FilterRequest,
    Listed,
    Rows,
    Told,
)

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset, Snapshot
    from ringfence.model.source_steps import SourceStep

A_PART = 1000
PEERS = 3
LISTENS = 12


def everything(session: EngineSession, _request: AssetsRequest, tell: Tell) -> Listed:
    """Tell the last kept assets, then those of now, then what tables, proofs and flows say of each."""
    estate = session.fresh()
    kept = _kept(session)
    if kept is not None:
        _tell_rows(kept, tell, kept=True)
    wrong: list[str] = []
    try:
        snapshot = estate.survey().snapshot
    except RingfenceError as error:
        if kept is None:
            raise
        return Listed((str(error),))
    if kept is None or _rows_of(kept) != _rows_of(snapshot):
        _tell_rows(snapshot, tell, kept=False)
    tell(Current())
    names = [asset.name for asset in snapshot.assets]
    parts: tuple[tuple[str, Callable[[], dict[str, str]]], ...] = (
        ("drift", lambda: {name: one.state for name, one in kept_proofs(estate).items() if not one.ok}),
        ("mode", lambda: _modes(estate)),
        ("seen", lambda: _seen(session, tell)),
    )
    for key, made in parts:
        try:
            known = made()
        except RingfenceError as error:
            wrong.append(str(error))
            continue
        for start in range(0, len(names), A_PART):
            tell(Told(key, start, tuple(known.get(name, "") for name in names[start : start + A_PART])))
    return Listed(tuple(dict.fromkeys(wrong)))


def _kept(session: EngineSession) -> Snapshot | None:
    """Return the last kept assets; a damaged file keeps none."""
    try:
        return session.kept()
    except RingfenceError:
        return None


def _tell_rows(snapshot: Snapshot, tell: Tell, *, kept: bool) -> None:
    tell(Begin(len(snapshot.assets), kept))
    for start in range(0, len(snapshot.assets), A_PART):
        tell(Rows(tuple(_row(asset) for asset in snapshot.assets[start : start + A_PART])))


def _rows_of(snapshot: Snapshot) -> list[AssetRow]:
    return [_row(asset) for asset in snapshot.assets]


def _row(asset: Asset) -> AssetRow:
    stale = asset.attributes.get(STALE)
    return (
        asset.name,
        " ".join(map(address_text, asset.addresses)),
        " ".join(asset.sources),
        asset.enforcer if asset.workload else "",
        asset.realm,
        str(stale.get("since", "")) if isinstance(stale, dict) else "",
        tuple(f"{key}={label.value}" for key, label in asset.labels.items()),
    )


def _seen(session: EngineSession, tell: Tell) -> dict[str, str]:
    with judged_week(session, tell) as judged:
        return {name: time.isoformat() for name, time in last_seen(judged).items()}


def _modes(estate: Estate) -> dict[str, str]:
    compiled = estate.compiled()
    impossible = dict.fromkeys((*compiled.why, *compiled.unaddressed), "none")
    return {**impossible, **{name: str(weaker_mode(table)) for name, table in compiled.tables.items()}}


def chosen(session: EngineSession, request: FilterRequest, _tell: Tell) -> Chosen:
    """Return the names that selectors choose. Raise InputErrors for what is none."""
    return Chosen(frozenset(asset.name for asset in find_assets(session.estate, request.words)))


def detail(session: EngineSession, request: DetailRequest, _tell: Tell) -> AssetDetail:
    """Return everything about one asset but its flows."""
    estate = session.estate
    asset = next((one for one in estate.survey().snapshot.assets if one.name == request.name), None)
    if asset is None:
        return AssetDetail(request.name, (), (("gone", "no source names it any more"),))
    proof = kept_proofs(estate).get(asset.name)
    labels = tuple(map(_origin, origins(asset, estate.workspace.label_rules)))
    drift = "" if proof is None or proof.ok else f"since {date_and_clock(proof.since)}: {'; '.join(proof.sentences)}"
    return AssetDetail(asset.name, labels, tuple(_lines(estate, asset)), drift)


def _origin(origin: Origin) -> LabelOrigin:
    because = [
        f"{one.attribute} = {value_text(one.value)}" + (f" ({one.source})" if one.source else "")
        for one in origin.evidence
    ]
    told = source_of_told(origin.told) if origin.told else ""
    return LabelOrigin(origin.key, origin.value, origin.rule, ", ".join(because), told)


def _lines(estate: Estate, asset: Asset) -> Iterator[tuple[str, str]]:
    yield "addresses", " ".join(map(address_text, asset.addresses)) or "none"
    yield "sources", ", ".join(asset.sources) or "none"
    stale = asset.attributes.get(STALE)
    if isinstance(stale, dict):
        yield "stale", f"since {date_and_clock(str(stale.get('since', '')))}, {stale.get('source', '')} is silent"
    for attribute, said in contradictions(asset):
        yield "differs", f"{attribute}: {', '.join(f'{value_text(value)} from {by}' for by, value in said)}"
    if not asset.workload:
        yield "enforcer", "none: it is no workload"
        return
    control = asset.control or estate.workspace.settings.control
    managed = f", managed from {' '.join(control.networks)} port {control.port}" if control else ""
    yield "enforcer", f"{asset.enforcer}, realm {asset.realm}{managed}"
    listens = _listens(asset)
    if listens:
        yield "listens", listens
    others = other_firewalls(estate, [asset.name]).get(asset.name)
    if others is not None and (cutters := who_may_cut(others)):
        yield "beside", f"may cut more: {cutters} (told {others.seen})"
    yield from _table_lines(estate, asset)


def _listens(asset: Asset) -> str:
    told = asset.attributes.get("listeners")
    found = [one for one in told if isinstance(one, dict) and "port" in one] if isinstance(told, list) else []
    words = dict.fromkeys(f"{one['port']}{' ' + str(one['unit']) if one.get('unit') else ''}" for one in found)
    return first_few(list(words), LISTENS, "   ")


def _table_lines(estate: Estate, asset: Asset) -> Iterator[tuple[str, str]]:
    try:
        compiled = estate.compiled(only=(asset.name,))
    except RingfenceError as error:
        yield "table", f"not known: {error}"
        return
    table = compiled.tables.get(asset.name)
    if table is None:
        yield "table", compiled.why.get(asset.name, "none: no source has an address of it")
        return
    enforcement = compiled.enforcement.get(asset.name)
    where = f", {enforcement.place}" if enforcement is not None and enforcement.place else ""
    yield "mode", f"in {table.inbound.mode}, out {table.outbound.mode}{where}"
    names = list(dict.fromkeys(table.rule_names.values()))
    yield "rules", f"{len(names)}: {first_few(names, 4)}" if names else "no rule speaks of it"
    yield "table", table.digest[:12]


def flows(session: EngineSession, request: DetailRequest, tell: Tell) -> AssetFlows:
    """Return whom an asset talks with, judged by the files."""
    group = PictureGroup(GroupKind.ASSET, (request.name,), 1, request.name)
    with judged_week(session, tell) as judged:
        found = judged.neighbours(("asset",), group)
    return AssetFlows(
        request.name,
        _signs(found.clients),
        _signs(found.servers),
        _peers(found.clients),
        _peers(found.servers),
        sum(max(0, len(side) - PEERS) for side in (found.clients, found.servers)),
    )


def history(session: EngineSession, request: DetailRequest, tell: Tell) -> AssetHistory:
    """Return what happened to an asset."""
    return asset_history(session.estate, request.name, heed=tell.check)


def _signs(neighbours: Sequence[Neighbour]) -> tuple[tuple[Sign, SignCount], ...]:
    totals: dict[Sign, SignCount] = {}
    for one in neighbours:
        for sign, count in one.edge.signs.get(PolicyState.FILES, {}).items():
            totals[sign] = totals.get(sign, SignCount()) + count
    return tuple((sign, totals[sign]) for sign in WORST_FIRST if totals.get(sign, SignCount()).flows)


def _peers(neighbours: Sequence[Neighbour]) -> tuple[Peer, ...]:
    return tuple(
        Peer(
            one.group.name or " ".join(filter(None, one.group.labels)) or str(one.group.kind),
            one.edge.worst(PolicyState.FILES),
            sum(count.connections for count in one.edge.signs.get(PolicyState.FILES, {}).values()),
            first_few([str(one.port) for one in one.edge.services if one.port is not None], 4, " "),
        )
        for one in neighbours[:PEERS]
    )


def preview(session: EngineSession, request: LabelRequest, tell: Tell) -> Preview:
    """Return what labelling would do. Raise InputErrors for what cannot be."""
    execution = session.execution(tell, Telling(tell))
    return Preview(
        **asdict(preview_label(session.fresh(), request.names, request.label, FlowSelection(since="7d"), execution))
    )


def write(session: EngineSession, request: LabelRequest, _tell: Tell) -> Written:
    """Write the label rule."""
    session.writable("write labels.yml")
    write_label(session.fresh(), request.names, request.label)
    return Written("labels.yml")


def discovered(session: EngineSession, request: DiscoverRequest, tell: Tell) -> Discovery:
    """Ask the inventory again, and say what each source gave."""
    estate = session.fresh()
    tell(Progress("asking the inventory"))
    execution = session.execution(tell, _Watching(tell))
    with Passwords(None, request.vault).offered():
        found = discover(estate, keep=request.keep and not session.read_only, execution=execution)
    silent = [problem.message for problem in found.silent]
    sources = []
    for one in found.sources:
        wrong = next((text for text in silent if one.name.partition(":")[0] in text), "")
        sources.append(SourceState(one.name, one.assets, one.before, one.stale, wrong))
    said = {one.wrong for one in sources}
    others = tuple(text for text in silent if text not in said)
    return Discovery(
        tuple(sources),
        len(found.added),
        len(found.removed),
        found.changed,
        found.seconds,
        wrong=others,
        files=found.files,
    )


class _Watching(Listener):
    """Tells each source's steps as they come."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell

    def source(self, step: SourceStep) -> None:
        """Tell a step. Raise Cancelled where nobody waits for it."""
        self.tell(step)


QUESTIONS: Questions = {
    "everything": everything,
    "chosen": chosen,
    "detail": detail,
    "flows": flows,
    "history": history,
    "preview": preview,
    "write": write,
    "discover": discovered,
}

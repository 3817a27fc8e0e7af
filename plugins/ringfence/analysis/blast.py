"""Blast radius: what one asset reaches under two sets of tables, by labels, and which quarantine would cut most off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.analysis.hops import Alike, Hops, Spread, Step
from ringfence.analysis.peer_resolution import Ends, points_of
from ringfence.analysis.side_permissions import Sides
from ringfence.analysis.simulate import DEFAULT_KEYS
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.intervals import EMPTY, IntervalSet, union
from ringfence.model.memberships import ALWAYS
from ringfence.model.rules import Settings
from ringfence.model.services import EVERY_SERVICE, Services, service_texts
from ringfence.model.tables import VerdictTable

CANDIDATES = 5
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """Assets of equal labels that are first reached after so many hops, on some services (points).

    `path` are the labels and one name for each hop on the way to one of them, with the services of that hop.
    """

    hop: int
    labels: Labels
    assets: tuple[str, ...]
    services: IntervalSet
    path: tuple[tuple[str, Labels, IntervalSet], ...]

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "hop": self.hop,
            "labels": dict(self.labels),
            "count": len(self.assets),
            "services": list(service_texts(self.services)),
            "path": [
                {"asset": name, "labels": dict(labels), "services": list(service_texts(services))}
                for name, labels, services in self.path
            ],
            "assets": list(self.assets),
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """Assets that stand alike; without them `fewer` others would be reached."""

    labels: Labels
    assets: tuple[str, ...]
    fewer: int

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"labels": dict(self.labels), "assets": list(self.assets), "fewer": self.fewer}


@dataclass(frozen=True, slots=True)
class Radius:
    """What is reached under one set of tables, nearest first.

    `enforced` says whether the asset has a table, `unenforced` counts the assets reached that have none: they are open.
    `outside` has what passes to the internet, to other addresses of no asset, and to each name of its policy.
    """

    enforced: bool
    unenforced: int
    groups: tuple[Reached, ...]
    outside: Mapping[str, IntervalSet]
    spread: Spread

    @property
    def count(self) -> int:
        """Return how many assets are reached."""
        return sum(len(one.assets) for one in self.groups)

    @property
    def hops(self) -> dict[int, int]:
        """Return how many assets are reached first after each number of hops."""
        counts: dict[int, int] = {}
        for one in self.groups:
            counts[one.hop] = counts.get(one.hop, 0) + len(one.assets)
        return counts

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "enforced": self.enforced,
            "count": self.count,
            "by_hop": {str(hop): count for hop, count in self.hops.items()},
            "not_enforced": self.unenforced,
            "groups": [one.data() for one in self.groups],
            "outside": {where: list(service_texts(services)) for where, services in self.outside.items()},
        }


@dataclass(frozen=True, slots=True)
class Blast:
    """What an asset reaches now and under a draft; `new` and `lost` are what the draft adds and takes away.

    `gained` and `closed` are services of one hop that the draft adds and takes away, by asset group.
    """

    asset: Asset
    assets: int
    now: Radius
    draft: Radius
    new: tuple[Reached, ...]
    lost: tuple[Reached, ...]
    gained: tuple[Reached, ...]
    closed: tuple[Reached, ...]
    candidates: tuple[Candidate, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "asset": self.asset.name,
            "assets": self.assets,
            "now": self.now.data(),
            "draft": self.draft.data(),
            **{
                name: [one.data() for one in groups]
                for name, groups in (
                    ("new", self.new),
                    ("lost", self.lost),
                    ("services_gained", self.gained),
                    ("services_lost", self.closed),
                )
            },
            "candidates": [one.data() for one in self.candidates],
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """Where blasts are asked for: assets, settings, and what hosts enforce now and would under the draft.

    `keys` are the labels that answers tell assets apart by.
    """

    snapshot: Snapshot
    settings: Settings
    now: Mapping[str, VerdictTable]
    draft: Mapping[str, VerdictTable]
    keys: Sequence[str] = DEFAULT_KEYS

    def labels(self, asset: Asset) -> Labels:
        """Return the labels of an asset by which answers tell it apart."""
        return tuple((key, asset.labels[key].value) for key in self.keys if key in asset.labels)


def blast(asset: Asset, compared: Compared, services: Services | None = None, most: int | None = None) -> Blast:
    """Return what an asset reaches, over at most so many hops, each on some services or on any."""
    hops = {
        id(tables): Hops(asset, compared.snapshot, compared.settings, tables, services)
        for tables in (compared.now, compared.draft)
    }
    now, draft = (
        _radius(asset, compared, tables, hops[id(tables)].spread(most)) for tables in (compared.now, compared.draft)
    )
    before, after = now.spread.assets(), draft.spread.assets()
    return Blast(
        asset,
        sum(bool(one.addresses) for one in compared.snapshot.assets) - 1,
        now,
        draft,
        _groups(compared, draft.spread, after.keys() - before.keys()),
        _groups(compared, now.spread, before.keys() - after.keys()),
        _more(compared, after, before),
        _more(compared, before, after),
        _candidates(compared, now.spread, hops[id(compared.now)], most),
    )


def _radius(asset: Asset, compared: Compared, tables: Mapping[str, VerdictTable], spread: Spread) -> Radius:
    groups = _groups(compared, spread, None)
    unenforced = sum(name not in tables for one in groups for name in one.assets)
    return Radius(asset.name in tables, unenforced, groups, _outside(asset, compared, tables.get(asset.name)), spread)


def _groups(compared: Compared, spread: Spread, names: Iterable[str] | None) -> tuple[Reached, ...]:
    """Return the assets of a spread, all or some, by hop and labels."""
    wanted = None if names is None else frozenset(names)
    found: dict[tuple[int, Labels], tuple[list[str], list[IntervalSet], int]] = {}
    for number, step in spread.steps.items():
        for asset in spread.classes[number].assets:
            if wanted is None or asset.name in wanted:
                assets, services, _ = found.setdefault((step.hop, compared.labels(asset)), ([], [], number))
                assets.append(asset.name)
                if step.services not in services[-1:]:
                    services.append(step.services)
    rows = (
        Reached(hop, labels, tuple(sorted(assets)), union(services), _path(compared, spread, number))
        for (hop, labels), (assets, services, number) in found.items()
    )
    return tuple(sorted(rows, key=lambda one: (one.hop, -len(one.assets), one.labels)))


def _path(compared: Compared, spread: Spread, number: int) -> tuple[tuple[str, Labels, IntervalSet], ...]:
    return tuple(
        (one.assets[0].name, compared.labels(one.assets[0]), services) for one, services in spread.path(number)
    )


def _more(
    compared: Compared, one: Mapping[str, tuple[Asset, Step, Alike]], other: Mapping[str, tuple[Asset, Step, Alike]]
) -> tuple[Reached, ...]:
    """Return the services of one hop that one has beyond the other, for assets that both reach in one hop."""
    found: dict[tuple[Labels, IntervalSet], list[str]] = {}
    for name, (asset, step, _) in one.items():
        known = other.get(name)
        if step.hop == 1 and known is not None and known[1].hop == 1 and (more := step.services - known[1].services):
            found.setdefault((compared.labels(asset), more), []).append(name)
    rows = (Reached(1, labels, tuple(sorted(names)), services, ()) for (labels, services), names in found.items())
    return tuple(sorted(rows, key=lambda row: (-len(row.assets), row.labels)))


def _candidates(compared: Compared, spread: Spread, hops: Hops, most: int | None) -> tuple[Candidate, ...]:
    """Return the classes without which the fewest are reached, the best first.

    What is lost without a class lies behind it on the ways that were found, so that only classes with the most behind
    them are tried.
    """
    whole = sum(len(spread.classes[number].assets) for number in spread.steps)
    behind = Counter(spread.behind())
    found = []
    for number, _ in behind.most_common(CANDIDATES):
        one = spread.classes[number]
        left = sum(len(spread.classes[other].assets) for other in hops.spread(most, (number,)).steps)
        if (fewer := whole - left - len(one.assets)) > 0:
            found.append(Candidate(compared.labels(one.assets[0]), tuple(asset.name for asset in one.assets), fewer))
    return tuple(sorted(found, key=lambda one: (-one.fewer, len(one.assets), one.assets)))


def _outside(asset: Asset, compared: Compared, table: VerdictTable | None) -> dict[str, IntervalSet]:
    """Return what passes to some address that no asset holds, and to the answers to each name of the policy."""
    unheld, private = (
        Ends(compared.snapshot, compared.settings).unheld(asset.realm),
        compared.settings.private_addresses(),
    )
    if table is None:
        return {"internet": EVERY_SERVICE, "other addresses of no asset": EVERY_SERVICE}
    sides, own, found = Sides(), points_of(asset), {}
    for where, addresses in (("internet", unheld - private), ("other addresses of no asset", unheld & private)):
        passing = [
            sides.passing(cell.services)
            for cell in table.outbound.cells
            if cell.local.meets(own)
            and (cell.membership == ALWAYS or cell.membership.holds(()))
            and cell.remote.meets(addresses)
        ]
        found[where] = union(passing)
    for name in table.dynamic_sets:
        permitted = sides.to_members(table, name, own)
        found[name] = union([permitted.always, *(services for _, services in permitted.extra)])
    return {where: services for where, services in found.items() if services != EMPTY}

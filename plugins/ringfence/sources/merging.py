"""Assets that are one machine, merged: whose word counts, where every attribute is from, and what contradicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ringfence.model.addresses import DEFAULT_REALM, FAMILIES, address_text
from ringfence.model.assets import USUAL_ENFORCER, Asset, Label
from ringfence.model.intervals import IntervalSet
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_told import TOLD, source_of_told, told_roots
from ringfence.sources.host_variables import CONTROL, ENFORCER, REALM, WISHED, WORKLOAD, shown, sorted_points
from ringfence.sources.identity_keys import is_no_machine, is_swept, source_facts
from ringfence.wire.first_few import first_few

IDENTITY = "identity"
# Marks what no source said this time: `{since, source}`. Such an asset keeps the name it had.
STALE = "stale"
# How Ansible reaches a host is a matter of the name that it is reached by.
_OF_THE_NAME = ("ansible_", "inventory_")
_COLLECTED = ("name", "groups", "addresses", "ringfence_addresses", "ringfence_sources", WISHED, IDENTITY, TOLD)
# What a source of ours knows to run nothing that enforces, by source and kind.
_NEVER_ENFORCED = {("vsphere", "hypervisor"), ("vsphere", "template")}

Said = Sequence[tuple[str, object]]


class _Merge:
    """Attributes merged so far: `sources` by attribute, and what sources say differently."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self.contradictions: list[dict[str, object]] = []

    def of(self, path: str, said: Said) -> object:
        """Return what counts of what sources say of one attribute, the first one's word before the others'."""
        source, value = said[0]
        if len(said) > 1 and all(isinstance(one, Mapping) for _, one in said):
            return {name: self.of(f"{path}.{name}", below) for name, below in _children(said).items()}
        self.sources[path] = source
        if any(one != value for _, one in said[1:]):
            self.differ(path, said)
        return value

    def differ(self, path: str, said: Said) -> None:
        """Note that sources contradict each other."""
        self.contradictions.append({"attribute": path, "said": [{"source": by, "value": one} for by, one in said]})


def merged(
    assets: Sequence[Asset], why: Sequence[str], prefer: Sequence[str], known: Collection[str] = frozenset()
) -> Asset:
    """Return one asset of several, in whose attribute `identity` it stands what it was made of.

    `known` are names of assets that there were before: one of these stays the name.
    """
    ranked = sorted(assets, key=lambda asset: (_rank(asset, prefer), not asset.workload, asset.sources, asset.name))
    # What nothing enforces on does not name a host; a name that a host has because another one had its own comes last:
    # the other may well be of these.
    ways = (
        (STALE not in asset.attributes, not asset.workload, WISHED in asset.attributes, asset.name not in known)
        for asset in ranked
    )
    first = min(zip(ways, ranked, strict=True), key=lambda pair: pair[0])[1]
    merge = _Merge()
    labels: dict[str, Label] = {}
    for asset in reversed(ranked):
        labels.update(asset.labels)
    attributes = {
        name: merge.of(name, said)
        for name, said in _children(_said_by(ranked)).items()
        if name not in _COLLECTED and not name.startswith(_OF_THE_NAME)
    }
    attributes |= {name: value for name, value in first.attributes.items() if name.startswith(_OF_THE_NAME)}
    told = {root: host for asset in reversed(ranked) for root, host in told_roots(asset).items()}
    workload = _is_workload(ranked)
    enforced = [asset for asset in ranked if asset.workload == workload] or ranked
    points = sorted_points(point for asset in ranked for point in asset.addresses)
    _compare_addresses(ranked, merge)
    attributes |= {
        "name": first.name,
        "groups": sorted({group for asset in ranked for group in _texts(asset.attributes.get("groups"))}),
        "addresses": [address_text(point) for point in points],
        IDENTITY: {
            "hosts": {name: sources for asset in ranked for name, sources in hosts_of(asset).items()},
            "by": sorted(set(why)),
            "from": dict(sorted(merge.sources.items())),
            "contradictions": merge.contradictions,
        },
        **({TOLD: told} if told else {}),
    }
    return Asset(
        name=first.name,
        addresses=points,
        labels=labels,
        realm=next((asset.realm for asset in ranked if asset.realm != DEFAULT_REALM), _said(ranked, REALM).realm),
        workload=workload,
        enforcer=_enforcer(enforced),
        sources=tuple(sorted({source for asset in ranked for source in asset.sources})),
        control=_said(enforced, CONTROL).control,
        attributes=attributes,
        also=tuple(sorted({name for asset in ranked for name in (asset.name, *asset.also)} - {first.name})),
        claimed=sorted_points({point for asset in ranked for point in asset.claimed} - set(points)),
    )


def hosts_of(asset: Asset) -> dict[str, list[str]]:
    """Return the hosts of the inventory that an asset was made of, by name with their sources."""
    identity = asset.attributes.get(IDENTITY)
    hosts = identity.get("hosts") if isinstance(identity, Mapping) else None
    if not isinstance(hosts, Mapping):
        return {asset.name: list(asset.sources)}
    return {str(name): _texts(sources) for name, sources in hosts.items()}


def workload_problem(found: Sequence[Asset], made_of: Sequence[Asset]) -> list[Problem]:
    """Return a warning for assets that are enforced on although a source says by itself that nothing does."""
    named = {asset.name: asset for asset in made_of}
    told = []
    for asset in found:
        parts = (named[name] for name in hosts_of(asset) if name in named)
        others = [part for part in parts if asset.workload and not part.workload and not is_swept(part)]
        told += [f"'{asset.name}' is '{other.name}' of {_source(other)}" for other in others]
    if not told:
        return []
    message = f"hosts that Ansible manages and that a source takes for none: {first_few(told, joint='; ')}"
    remedy = "they are enforced on; where nothing shall, set ringfence_workload: false for the host itself"
    return [Problem(Severity.WARNING, message, None, remedy)]


def contradictions(asset: Asset) -> list[tuple[str, list[tuple[str, object]]]]:
    """Return what the sources of a merged asset say differently: the attribute, and what each says; none otherwise."""
    identity = asset.attributes.get(IDENTITY)
    found = identity.get("contradictions") if isinstance(identity, Mapping) else None
    told = []
    for one in found if isinstance(found, list) else ():
        said = [(str(by["source"]), by["value"]) for by in one["said"]]
        told.append((str(one["attribute"]), said))
    return told


def contradictions_problem(assets: Sequence[Asset]) -> list[Problem]:
    """Return a warning that names the first contradictions and counts them; nothing where there are none."""
    told = [
        f"{attribute} of '{asset.name}': {', '.join(f'{shown(value)} from {source}' for source, value in said)}"
        for asset in assets
        for attribute, said in contradictions(asset)
    ]
    if not told:
        return []
    message = f"sources contradict each other, the first one counts: {first_few(told, joint='; ')}"
    remedy = "correct a source, or say whose word counts, identity: {prefer: […]}; all: ringfence assets contradictions"
    return [Problem(Severity.WARNING, message, None, remedy)]


def _children(said: Said) -> dict[str, list[tuple[str, object]]]:
    """Return what is said of every key of mappings, by key."""
    found: dict[str, list[tuple[str, object]]] = {}
    for source, mapping in said:
        if isinstance(mapping, Mapping):
            for name, value in mapping.items():
                found.setdefault(name, []).append((source, value))
    return found


def _rank(asset: Asset, prefer: Sequence[str]) -> int:
    """Return the place of an asset's sources among the preferred ones: a source, its beginning, or its kind."""
    kinds = source_facts(asset)
    for place, wanted in enumerate(prefer):
        if wanted in kinds or any(source.startswith(wanted) for source in asset.sources):
            return place
    return len(prefer)


def _said_by(ranked: Sequence[Asset]) -> Said:
    """Return the attributes of assets with whose word they are: a source's, or the host's own."""
    said: list[tuple[str, object]] = []
    for asset in ranked:
        told = told_roots(asset)
        said.append((_source(asset), {name: value for name, value in asset.attributes.items() if name not in told}))
        for host in dict.fromkeys(told.values()):
            own = {name: asset.attributes[name] for name in told if told[name] == host and name in asset.attributes}
            said.append((source_of_told(host), own))
    return said


def _is_workload(ranked: Sequence[Asset]) -> bool:
    """Return whether something enforces on what these are: as a person said, else as Ansible's own host has it.

    A record of one of our sources says by itself that nothing enforces on what it does not know as a host: a role, a
    service, an address that answered. That is not a word on a host that an inventory lists or that told its facts.
    """
    person = [asset for asset in ranked if asset.attributes.get(WORKLOAD) is not None and not _says_by_itself(asset)]
    if person:
        return person[0].workload
    managed = [asset for asset in ranked if not _kinds(asset) or told_roots(asset)]
    if any(asset.workload for asset in managed):
        return True
    never = [
        asset for asset in ranked if _NEVER_ENFORCED & {(kind, _kind(fact)) for kind, fact in _kinds(asset).items()}
    ]
    machines = [asset for asset in ranked if not is_swept(asset) and not is_no_machine(asset)] or ranked
    return not never and any(asset.workload for asset in machines)


def _says_by_itself(asset: Asset) -> bool:
    return bool(_kinds(asset)) and not asset.workload


def _kinds(asset: Asset) -> dict[str, Mapping[str, object]]:
    """Return the facts of our plug-ins but of tables, which people write, by kind of source."""
    return {kind: fact for kind, fact in source_facts(asset).items() if kind != "onprem"}


def _kind(fact: Mapping[str, object]) -> str:
    return str(fact.get("kind", ""))


def _said(ranked: Sequence[Asset], variable: str) -> Asset:
    """Return the first asset whose source says a variable, else the first one."""
    return next((asset for asset in ranked if asset.attributes.get(variable) is not None), ranked[0])


def _enforcer(enforced: Sequence[Asset]) -> str:
    """Return what enforces on these: as a source says, else as Ansible's way to one of them shows."""
    said = _said(enforced, ENFORCER)
    if said.attributes.get(ENFORCER) is not None:
        return said.enforcer
    return next((asset.enforcer for asset in enforced if asset.enforcer != USUAL_ENFORCER), USUAL_ENFORCER)


def _compare_addresses(ranked: Sequence[Asset], merge: _Merge) -> None:
    """Note where two sources each have an address of a family that the other lacks."""
    first = ranked[0]
    for other in ranked[1:]:
        for family in FAMILIES.values():
            mine, theirs = _in(first, family), _in(other, family)
            if mine - theirs and theirs - mine:
                said = [(_source(one), [address_text(point) for point in one.addresses]) for one in (first, other)]
                merge.differ("addresses", said)
                break


def _in(asset: Asset, family: IntervalSet) -> set[int]:
    return {point for point in asset.addresses if point in family}


def _source(asset: Asset) -> str:
    return ", ".join(asset.sources) or asset.name


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

"""From Ansible inventories to a labelled, dated snapshot of assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ringfence.model.addresses import DEFAULT_REALM, address_text
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputErrors, Place, RingfenceError
from ringfence.model.label_rules import LabelRule
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Settings
from ringfence.sources.alike_names import alike_problems
from ringfence.sources.ansible_inventory import InventoryHost, ParsedInventory, read_inventory
from ringfence.sources.ansible_settings import fact_caches_of
from ringfence.sources.attributes import plain_attributes, plain_value
from ringfence.sources.checks import asset_problems
from ringfence.sources.claims import Claim, adopted, judged
from ringfence.sources.fact_files import Facts, cached_facts
from ringfence.sources.facts import fact_addresses, fact_attributes, fact_faults
from ringfence.sources.heard_run import Hear
from ringfence.sources.host_told import TOLD
from ringfence.sources.host_variables import (
    ADDRESSES,
    BY_NAME,
    ENFORCER,
    GIVEN,
    LABEL_GROUPS,
    LABEL_VALUES,
    LABELS,
    REALM,
    WISHED,
    HostVariables,
    is_template,
    sorted_points,
)
from ringfence.sources.identifying import identifying_point
from ringfence.sources.identity import STAY_TWO, one_asset_each
from ringfence.sources.label_doubts import address_doubts, label_doubts, vault_doubts, without_read_columns
from ringfence.sources.labelling import apply_label_rules
from ringfence.sources.lost_labels import lost_labels
from ringfence.sources.namesakes import namesake_problems, reunited
from ringfence.sources.reaching import usual_enforcer
from ringfence.sources.resolution import resolve_names
from ringfence.sources.stale_sources import Silent, WithStale, quiet_sources, read_answering, with_stale
from ringfence.sources.surveys import Survey
from ringfence.sources.told_labels import mark_told
from ringfence.sources.vaulted import is_vaulted
from ringfence.sources.warning_places import without_repeated

_NO_FACTS = (LABELS, LABEL_VALUES, GIVEN, BY_NAME)

Resolver = Callable[[Iterable[str]], Mapping[str, tuple[int, ...]]]
# Gives the newest snapshot that was kept: what stands where a source is silent, and names that stay.
Last = Callable[[], Snapshot | None]


def survey(
    inventory_paths: Sequence[Path],
    label_rules: Sequence[LabelRule],
    settings: Settings,
    *,
    now: datetime,
    cache: Path | None = None,
    facts: Mapping[str, Facts] | None = None,
    directory: Path | None = None,
    resolve: Resolver = resolve_names,
    last: Last | None = None,
    accepted: frozenset[Claim] | None = None,
    hear: Hear | None = None,
) -> Survey:
    """Return the labelled snapshot of Ansible inventories taken at `now`, with every problem found on the way.

    An asset has the addresses of `ringfence_addresses`; without these, what its `ansible_host` (or its name) is or
    resolves to, and what its gathered facts say, where that counts (`claims`): `accepted` are addresses that counted
    before, None where nothing was ever accepted. `facts` are given by host, or read from `cache`, the directory of a
    `jsonfile` fact cache; by default the workspace's own and the one that `ansible.cfg` in `directory` names.
    `directory` is also where Ansible runs. Where a source is silent, its assets stand as the snapshot that `last` gives
    knew them; without one a source that fails is an error. `hear` is told of sources while they are asked.
    Raise InputError where the inventory cannot be parsed,
    InputErrors for wrong `ringfence_*` variables and for label rules that cannot be compiled, OutsideError where
    Ansible fails.
    """
    base = directory or Path()
    parsed, silent = _read(inventory_paths, base, last, hear)
    problems: list[Problem] = []
    told: list[Problem] = []
    if facts is None:
        caches = (cache,) if cache else fact_caches_of(base)
        facts, fact_problems = cached_facts(caches, (host.name for host in parsed.hosts))
        problems += fact_problems
    told += [_facts_problem(host, fault) for host in sorted(facts) for fault in fact_faults(facts[host])]
    sources = (_shown(inventory_paths[0], directory),) if len(inventory_paths) == 1 else ()
    place = Place(sources[0]) if sources else None
    hosts, mixed = reunited(parsed.hosts, inventory_paths, base)
    assets = read_assets(hosts, settings, facts, resolve, sources=sources, place=place)
    problems += [*label_doubts(hosts, place), *address_doubts(hosts, place)]
    problems += vault_doubts(hosts, place, inventory_paths, base)
    problems += lost_labels(hosts, inventory_paths, base)
    before, stood = last() if last else None, WithStale(assets)
    if before is not None:
        silent = [*silent, *quiet_sources(inventory_paths, base, parsed, assets)]
        stood = with_stale(assets, before, silent)
    identity = replace(settings.identity, same=(*settings.identity.same, *stood.same))
    port = settings.control.port if settings.control else 22
    assets, identity_problems = one_asset_each(stood.assets, identity, before.named() if before else (), port)
    assets, claims = judged(assets, settings, accepted, bool(facts))
    assets = adopted(assets)
    told += claims.problems()
    told += [problem for problem in identity_problems if problem.remedy == STAY_TWO]
    more = [problem for problem in identity_problems if problem.remedy != STAY_TWO]
    problems += [*mixed, *stood.problems, *told, *more, *namesake_problems(assets, identity.different)]
    problems += alike_problems(assets, inventory_paths, base, identity.different)
    labelled, label_problems = apply_label_rules(assets, label_rules)
    labelled, resting = mark_told(labelled, label_rules)
    problems += [*label_problems, *resting, *asset_problems(labelled, settings)]
    said = without_repeated(without_read_columns(parsed.problems, label_rules), problems)
    problems = list(dict.fromkeys([*said, *problems]))
    snapshot = Snapshot(labelled, now.astimezone(UTC))
    return Survey(snapshot, tuple(problems), stood.problems, tuple(told), claims, tuple(said))


def _facts_problem(host: str, fault: str) -> Problem:
    return Problem(Severity.WARNING, f"the facts of '{host}' {fault}", None, "look at the host")


def _read(
    paths: Sequence[Path], base: Path, last: Last | None, hear: Hear | None
) -> tuple[ParsedInventory, list[Silent]]:
    """Return the inventory; where it fails as a whole and there is a last snapshot, what answers and what does not."""
    try:
        return read_inventory(paths, base, hear=hear), []
    except RingfenceError as failure:
        if last is None or last() is None:
            raise
        return read_answering(paths, base, failure, hear)


def _shown(path: Path, directory: Path | None) -> str:
    base = (directory or Path()).resolve()
    whole = base / path
    return str(whole.relative_to(base)) if whole.is_relative_to(base) else str(path)


def read_assets(
    hosts: Sequence[InventoryHost],
    settings: Settings,
    facts: Mapping[str, Facts],
    resolve: Resolver = resolve_names,
    *,
    sources: tuple[str, ...] = (),
    place: Place | None = None,
) -> tuple[Asset, ...]:
    """Return the assets of parsed hosts, sorted by name, with the inventory's own labels and what facts claim.

    `sources` is where hosts come from that do not say it themselves. Raise InputErrors for every wrong variable of
    every host.
    """
    readings = [HostVariables(host.name, host.variables, place) for host in hosts]
    explicit = [reading.addresses() for reading in readings]
    reached = [
        None if reading.given(ADDRESSES) else _where(host, reading)
        for host, reading in zip(hosts, readings, strict=True)
    ]
    resolved = resolve(name for name in reached if name and not is_template(name) and identifying_point(name) is None)
    assets: list[Asset] = []
    for host, reading, given, name in zip(hosts, readings, explicit, reached, strict=True):
        own = facts.get(host.name, {})
        addresses = given if name is None else _reached(name, resolved)
        claimed = () if name is None else sorted_points(set(fact_addresses(own)) - set(addresses))
        assets.append(_asset(host, reading, addresses, claimed, own, settings, sources))
    errors = [error for reading in readings for error in reading.errors]
    if errors:
        raise InputErrors(errors)
    return tuple(sorted(assets, key=lambda asset: asset.name))


def _where(host: InventoryHost, reading: HostVariables) -> str:
    """Return the name or address that Ansible connects to; empty where that is vaulted: it is not the host's name."""
    return (
        "" if is_vaulted(plain_value(host.variables.get("ansible_host"))) else reading.text("ansible_host") or host.name
    )


def _reached(name: str, resolved: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    point = identifying_point(name)
    return resolved.get(name, ()) if point is None else (point,)


def _short_names(variables: Mapping[str, object]) -> dict[str, object]:
    """Return `tags` and `region` as the facts of sources tell them (`ringfence_aws`, …).

    Plugins set no variable `tags` of their own: Ansible reserves that name, and warns of it in every play.
    """
    told = (name for name in sorted(variables, reverse=True) if name.startswith("ringfence_") and name not in _NO_FACTS)
    facts = [variables[name] for name in told]
    return {key: fact[key] for fact in facts if isinstance(fact, Mapping) for key in ("tags", "region") if key in fact}


def _asset(
    host: InventoryHost,
    reading: HostVariables,
    addresses: tuple[int, ...],
    claimed: tuple[int, ...],
    facts: Facts,
    settings: Settings,
    sources: tuple[str, ...],
) -> Asset:
    own_facts = fact_attributes(facts) if facts else {}
    attributes = plain_attributes({**_short_names(host.variables), **own_facts, **host.variables})
    if told := [root for root in own_facts if root in attributes and root not in host.variables]:
        attributes[TOLD] = dict.fromkeys(told, host.name)
    attributes.pop(LABEL_VALUES, None)
    attributes.pop(GIVEN, None)
    made_of_labels = plain_value(attributes.pop(LABEL_GROUPS, None))
    groups = [group for group in host.groups if not isinstance(made_of_labels, list) or group not in made_of_labels]
    attributes.update(name=host.name, groups=groups)
    if addresses:
        attributes["addresses"] = [address_text(point) for point in addresses]
    return Asset(
        name=host.name,
        addresses=addresses,
        labels=reading.labels(),
        realm=reading.word(REALM, DEFAULT_REALM),
        workload=reading.workload(),
        enforcer=reading.word(ENFORCER, usual_enforcer(host.variables)),
        sources=reading.sources() or sources,
        control=reading.control(settings.control),
        attributes=attributes,
        also=(wished,) if isinstance(wished := attributes.get(WISHED), str) and wished != host.name else (),
        claimed=claimed,
    )

"""Hosts with what they say of themselves, and records of other sources, for the tests of whose word counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset

from tests.unit.sources.asset_factory import asset


def host(
    name: str, *addresses: str, says: Mapping[str, object] | None = None, claims: tuple[str, ...] = (), **more: object
) -> Asset:
    """A host of a static inventory, with its facts and the addresses that it alone says it has."""
    facts = {"facts": dict(says), "told_by_host": {"facts": name}} if says else {}
    found = asset(name, *addresses, attributes={"name": name, "groups": [], **facts, **more})
    return replace(found, sources=("inventory/10-static.ini",), claimed=tuple(sorted(map(point_of, claims))))


def vm(name: str, *addresses: str, labels: Mapping[str, str] | None = None, **facts: object) -> Asset:
    """A machine of a hypervisor."""
    told = {"ringfence_vsphere": {"kind": "machine", **facts}}
    return replace(
        asset(name, *addresses, attributes={"name": name, "groups": [], **told}, labels=labels),
        sources=("inventory/20-vsphere.yml",),
    )


def row(name: str, *addresses: str) -> Asset:
    """A row of a table."""
    return replace(asset(name, *addresses, attributes={"name": name, "onprem": {}}), sources=("inventory/30.yml",))


def of(source: str, kind: str, name: str, *addresses: str, workload: bool = False, **facts: object) -> Asset:
    """A record of a plug-in that takes it for something that nothing enforces on."""
    told = {f"ringfence_{source}": {**({"kind": kind} if kind else {}), **facts}, "ringfence_workload": workload}
    return replace(
        asset(name, *addresses, attributes={"name": name, "groups": [], **told}, labels={"from": source}),
        sources=(f"inventory/40-{source}.yml",),
        workload=workload,
    )

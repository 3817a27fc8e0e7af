"""Assets as people and programs read them: rows of a list, plain data, and the story of one asset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from ringfence.model.addresses import address_text
from ringfence.model.assets import Asset, Label
from ringfence.model.label_rules import LabelRule
from ringfence.sources.host_told import CLAIMED, source_of_told
from ringfence.sources.host_variables import BY_NAME
from ringfence.sources.label_origins import Origin, origins
from ringfence.sources.merging import IDENTITY, STALE, contradictions, hosts_of

WIDEST_VALUE = 120
COLUMNS = ("asset", "addresses", "labels", "enforced by")
LABEL_COLUMNS = ("asset", "label", "value", "given by")


def rows(assets: Sequence[Asset]) -> Iterator[tuple[str, ...]]:
    """Yield a row an asset, under COLUMNS."""
    for asset in assets:
        yield (
            asset.name,
            " ".join(address_text(point) for point in asset.addresses),
            " ".join(f"{key}={label.value}" for key, label in sorted(asset.labels.items())),
            (asset.enforcer if asset.workload else "nothing") + (" (stale)" if STALE in asset.attributes else ""),
        )


def label_rows(assets: Sequence[Asset]) -> Iterator[tuple[str, ...]]:
    """Yield a row a label, under LABEL_COLUMNS."""
    for asset in assets:
        for key, label in sorted(asset.labels.items()):
            yield asset.name, key, label.value, given_by(label)


def asset_data(asset: Asset, rules: Sequence[LabelRule] | None) -> dict[str, object]:
    """Return an asset as plain data; with `rules` also where its labels came from."""
    labels: dict[str, object] = {key: label_data(label) for key, label in sorted(asset.labels.items())}
    if rules is not None:
        labels = {origin.key: origin.data() for origin in origins(asset, rules)}
    data: dict[str, object] = {
        "name": asset.name,
        "addresses": [address_text(point) for point in asset.addresses],
        "labels": labels,
        "sources": list(asset.sources),
        "realm": asset.realm,
        "workload": asset.workload,
        "enforcer": asset.enforcer,
    }
    data |= {name: asset.attributes[name] for name in (IDENTITY, STALE, CLAIMED) if name in asset.attributes}
    return data


def label_data(label: Label) -> dict[str, object]:
    """Return a label as plain data; `told` names the host on whose own word it rests."""
    return {"value": label.value, "rule": label.rule, **({"told": label.told} if label.told else {})}


def given_by(label: Label) -> str:
    """Return where a label came from, for people."""
    return f"{label.rule}, on the word of {source_of_told(label.told)}" if label.told else label.rule


def explained(asset: Asset, rules: Sequence[LabelRule]) -> Iterator[str]:
    """Return the lines that say where an asset and its labels came from."""
    yield asset.name
    yield f"  addresses  {' '.join(address_text(point) for point in asset.addresses) or 'none'}"
    claimed = asset.attributes.get(CLAIMED)
    if isinstance(claimed, list):
        yield f"  its word   {' '.join(map(str, claimed))}: addresses that no source has but the host itself"
    yield f"  sources    {', '.join(asset.sources) or 'none'}"
    identity = asset.attributes.get(IDENTITY)
    if isinstance(identity, dict):
        hosts = (f"{name} ({', '.join(sources)})" for name, sources in hosts_of(asset).items())
        yield f"  one of     {', '.join(hosts)}"
        yield f"  same by    {', '.join(identity['by'])}"
        for attribute, said in contradictions(asset):
            yield f"  differs    {attribute}: {', '.join(f'{value_text(value)} from {by}' for by, value in said)}"
    by_name = asset.attributes.get(BY_NAME)
    for source, labels in by_name.items() if isinstance(by_name, dict) else ():
        gave = f"; it gives {', '.join(labels)}" if labels else ""
        yield f"  by name    {source}, which was taken to mean this host by its name alone{gave}"
    stale = asset.attributes.get(STALE)
    if isinstance(stale, dict):
        yield f"  stale      since {stale['since']}, {stale['source']} is silent"
    for origin in origins(asset, rules):
        yield from _origin(origin)


def value_text(value: object) -> str:
    """Return a value of an attribute in one line of bounded width."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 1]}…"


def _origin(origin: Origin) -> Iterator[str]:
    said = origin.rule if origin.expression is None else f"{origin.rule}: {origin.expression}"
    yield f"  {origin.key}={origin.value}  {said}" + (f"  when {origin.when}" if origin.when else "")
    if origin.told:
        yield f"    on the word of {source_of_told(origin.told)}, about itself"
    for one in origin.evidence:
        source = f"  from {one.source}" if one.source else ""
        yield f"    {one.attribute} = {value_text(one.value)}{source}"

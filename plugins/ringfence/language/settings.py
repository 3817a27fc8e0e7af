"""`ringfence.yml` as the workspace's settings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableSequence
from pathlib import Path

from ringfence.language.asset_identity import read_identity
from ringfence.language.checking import check, fields, items
from ringfence.language.definitions import Definitions
from ringfence.language.documents import CONTROLS, read_documents, shown
from ringfence.language.emergency_settings import read_emergencies
from ringfence.language.mentions import Mention
from ringfence.language.nodes import Entry, Node, Scalar, Table
from ringfence.language.reports import Reports, meant
from ringfence.language.selectors import SelectorReader
from ringfence.language.shapes import (
    ENGINE,
    ControlEntry,
    FlowsEntry,
    InventoryEntry,
    RealmEntry,
    SettingsDocument,
    SizesEntry,
    TrustEntry,
    WavesEntry,
)
from ringfence.language.values import networks
from ringfence.language.watch_settings import read_watch
from ringfence.model.addresses import DEFAULT_REALM
from ringfence.model.assets import Control
from ringfence.model.errors import Place
from ringfence.model.rules import DUCKDB, EMERGENCY, Settings
from ringfence.model.selectors import Selector
from ringfence.model.spans import seconds

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def load_settings(path: Path, root: Path | None = None) -> Settings:
    """Return the settings that a file gives; where it is silent, or is not there, the defaults.

    Raise InputErrors with everything that is wrong, sorted by place.
    """
    reports = Reports()
    settings = read_settings(path, reports, root)
    reports.settle()
    return settings


def read_settings(
    path: Path, reports: Reports, root: Path | None = None, mentions: MutableSequence[Mention] | None = None
) -> Settings:
    """Return the settings as `load_settings` does, with a default for what is wrong and reported.

    What they speak of in the estate is added to `mentions`.
    """
    if not os.path.lexists(path):  # a link to nowhere is an error, not a workspace without the file
        return Settings()
    documents = read_documents(path, shown(path, root), reports, CONTROLS)
    if len(documents) > 1:
        reports.add(documents[1].place, "the settings are one document, and this is a second", "remove the '---'")
    return _settings(documents[0], reports, [] if mentions is None else mentions) if documents else Settings()


def _settings(node: Node, reports: Reports, mentions: MutableSequence[Mention]) -> Settings:
    document = check(node, SettingsDocument, "the settings", reports)
    written = fields(node)
    control = _control(written["control"].value, reports) if "control" in written else None
    realms = _realms(written["realms"].value, reports) if "realms" in written else {}
    private = networks(written["private"].value, reports)[1] if "private" in written else None
    tiers = _tiers(written["tiers"], reports) if "tiers" in written else None
    default = Settings()
    sizes, canary = _waves(written["waves"], reports, mentions) if "waves" in written else ((), None)
    return Settings(
        control=control,
        realms=realms,
        private=private or default.private,
        tiers=tiers or default.tiers,
        valid_days=(document.valid_days if document else None) or default.valid_days,
        waves=sizes or default.waves,
        canary=canary,
        trusted=_trusted(written["trust"].value, reports) if "trust" in written else (),
        fresh_for=_fresh_for(written["inventory"].value, reports) if "inventory" in written else 0,
        watch=read_watch(written["watch"].value, reports) if "watch" in written else default.watch,
        emergencies=read_emergencies(written["emergencies"].value, reports, mentions)
        if "emergencies" in written
        else default.emergencies,
        flows_engine=_flows_engine(written["flows"].value, reports) if "flows" in written else default.flows_engine,
        identity=read_identity(written["identity"].value, reports) if "identity" in written else default.identity,
    )


def _waves(
    entry: Entry, reports: Reports, mentions: MutableSequence[Mention]
) -> tuple[tuple[int, ...], Selector | None]:
    """Return the sizes of the first waves, empty where they are not said, and who may be the canary."""
    if not isinstance(entry.value, Table):
        short = check(Table(entry.place, (entry,)), SizesEntry, "the settings", reports)
        return tuple(short.waves) if short else (), None
    read = check(entry.value, WavesEntry, "'waves'", reports)
    written = fields(entry.value)
    canary = None
    if read and "canary" in written:
        reader = SelectorReader(Definitions(), reports)
        canary = reader.workload_selector(written["canary"].value)
        mentions.extend(reader.mentions)
    return tuple(read.sizes) if read and read.sizes else (), canary


def _control(node: Node, reports: Reports) -> Control | None:
    entry = check(node, ControlEntry, "'control'", reports)
    written = fields(node)
    if "from" not in written:
        return None
    texts = networks(written["from"].value, reports)[1]
    return Control.of(texts, entry.port) if entry and texts else None


def _trusted(node: Node, reports: Reports) -> tuple[str, ...]:
    """Return the networks in which an address counts on a host's own word."""
    check(node, TrustEntry, "'trust'", reports)
    written = fields(node)
    return networks(written["addresses"].value, reports)[1] if "addresses" in written else ()


def _fresh_for(node: Node, reports: Reports) -> int:
    """Return for how many seconds the answer of a dynamic source counts."""
    entry = check(node, InventoryEntry, "'inventory'", reports)
    return seconds(entry.fresh_for) if entry and entry.fresh_for else 0


def _flows_engine(node: Node, reports: Reports) -> str:
    """Return the engine of heavy questions to flows."""
    check(node, FlowsEntry, "'flows'", reports)
    written = fields(node)
    if "engine" not in written:
        return DUCKDB
    value = written["engine"].value
    if isinstance(value, Scalar) and isinstance(value.value, str) and re.fullmatch(ENGINE, value.value):
        return value.value
    said = f"'{value.text}' is" if isinstance(value, Scalar) else "this is"
    reports.add(
        value.place,
        f"{said} not a valid engine",
        f"write {DUCKDB}, or the master of a Spark cluster, as spark://spark.example.com:7077",
    )
    return DUCKDB


def _realms(node: Node, reports: Reports) -> Mapping[str, tuple[str, ...]]:
    written = fields(node)
    known = {DEFAULT_REALM, *written}
    realms: dict[str, tuple[str, ...]] = {}
    for name, entry in written.items():
        _refuse_name("realm", entry.place, name, reports)
        if isinstance(entry.value, Scalar) and entry.value.value is None:
            realms[name] = ()
            continue
        check(entry.value, RealmEntry, f"the realm '{name}'", reports)
        realms[name] = _seen(fields(entry.value).get("sees"), known, reports)
    return realms


def _seen(entry: Entry | None, known: set[str], reports: Reports) -> tuple[str, ...]:
    seen: list[str] = []
    for item in items(entry):
        if isinstance(item, Scalar) and isinstance(item.value, str):
            seen.append(item.value)
            if item.value not in known:
                remedy = meant(item.value, known, "the realms are")
                reports.add(item.place, f"no realm is named '{item.value}'", remedy)
    return tuple(dict.fromkeys(seen))


def _tiers(entry: Entry, reports: Reports) -> tuple[str, ...]:
    """Return the tiers with `emergency` in front, where it always stands."""
    tiers: list[str] = []
    for item in items(entry):
        if not (isinstance(item, Scalar) and isinstance(item.value, str)):
            continue
        _refuse_name("tier", item.place, item.value, reports)
        if item.value in tiers:
            reports.add(item.place, f"the tier '{item.value}' stands twice", "remove one")
        elif item.value == EMERGENCY and tiers:
            reports.add(item.place, f"'{EMERGENCY}' decides before all other tiers", "put it first, or leave it out")
        tiers.append(item.value)
    return tuple(dict.fromkeys((EMERGENCY, *tiers)))


def _refuse_name(what: str, place: Place, name: str, reports: Reports) -> None:
    if not NAME.fullmatch(name):
        reports.add(
            place,
            f"'{name}' is not a valid name for a {what}",
            "a letter or '_', then letters, digits, and any of _ . -",
        )

"""Small estates for the tests of sources: assets, label rules and inventories on disk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, settings
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Label
from ringfence.model.errors import Place
from ringfence.model.label_rules import LabelRule
from ringfence.model.rules import DEFAULT_PRIORITY
from ringfence.sources.host_row import Columns
from ringfence.sources.host_table import HostTable, Reading, read_host_tables

from tests.examples import examples

# A loaded machine takes its time over files and processes; that is no failure.
unhurried = settings(deadline=None, max_examples=examples(50), suppress_health_check=[HealthCheck.too_slow])
NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def asset(
    name: str,
    *addresses: str,
    attributes: Mapping[str, object] | None = None,
    labels: Mapping[str, str] | None = None,
    realm: str = "default",
) -> Asset:
    return Asset(
        name,
        tuple(sorted(point_of(address) for address in addresses)),
        {key: Label(value, "inventory") for key, value in (labels or {}).items()},
        realm,
        attributes=attributes or {},
    )


def rule(
    line: int,
    key: str,
    expression: str,
    *,
    when: str | None = None,
    values: Mapping[str, str] | None = None,
    priority: int = DEFAULT_PRIORITY,
) -> LabelRule:
    return LabelRule(key, expression, Place("labels.yml", line, 5), when, values or {}, priority)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read_host_table(path: Path, shown_as: str, columns: Columns, reading: Reading | None = None) -> HostTable:
    """Return the hosts of one table."""
    return read_host_tables([(path, shown_as)], columns, reading or Reading())

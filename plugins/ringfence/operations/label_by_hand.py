"""Labelling chosen assets: the rule that says so, what it would do, and writing it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.language.editing import add_label_rule
from ringfence.language.label_rules import BARE_WORD
from ringfence.language.writing import label_rule_lines
from ringfence.model.errors import InputError
from ringfence.model.label_rules import label_key_fault
from ringfence.model.label_texts import label_fault, label_text
from ringfence.operations.execution import Execution
from ringfence.operations.impact import ImpactRequest, impact
from ringfence.sources.host_variables import INVENTORY
from ringfence.suggest.labels import next_priority
from ringfence.wire.first_few import first_few
from ringfence.workspace import LABELS

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.flow_selection import FlowSelection


@dataclass(frozen=True, slots=True)
class LabelPreview:
    """The rule that would be written, and what it would do.

    `touched` are the assets that get another label, `replaced` those of them that had one with this key. `tables` is
    how many workloads take another table; flows are counted as `impact` does; `failing` are tests and invariants that
    hold now and would not then.
    """

    lines: tuple[str, ...]
    touched: tuple[str, ...]
    replaced: int
    tables: int
    newly_denied: int
    newly_allowed: int
    judged: int
    failing: tuple[str, ...] = ()


def label_rule_for(estate: Estate, names: Sequence[str], label: str) -> dict[str, object]:
    """Return the rule that gives assets, by their names, a label `key=value`, in the words of the grammar.

    Raise InputError for what is no label, for assets that there are not, and for those whose inventory says otherwise:
    no rule changes that.
    """
    key, sign, rest = label.partition("=")
    key, value = key.strip(), label_text(rest)
    fault = (None if sign and value else "is not a valid label") or label_fault(value) or label_key_fault(key)
    if fault:
        raise InputError(f"'{label}' {fault}", remedy="write key=value, as role=db")
    named = estate.snapshot.named()
    missing = [name for name in names if name not in named]
    if missing or not names:
        raise InputError(f"there is no asset {first_few(missing)}" if missing else "no asset is marked")
    given = [named[name].labels[key] for name in names if key in named[name].labels]
    fixed = sorted(name for name in names if (one := named[name].labels.get(key)) and one.rule == INVENTORY)
    if fixed:
        raise InputError(
            f"{first_few(fixed)}: the inventory itself gives {key}, and no rule changes that",
            remedy="change it there, or mark others",
        )
    listed = json.dumps(sorted(names), ensure_ascii=False).replace("`", "\\`")
    rules = estate.workspace.label_rules
    priority = (
        min((rule.priority for rule in rules if rule.key == key), default=1) - 1 if given else next_priority(rules)
    )
    if priority < 0:
        raise InputError(f"a rule of {key} has priority 0 already, and none comes before it", remedy="raise its number")
    quoted = json.dumps(value, ensure_ascii=False).replace("`", "\\`")
    return {
        key: value if BARE_WORD.fullmatch(value) else f"`{quoted}`",
        "when": f"contains(`{listed}`, name)",
        "priority": priority,
    }


def preview_label(
    estate: Estate, names: Sequence[str], label: str, flows: FlowSelection, execution: Execution | None = None
) -> LabelPreview:
    """Return what the rule of `label_rule_for` would do. Raise InputErrors as that and `impact` do."""
    rule = label_rule_for(estate, names, label)
    with tempfile.TemporaryDirectory(prefix="ringfence-labels-") as scratch:
        draft = Path(scratch) / LABELS
        source = estate.directory / LABELS
        draft.write_bytes(source.read_bytes() if source.exists() else b"")
        add_label_rule(draft, rule)
        with impact(estate, ImpactRequest(labels_file=draft), flows, execution) as found:
            categories = {str(category): count.flows for category, count in found.simulation.categories.items()}
            return LabelPreview(
                lines=tuple(label_rule_lines(rule, 2)),
                touched=tuple(sorted({one.asset for one in found.labels})),
                replaced=sum(one.before is not None for one in found.labels),
                tables=found.workloads,
                newly_denied=found.newly_denied,
                newly_allowed=categories.get("newly_allowed", 0),
                judged=found.judged,
                failing=tuple(one.name for one in found.failing),
            )


def write_label(estate: Estate, names: Sequence[str], label: str) -> None:
    """Write the rule into labels.yml. Raise InputErrors as `label_rule_for` does."""
    add_label_rule(estate.directory / LABELS, label_rule_for(estate, names, label))

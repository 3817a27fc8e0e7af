"""`labels.yml` as label rules, their JMESPath checked where it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ringfence.language.checking import check, fields, items, words_of
from ringfence.language.documents import CONTROLS_BUT_LINES, read_documents, shown
from ringfence.language.expressions import refuse_expression
from ringfence.language.nodes import Entry, Node, Scalar, Table, kind
from ringfence.language.reports import Reports, nearest
from ringfence.language.shapes import LabelRuleEntry, LabelsDocument
from ringfence.model.label_rules import LabelRule, label_key_fault
from ringfence.model.rules import DEFAULT_PRIORITY

# Beside `when`, a bare word is the label's value itself and no attribute of that name (`- role: db`, `when: …`).
BARE_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def load_label_rules(path: Path, root: Path | None = None) -> tuple[LabelRule, ...]:
    """Return the label rules of a file in their order; none where there is no file.

    Raise InputErrors with everything that is wrong, sorted by place.
    """
    reports = Reports()
    rules = read_label_rules(path, reports, root)
    reports.settle()
    return rules


def read_label_rules(path: Path, reports: Reports, root: Path | None = None) -> tuple[LabelRule, ...]:
    """Return the label rules as `load_label_rules` does, without those that are wrong and reported."""
    if not os.path.lexists(path):  # a link to nowhere is an error, not a workspace without the file
        return ()
    return read_label_documents(read_documents(path, shown(path, root), reports, CONTROLS_BUT_LINES), reports)


def read_label_documents(documents: Iterable[Node], reports: Reports) -> tuple[LabelRule, ...]:
    """Return the label rules of the documents of a file, without those that are wrong and reported."""
    rules: list[LabelRule | None] = []
    for document in documents:
        check(document, LabelsDocument, "a file of label rules", reports)
        rules.extend(_rule(node, reports) for node in items(fields(document).get("labels")))
    return tuple(rule for rule in rules if rule)


def _rule(node: Node, reports: Reports) -> LabelRule | None:
    if not isinstance(node, Table):
        reports.add(node.place, f"a label rule is a mapping, not {kind(node)}", "write '- env: tags.Environment'")
        return None
    before = len(reports)
    words = words_of(LabelRuleEntry)
    beside = Table(node.place, tuple(entry for entry in node if entry.key in words))
    said = check(beside, LabelRuleEntry, "a label rule", reports)
    written = fields(beside)
    when = _when(written, reports)
    labels = [entry for entry in node if entry.key not in words]
    if len(labels) != 1:
        names = ", ".join(f"'{entry.key}'" for entry in labels) or "none"
        where = labels[1].place if labels else node.place
        near = next((word for entry in labels if (word := nearest(entry.key, words))), None)
        remedy = f"did you mean '{near}'?" if near else "write '- env: tags.Environment'"
        reports.add(where, f"a label rule gives one label, this one has {names}", remedy)
        return None
    label = labels[0]
    if fault := label_key_fault(label.key):
        reports.add(label.place, fault, "rename the label")
    expression = _expression(label, "when" in written, reports)
    if said is None or expression is None or len(reports) > before:
        return None
    priority = DEFAULT_PRIORITY if said.priority is None else said.priority
    return LabelRule(label.key, expression, node.place, when, said.map or {}, priority, said.trust == "facts")


def _when(written: Mapping[str, Entry], reports: Reports) -> str | None:
    node = written["when"].value if "when" in written else None
    if not (isinstance(node, Scalar) and isinstance(node.value, str)):
        return None
    refuse_expression(node, node.value, reports)
    return node.value


def _expression(label: Entry, conditional: bool, reports: Reports) -> str | None:
    node = label.value
    if not isinstance(node, Scalar):
        reports.add(node.place, f"the value of '{label.key}' is {kind(node)}", "write one JMESPath expression")
        return None
    if not isinstance(node.value, str):
        remedy = f"write \"'{node.text}'\" for that word itself" if node.value is not None else "write an expression"
        reports.add(node.place, f"the value of '{label.key}' is {kind(node)}, not an expression", remedy)
        return None
    if conditional and BARE_WORD.fullmatch(node.value):
        return f"'{node.value}'"
    return node.value if refuse_expression(node, node.value, reports) else None

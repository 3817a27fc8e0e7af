"""Enforcement entries: which workloads are enforced, and how far, in each direction."""

from __future__ import annotations

from ringfence.language.checking import check, fields
from ringfence.language.nodes import Node, Scalar, Table, kind
from ringfence.language.reports import Reports, meant
from ringfence.language.selectors import SelectorReader
from ringfence.language.shapes import EnforceEntry, ModeEntry
from ringfence.model.rules import Enforcement, Mode


def read_enforcement(node: Node, selectors: SelectorReader) -> Enforcement | None:
    """Return one entry of `enforce`, or None after reporting what is wrong with it."""
    reports = selectors.reports
    entry = check(node, EnforceEntry, "an entry of 'enforce'", reports)
    written = fields(node)
    where = selectors.workload_selector(written["where"].value) if "where" in written else None
    modes = _modes(written["mode"].value, reports) if "mode" in written else None
    if entry is None or where is None or modes is None:
        return None
    return Enforcement(where, modes[0], modes[1], node.place, entry.cut)


def _modes(node: Node, reports: Reports) -> tuple[Mode, Mode] | None:
    """Return the inbound and the outbound mode."""
    if isinstance(node, Table):
        if not node.entries:
            reports.add(node.place, "the mode is empty", "write {inbound: full, outbound: observe}")
            return None
        entry = check(node, ModeEntry, "a mode", reports)
        return (Mode(entry.inbound), Mode(entry.outbound)) if entry else None
    known = [str(mode) for mode in Mode]
    if isinstance(node, Scalar) and node.text in known:
        return Mode(node.text), Mode(node.text)
    if isinstance(node, Scalar) and node.value is None:
        return None
    word = node.text if isinstance(node, Scalar) else ""
    reports.add(node.place, f"'mode' cannot be {kind(node)}", meant(word, known, "the modes are"))
    return None

"""The `emergencies` of `ringfence.yml`: guardrails, and who approves what."""

from __future__ import annotations

from collections.abc import MutableSequence

from ringfence.language.checking import check, fields, items
from ringfence.language.definitions import Definitions
from ringfence.language.mentions import Mention
from ringfence.language.nodes import Node
from ringfence.language.reports import Reports
from ringfence.language.selectors import SelectorReader
from ringfence.language.shapes import ApprovalEntry, EmergenciesEntry
from ringfence.model.emergency_settings import EMERGENCY_DEFAULTS, Approval, EmergencySettings


def read_emergencies(node: Node, reports: Reports, mentions: MutableSequence[Mention]) -> EmergencySettings:
    """Return what is written under `emergencies`; defaults for what is wrong and reported."""
    entry = check(node, EmergenciesEntry, "'emergencies'", reports)
    if entry is None:
        return EMERGENCY_DEFAULTS
    written = fields(node)
    found = [_approval(one, reports, mentions) for one in items(written.get("approvals"))]
    approvals = tuple(one for one in found if one is not None)
    if approvals and not entry.allowed_signers:
        place = written["approvals"].place
        reports.add(place, "nobody can approve without a file of signers", "write 'allowed_signers: approvers'")
    return EmergencySettings(entry.pass_guardrails, entry.allowed_signers or "", approvals)


def _approval(node: Node, reports: Reports, mentions: MutableSequence[Mention]) -> Approval | None:
    entry = check(node, ApprovalEntry, "an approval", reports)
    written = fields(node)
    if entry is None or "where" not in written:
        return None
    reader = SelectorReader(Definitions(), reports)
    where = reader.workload_selector(written["where"].value)
    mentions.extend(reader.mentions)
    return Approval(where, tuple(entry.by), node.place, entry.second_factor) if where is not None else None

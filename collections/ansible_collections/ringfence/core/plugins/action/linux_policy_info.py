# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell what a host enforces, its counters and what it denied."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import TargetAction
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.held_state import (
    full_records,
    held,
    recorded,
    unrecorded,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan


class ActionModule(TargetAction):
    """ringfence.core.linux_policy_info."""

    ARGUMENTS: ClassVar = {"plan": {"type": "path"}, "counters": {"type": "bool", "default": True}}
    VARIABLES: ClassVar = ("plan",)

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Return what the host holds; with a plan, rules come with their names."""
        rules = load_plan(arguments["plan"]).data.get("rules", {}) if arguments["plan"] else {}
        reply = self.ask("status", {"listing": "1"} if arguments["counters"] else {})
        result = {"changed": False, **held(reply)}
        if arguments["counters"]:
            listing = reply.sections.get("listing", "")
            with self.judging("its table"):
                result["counters"], result["denials"] = recorded(listing, rules)
                result["denials_full"] = full_records(listing, rules)
            result["warnings"] = unrecorded(result["denials_full"])
        return result

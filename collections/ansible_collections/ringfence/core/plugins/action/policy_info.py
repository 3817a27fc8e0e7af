# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell what a host enforces, its counters and what it denied."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement, too_old
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_status import (
    forwards,
    full_records,
    held,
    recorded,
    unrecorded,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.other_firewalls import other_firewalls
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.policy_action import WITHOUT_PLAN, PolicyAction
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan


class ActionModule(PolicyAction):
    """ringfence.core.policy_info."""

    VERB: ClassVar = "info"
    ARGUMENTS: ClassVar = {"plan": {"type": "path"}, "counters": {"type": "bool", "default": True}, **WITHOUT_PLAN}
    VARIABLES: ClassVar = ("plan", *WITHOUT_PLAN)

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Return what the host holds; with a plan, rules come with their names."""
        rules = load_plan(arguments["plan"]).data.get("rules", {}) if arguments["plan"] else {}
        reply, without = self._status({"listing": "1"} if arguments["counters"] else {})
        result = {"changed": False, **held(reply, self.enforcer)}
        result["features"] = {**result["features"], **without}
        if arguments["counters"]:
            listing = reply.sections.get("listing", "")
            with self.judging("its table"):
                result["counters"], result["denials"] = recorded(listing, rules, self.enforcer)
                result["denials_full"] = full_records(listing, rules, self.enforcer)
            result["warnings"] = unrecorded(result["denials_full"])
            result["beside"] = other_firewalls(reply)
            result["forwards"] = forwards(reply)
        return result

    def _status(self, values: dict[str, str]) -> tuple[Reply, dict[str, str | bool | int]]:
        """Return the host's status, and what it told to other enforcers than to the one that answers here.

        Where nobody says which enforcer it has, and the usual one's programs are not there or too old, the others are
        tried: from what they are told a plan chooses.
        """
        usual = self.enforcer
        try:
            reply = self.ask("status", values)
        except TargetFailure as failure:
            missing = enforcement(usual).MISSING
            if self.named or failure.rule != missing:
                raise
            instead = self.instead("status", values)
            if instead is None:
                raise
            return instead, {missing: "", **self.without}
        told = enforcement(usual).features(reply)
        if reply.last("holder") and (theirs := self.instead("status", values)) is not None:
            return theirs, {**told, **self.without}
        instead = None if self.named or not too_old(usual, told) else self.instead("status", values)
        if instead is None:
            return reply, {**self.without}
        others = enforcement(self.enforcer).features(instead)
        if not too_old(self.enforcer, others):
            return instead, {**told, **self.without}
        self.enforcer = usual
        return reply, others

# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Confirm, over a new connection, the plan that waits on a host."""

from __future__ import annotations

from typing import ClassVar

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply, confirmation
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.policy_action import PolicyAction
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.journal import Journal
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan, load_plan


class ActionModule(PolicyAction):
    """ringfence.core.policy_confirm."""

    VERB: ClassVar = "confirm"
    ARGUMENTS: ClassVar = {
        "plan": {"type": "path", "required": True},
        "journal": {"type": "path"},
        "patience": {"type": "int", "default": 10},
        "run": {"type": "path"},
    }
    VARIABLES: ClassVar = ("plan", "journal", "run")

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Return whether this confirmation was the one that counted."""
        plan = load_plan(arguments["plan"])
        host = plan.host(task_vars["inventory_hostname"])
        result = {"plan": plan.identity, "ruleset": host.ruleset}
        if self._task.check_mode:
            waiting = self.ask("status", {}).last("pending_plan") == plan.digest
            return {**result, "changed": waiting, "state": "waiting" if waiting else "unknown"}
        try:
            with self.new_connection(arguments["patience"]):
                reply = self.ask("confirm", confirmation(plan, host))
        except (AnsibleConnectionFailure, TargetFailure) as error:
            if not self._took(plan, error):
                raise
            reply = Reply({"changed": ["yes"]})
        self.note(Journal(plan, arguments["journal"]), host.name, "confirmed")
        return {**result, "changed": reply.last("changed") == "yes", "state": "confirmed"}

    def _took(self, plan: Plan, error: Exception) -> bool:
        """Return whether the host took a confirmation whose reply was lost; what it refused it did not take."""
        if isinstance(error, TargetFailure) and error.state == "refused":
            return False
        try:
            now = self.ask("status", {})
        except (AnsibleConnectionFailure, TargetFailure):
            return False
        return now.last("plan") == plan.digest and "confirmed" in now.all("stands") and not now.last("pending")

# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put the last confirmed table back on a host where another one waits for its confirmation."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.policy_action import WITHOUT_PLAN, PolicyAction
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.journal import Journal
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan


class ActionModule(PolicyAction):
    """ringfence.core.policy_rollback."""

    VERB: ClassVar = "rollback"
    ARGUMENTS: ClassVar = {
        "plan": {"type": "path"},
        "journal": {"type": "path"},
        "run": {"type": "path"},
        **WITHOUT_PLAN,
    }
    VARIABLES: ClassVar = ("plan", "journal", "run", *WITHOUT_PLAN)

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Return what stands after it."""
        plan = load_plan(arguments["plan"]) if arguments["plan"] else None
        if self._task.check_mode:
            status = self.ask("status", {})
            waits = bool(status.last("pending")) and (plan is None or status.last("pending_plan") == plan.digest)
            return {"changed": waits, "state": "waiting" if waits else "unchanged"}
        # a host where another plan waits refuses
        reply = self.ask("rollback", {"plan": plan.digest} if plan else {})
        changed = reply.last("changed") == "yes"
        state = reply.last("state")
        if plan and changed:
            host = str(task_vars["inventory_hostname"])
            self.note(Journal(plan, arguments["journal"]), host, "rolled back", reply.last("reason"), state)
        result = {"changed": changed, "state": state}
        if state == "open":
            result.update(failed=True, msg=reply.last("reason"))
        return result

# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Have a host look up the names of its policy now."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.policy_action import WITHOUT_PLAN, PolicyAction


class ActionModule(PolicyAction):
    """ringfence.core.policy_refresh."""

    VERB: ClassVar = "refresh"
    ARGUMENTS: ClassVar = {"run": {"type": "path"}, **WITHOUT_PLAN}
    VARIABLES: ClassVar = ("run", *WITHOUT_PLAN)

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Return what became of each name; the table itself stays as it is."""
        if self._task.check_mode:
            return {"changed": False, "names": [], "state": "unchanged"}
        reply = self.ask("refresh", {})
        result: dict = {"changed": False, "names": reply.all("process"), "state": reply.last("state")}
        if reply.last("answers"):
            result.update(failed=True, state="failed", msg=reply.last("answers"))
        return result

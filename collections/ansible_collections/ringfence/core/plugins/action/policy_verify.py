# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read a host's table back and prove that it is the plan's."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import JUDGING
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_limits import Overrun, limited
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.policy_action import PolicyAction
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import unjudged, verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import check_signature, load_plan


class ActionModule(PolicyAction):
    """ringfence.core.policy_verify."""

    VERB: ClassVar = "verify"
    ARGUMENTS: ClassVar = {
        "plan": {"type": "path", "required": True},
        "allowed_signers": {"type": "path"},
        "fail_on_drift": {"type": "bool", "default": True},
    }
    VARIABLES: ClassVar = ("plan", "allowed_signers")

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Return the drift; with `fail_on_drift` any is a failure."""
        plan = load_plan(arguments["plan"])
        host = plan.host(task_vars["inventory_hostname"])
        check_signature(plan, arguments["allowed_signers"])
        reply = self.ask("status", {"listing": "1"})
        try:
            with limited(JUDGING):
                found = verify(plan, host, reply)
        except Overrun:
            found = unjudged(
                reply,
                f"this host's table cannot be compared within {JUDGING} s: it is not a Ringfence table",
                self.enforcer,
            )
        result = {"changed": False, "plan": plan.identity, **found}
        result["state"] = "drifted" if result["drift"] else "verified"
        if result["drift"]:
            result["msg"] = "\n".join(result["drift"][:20])
            result["failed"] = arguments["fail_on_drift"]
        return result

# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put emergencies on a host, quarantines and permissions, or end them, and tell what its kernel holds then."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import ONCE, TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.given_emergency import given_to
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import (
    NOT_AS_TOLD,
    approval_values,
    clock_values,
    emergency_entries,
    emergency_order,
    held_lines,
    kept_lines,
    read_emergencies,
    unlike_told,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply, control_ranges
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.policy_action import WITHOUT_PLAN, PolicyAction
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.quick_key_exchange import quick_exchange_of
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.run_files import working_on_a_host


class ActionModule(PolicyAction):
    """ringfence.core.emergency."""

    VERB: ClassVar = "emergency"
    ARGUMENTS: ClassVar = {
        "emergency": {"type": "raw", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "control": {"type": "dict", "default": {}},
        "approval": {"type": "dict", "default": {}},
        "run": {"type": "path"},
        "seen": {"type": "path"},
        **WITHOUT_PLAN,
    }
    VARIABLES: ClassVar = ("emergency", "control", "approval", "run", "seen", *WITHOUT_PLAN)

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Return the result; whoever ends the emergency sees meanwhile that this works on the host."""
        with working_on_a_host(None if self._task.check_mode else arguments.get("seen")):
            return super().act(arguments, task_vars)

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Return what the host holds; not to hold what it was given, or to hold what it was to end, is a failure."""
        absent = arguments["state"] == "absent"
        inventory = (task_vars.get("groups") or {}).get("all")
        given, nowhere = given_to(str(task_vars["inventory_hostname"]), arguments["emergency"], inventory, ends=absent)
        if not given:
            return {"changed": False, "state": "unasked", "emergencies": "", "entries": [], "warnings": nowhere}
        put, ends = ("", given.split()) if absent else (given, [])
        lines = emergency_order(put, ends)
        values = {"check": "1" if self._task.check_mode else "", **clock_values(), **_control(arguments["control"])}
        values |= approval_values(arguments["approval"], str(task_vars["inventory_hostname"]))
        reply = self._ask(values, lines)
        found = read_emergencies(reply)
        # what is kept already and the kernel lacks is loaded again
        again = self._task.check_mode and bool(unlike_told(found, put, ends))
        result = {
            "changed": reply.last("changed") == "yes" or again,
            "state": reply.last("state"),
            "emergencies": held_lines(found),
            "entries": emergency_entries(found),
            "drift": list(found.drift),
            "warnings": [*nowhere, *reply.all("warning"), *reply.all("persistence")],
        }
        if self._task.diff:
            before, after = kept_lines(reply, put, ends)
            result["diff"] = {"before": before, "after": after}
        if not self._task.check_mode:
            result.update(_failed(unlike_told(found, put, ends)))
        return result

    def ssh_args(self) -> str:
        """Return the arguments of every order, with quick key exchanges first."""
        return f"{ONCE} {quick_exchange_of(self._connection)}"

    def _ask(self, values: dict[str, str], lines: str) -> Reply:
        return self.ask("emergency", values, lines.encode())


def _control(given: dict) -> dict[str, str]:
    """Return the control path that stays open beside those which the host knows of."""
    if not given:
        return {}
    try:
        port = int(given.get("port", 22))
        return {"control": control_ranges([str(one) for one in given["from"]]), "port": str(port)}
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError("input", f"control must be {{from: [networks], port: number}}: {error}") from error


def _failed(wrong: list[str]) -> dict:
    """Return the failure of a host whose kernel does not have what it was told, empty where it does."""
    if not wrong:
        return {}
    failure = TargetFailure("unknown", "kernel", f"{NOT_AS_TOLD}: {'; '.join(wrong[:3])}")
    return {"failed": True, "state": failure.state, "rule": failure.rule, "msg": str(failure)}

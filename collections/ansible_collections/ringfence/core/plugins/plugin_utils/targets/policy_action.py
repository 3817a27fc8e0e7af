# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An action on a host's policy: which enforcer the host has is found, and that enforcer's part does the work."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import USUAL, enforcement, installed
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Plan, PlanError, load_plan
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.run_files import lives, working_on_a_host

from .action import TargetAction, TargetFailure
from .orders import Reply

# What an action takes that may have no plan: else the plan says it.
WITHOUT_PLAN: dict[str, dict] = {"enforcer": {"type": "str"}, "enforcers": {"type": "dict", "default": {}}}


class PolicyAction(TargetAction):
    """Hands the whole action to an enforcer that does it by itself, and else carries it out by the target's script."""

    VERB: ClassVar[str] = ""
    # Whether somebody says which enforcer the host has.
    named = False
    without: dict[str, str]

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Return the result of the host's own enforcer, or of the target's script.

        Raise PlanError where the process that wanted it is gone: an Ansible that it left behind begins no other host.
        """
        run = None if self._task.check_mode else arguments.get("run")
        with working_on_a_host(run):
            # apply asks that by itself, once a pause is over
            if run and self.verb(arguments) != "apply" and not lives(run):
                raise PlanError("run", "the command that wanted this was killed, so this host was not asked")
            return self._act(arguments, task_vars)

    def _act(self, arguments: dict, task_vars: dict) -> dict:
        plan = load_plan(arguments["plan"]) if arguments.get("plan") else None
        self.enforcer, self.named = _of_host(plan, task_vars["inventory_hostname"], arguments)
        self.without = {}
        # what every apply asks of its plan and journal comes first
        whole = self.verb(arguments) != "apply" and self.by_itself(arguments, task_vars)
        return whole or self.carry_out(arguments, task_vars)

    def by_itself(self, arguments: dict, task_vars: dict) -> dict | None:
        """Return the result of an enforcer that does its work by itself, None for one that the target's script does.

        Raise PlanError where this release has no part for the enforcer.
        """
        package: Any = enforcement(self.enforcer)
        return package.act(self.verb(arguments), self, arguments, task_vars) if hasattr(package, "act") else None

    def instead(self, verb: str, values: dict[str, str]) -> Reply | None:
        """Return the reply of another enforcer's part, which is the host's from now on; None where none does it.

        `without` has an empty version for what the host said meanwhile that it does not have.
        """
        before = self.enforcer
        for name in installed():
            if name != before and not hasattr(enforcement(name), "act"):
                self.enforcer = name
                try:
                    return self.ask(verb, values)
                except TargetFailure as failure:
                    if failure.rule == enforcement(name).MISSING:
                        self.without[failure.rule] = ""
                    self.enforcer = before
        return None

    def verb(self, arguments: dict) -> str:
        """Return what the action does, in the word that enforcers know."""
        return self.VERB

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Do the work by orders to the target's script, and return what goes into the result."""
        raise NotImplementedError


def _of_host(plan: Plan | None, host: str, arguments: dict) -> tuple[str, bool]:
    """Return the enforcer of a host, as the plan says, else as somebody gave it; and whether one of them does."""
    if plan is not None and host in plan.data["hosts"]:
        return plan.host(host).enforcer, True
    if plan is not None and "enforcer" not in arguments:
        raise PlanError("host", f"plan {plan.identity} has no entry for {host}")
    given = arguments.get("enforcers") or {}
    name = arguments.get("enforcer") or given.get(host)
    return str(name or USUAL), bool(name)

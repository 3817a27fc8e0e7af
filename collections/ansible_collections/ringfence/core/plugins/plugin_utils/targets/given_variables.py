# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Variables as people gave them: by the inventory, the play or the command line, never by what a host answered.

Ansible lays a host's facts over the variables that the inventory has for it, and results and `set_fact` over those of
the play. A variable of ours that a host could say would be its choice of a file on the controller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ansible.playbook.task import Task
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError

PREFIX = "ringfence_"
# What a warning shows of names that hosts chose.
_NAME = re.compile(r"[A-Za-z0-9_]{1,60}", re.ASCII)
NAMED = 5
# Where every supported release of ansible-core keeps what hosts said: facts, and results with `set_fact`.
CACHES = ("_fact_cache", "_nonpersistent_fact_cache")
# Ansible gives the name of a task's host among that host's variables, over which it lays facts and `set_fact`.
NAME_OF_HOST = "inventory_hostname"


class _NoFacts(dict):
    """A cache of facts, for any release of ansible-core, that has none of any host."""

    def get(self, _host: object, _default: object = None) -> dict:
        """Return no facts."""
        return {}


class GivenVariables:
    """The variables of one task on one host without what hosts said.

    Raise PlanError where a host's fact says whose task this is: the host would act under another's name.
    """

    def __init__(self, task: Task, task_vars: Mapping[str, object]) -> None:
        self._task = task
        self._all = task_vars
        self.host = str(task_vars[NAME_OF_HOST])
        facts = task_vars.get("ansible_facts")
        self._facts = {str(name) for name in facts} if isinstance(facts, dict) else set()
        self._manager = getattr(task_vars.get("hostvars"), "_variable_manager", None) or task.get_variable_manager()
        results = getattr(self._manager, CACHES[1], {})
        self._said = {str(name) for name in results.get(self.host) or {}}
        if NAME_OF_HOST in self._facts or any(said.get(NAME_OF_HOST) == self.host for said in results.values() if said):
            raise PlanError("variables", f"a fact or result is named {NAME_OF_HOST}: a host must not set its own name")

    def all(self) -> Mapping[str, object]:
        """Return every variable that people gave, as it is written. Raise PlanError where that cannot be told."""
        if not self._facts and not self._said:
            return self._all
        known = vars(self._manager) if self._manager is not None else {}
        if not all(cache in known for cache in CACHES):
            raise PlanError(
                "variables", "this release of ansible-core does not separate a host's facts from the inventory"
            )
        # the same variables, looked up by a manager that no host has ever told anything
        manager = object.__new__(type(self._manager))
        manager.__dict__.update(known, **{cache: _NoFacts() for cache in CACHES})
        found = manager.get_vars(
            play=self._task.get_play(), host=manager._inventory.get_host(self.host), task=self._task
        )
        # what the executor adds for a task, none of it from a host
        return {**{name: self._all[name] for name in ("omit", "hostvars") if name in self._all}, **found}

    def ignored(self, names: Iterable[str]) -> str:
        """Return the warning for variables of ours that the host gives, empty where it gives none."""
        told = {name for name in self._facts if name.startswith(PREFIX)} | (self._said & set(names))
        if not told:
            return ""
        shown = ", ".join(sorted(name for name in told if _NAME.fullmatch(name))[:NAMED])
        return (
            f"{self.host}: {len(told)} facts or results of this host have names of Ringfence variables and are "
            f"ignored{': ' if shown else ''}{shown}; set such variables in the inventory or on the command line"
        )

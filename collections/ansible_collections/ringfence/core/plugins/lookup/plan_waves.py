# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sizes of a plan's waves."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan_waves
author: The Ringfence developers (@ringfence)
version_added: 0.1.0
short_description: The sizes of a plan's waves
description:
  - Returns the number of hosts of a run in each wave.
  - Intended for the C(serial) of a play whose C(hosts) are those of P(ringfence.core.plan_hosts#lookup).
options:
  _terms:
    description: The plan's directory.
    required: true
    type: list
    elements: path
  hosts:
    description: The hosts of the run, C(ansible_play_hosts_all); with a limit they are fewer than the plan's.
    required: true
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Roll a plan out
  hosts: "{{ lookup('ringfence.core.plan_hosts', ringfence_plan, wantlist=true) }}"
  gather_facts: false
  serial: "{{ lookup('ringfence.core.plan_waves', ringfence_plan, hosts=ansible_play_hosts_all, wantlist=true) }}"
"""

RETURN = r"""
_raw:
  description: Numbers of hosts, without waves that have none in this run.
  type: list
  elements: int
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError, load_plan


class LookupModule(LookupBase):
    """ringfence.core.plan_waves."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: object) -> list[int]:
        """Return the sizes."""
        self.set_options(var_options=variables, direct=kwargs)
        here = set(self.get_option("hosts"))
        try:
            plans = [load_plan(term) for term in terms]
        except PlanError as error:
            raise AnsibleLookupError(str(error)) from None
        sizes = [len(here.intersection(wave)) for plan in plans for wave in plan.waves]
        return [size for size in sizes if size]

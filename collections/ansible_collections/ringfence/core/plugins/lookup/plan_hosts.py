# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hosts of a plan in the order of its waves."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan_hosts
author: The Ringfence developers (@ringfence)
version_added: 0.1.0
short_description: The hosts of a plan, in the order of its waves
description:
  - Returns the hosts that a plan changes, in the order of its waves.
  - Intended for the C(hosts) of a play.
options:
  _terms:
    description: The plan's directory.
    required: true
    type: list
    elements: path
"""

EXAMPLES = r"""
- name: Roll a plan out
  hosts: "{{ lookup('ringfence.core.plan_hosts', ringfence_plan, wantlist=true) }}"
  gather_facts: false
"""

RETURN = r"""
_raw:
  description: Host names.
  type: list
  elements: str
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError, load_plan


class LookupModule(LookupBase):
    """ringfence.core.plan_hosts."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: object) -> list[str]:
        """Return the host names."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            plans = [load_plan(term) for term in terms]
        except PlanError as error:
            raise AnsibleLookupError(str(error)) from None
        return [host for plan in plans for wave in plan.waves for host in wave]

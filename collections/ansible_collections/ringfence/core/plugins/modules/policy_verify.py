#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_verify, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_verify
short_description: Prove that a host enforces its plan
description:
  - Reads the kernel's table back, turns it into a verdict table and compares it with the plan's for every address, port
    and process. No difference is a proof; any difference is told as what is open or closed that should not be.
  - The maps of units and users must hold the current cgroup of every planned unit that runs, and nobody else's.
options:
  plan:
    required: true
  fail_on_drift:
    description: Whether drift is a failure.
    type: bool
    default: true
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.reading
  - ringfence.core.target.plan
  - ringfence.core.target.signers
"""

EXAMPLES = r"""
- name: Prove it
  ringfence.core.policy_verify:
    plan: plans/5f3a0c1d2e4b
"""

RETURN = r"""
state:
  description: V(verified), V(drifted), V(refused), V(unreachable), V(silent), or V(unknown) for no valid answer.
  returned: always
  type: str
drift:
  description: A sentence for everything that is not as the plan says, none where all is proven. Of very many
    differences the gravest are told and the rest counted; RV(differences) has five thousand of them.
  returned: success or drift
  type: list
  elements: str
differences:
  description: Differences of the verdict table as data, with C(change), C(direction), C(remote), C(services) and more.
  returned: success or drift
  type: list
  elements: dict
not_proven:
  description: >-
    What other tables or settings of the host do that the table does not see, such as NAT or forwarding; and units that
    are starting or stopping, whose rules are not judged.
  returned: success or drift
  type: list
  elements: str
dead_elements:
  description: How many elements belong to cgroups that are gone; the next apply prunes them.
  returned: success or drift
  type: int
leftovers:
  description: How many maps and chains an interrupted load has left. Nothing leads to them, and the next load removes
    them.
  returned: success or drift
  type: int
standing:
  description: How many connections the table knows from before it first stood.
  returned: success or drift
  type: int
answers:
  description:
    - For every name that the plan's rules name, the addresses that the host holds for it, each with its C(age) in
      seconds. They are filled in by the host and are no part of the proof, which holds whatever they are.
  returned: success or drift
  type: dict
held:
  description: What the host holds, as P(ringfence.core.policy_info#module) tells it.
  returned: success or drift
  type: dict
"""

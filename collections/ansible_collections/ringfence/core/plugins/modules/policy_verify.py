#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_verify, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_verify
short_description: Prove that a host enforces its plan
description:
  - Reads the table back from the kernel, converts it to a verdict table and compares it with the plan's for every
    address, port and process. If there is no difference, enforcement is proven; each difference is reported as what is
    wrongly open or closed.
  - The maps of units and users must contain the current cgroup of every planned unit that is running, and nothing else.
options:
  plan:
    required: true
  fail_on_drift:
    description: Whether drift makes the task fail.
    type: bool
    default: true
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.reading
  - ringfence.core.target.plan
  - ringfence.core.target.signers
"""

EXAMPLES = r"""
- name: Verify the plan on every host
  ringfence.core.policy_verify:
    plan: plans/5f3a0c1d2e4b
"""

RETURN = r"""
state:
  description: V(verified), V(drifted), V(refused), V(unreachable), V(silent), or V(unknown) if the answer is not valid.
  returned: always
  type: str
drift:
  description: One sentence per deviation from the plan; empty if everything is proven. If there are very many, the most
    serious are listed and the rest counted; RV(differences) has up to 5,000 of them.
  returned: success or drift
  type: list
  elements: str
differences:
  description: Differences of the verdict table as data, with C(change), C(direction), C(remote), C(services) and more.
  returned: success or drift
  type: list
  elements: dict
older:
  description: >-
    That another release of Ringfence wrote the units of the host otherwise, with the command that ends it.
    That is no drift.
  returned: success or drift
  type: list
  elements: str
not_proven:
  description: >-
    What other tables or settings of the host do outside of this table, such as NAT or forwarding; and units that are
    starting or stopping, whose rules are not checked.
  returned: success or drift
  type: list
  elements: str
dead_elements:
  description: How many elements belong to deleted cgroups; the next apply removes them.
  returned: success or drift
  type: int
leftovers:
  description: How many maps and chains an interrupted load left behind. Nothing refers to them, and the next load
    removes them.
  returned: success or drift
  type: int
standing:
  description: How many connections in the table were established before it was first loaded.
  returned: success or drift
  type: int
answers:
  description:
    - For every name in the plan's rules, the addresses that the host has for it, each with its C(age) in seconds. The
      host fills them in; they are not part of the proof, which is valid for any addresses.
  returned: success or drift
  type: dict
forwards:
  description: What the host forwards for others, that no table of this collection judges, one sentence each.
  returned: success or drift
  type: list
  elements: str
beside:
  description:
    - The other tables of the host, of nft, both variants of iptables and ipset, as they are listed - text, compressed
      by zlib, in base64. C(ringfence explain) judges by them.
  returned: success or drift
  type: str
held:
  description: What the host holds, as P(ringfence.core.policy_info#module) reports it.
  returned: success or drift
  type: dict
"""

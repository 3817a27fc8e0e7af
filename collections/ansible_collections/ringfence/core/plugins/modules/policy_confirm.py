#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_confirm, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_confirm
short_description: Confirm a plan that is pending on a host
description:
  - Opens a new connection to the host and confirms the plan over it. P(ringfence.core.policy#module) does this by
    itself. Use this module if the controller was lost before the confirmation and the plan is still pending on the
    target.
  - The target accepts the confirmation only over a connection that began after the swap.
options:
  plan:
    required: true
  patience:
    description: Seconds within which the new connection must be established.
    type: int
    default: 10
attributes:
  check_mode:
    description: Reports whether the plan is pending.
    support: full
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.no_diff
  - ringfence.core.target.plan
  - ringfence.core.target.journal
  - ringfence.core.target.run
"""

EXAMPLES = r"""
- name: Confirm the plan that waits
  ringfence.core.policy_confirm:
    plan: plans/5f3a0c1d2e4b
"""

RETURN = r"""
state:
  description: V(confirmed), V(refused), V(unreachable), V(silent) or V(unknown).
  returned: always
  type: str
plan:
  description: The plan's short name.
  returned: success
  type: str
ruleset:
  description: The digest of the enforced ruleset.
  returned: success
  type: str
"""

#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_confirm, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_confirm
short_description: Confirm a plan that waits on a host
description:
  - Opens a new connection to the host and confirms the plan over it. P(ringfence.core.policy#module) does so by
    itself; this is for a plan whose controller was lost in between, while the target still waits.
  - The target takes the confirmation only from a connection that began after the swap.
options:
  plan:
    required: true
  patience:
    description: Seconds in which the new connection must stand.
    type: int
    default: 10
attributes:
  check_mode:
    description: Says whether the plan waits.
    support: full
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.no_diff
  - ringfence.core.target.plan
  - ringfence.core.target.journal
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
  description: The digest of the ruleset that stands.
  returned: success
  type: str
"""

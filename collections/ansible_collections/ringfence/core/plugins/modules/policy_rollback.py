#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_rollback, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_rollback
short_description: Restore the last confirmed table of a host
description:
  - Cancels a pending confirmation on a host and restores the last confirmed table at once. If nothing is pending,
    nothing changes.
  - To return to an older confirmed plan, make a new plan from it with C(ringfence rollback).
attributes:
  check_mode:
    description: Reports whether anything is pending.
    support: full
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.enforcer
  - ringfence.core.target.no_diff
  - ringfence.core.target.plan
  - ringfence.core.target.journal
  - ringfence.core.target.run
"""

EXAMPLES = r"""
- name: Go back to the last confirmed table
  ringfence.core.policy_rollback:
"""

RETURN = r"""
state:
  description:
    - V(restored), the last confirmed table is enforced again; V(confirmed), it was enforced all the time; V(none),
      there is none; V(open), it did not load and the host is open, which is a failure; V(refused), a different plan
      than O(plan) is pending, or the kernel's state cannot be read (rule V(unknown)), in which case the host keeps
      trying; V(unreachable); V(silent); or V(unknown), the answer is not valid.
  returned: always
  type: str
"""

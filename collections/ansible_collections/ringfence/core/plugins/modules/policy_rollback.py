#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_rollback, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_rollback
short_description: Put the last confirmed table back on a host
description:
  - Ends the wait for a confirmation on a host and puts the last confirmed table back at once. Where nothing waits,
    nothing changes.
  - To go back behind a confirmed plan make a plan of the older one with C(ringfence rollback); that is a plan too.
attributes:
  check_mode:
    description: Says whether anything waits.
    support: full
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.enforcer
  - ringfence.core.target.no_diff
  - ringfence.core.target.plan
  - ringfence.core.target.journal
"""

EXAMPLES = r"""
- name: Go back to the last confirmed table
  ringfence.core.policy_rollback:
"""

RETURN = r"""
state:
  description:
    - V(restored), the last confirmed table stands again; V(confirmed), it stood all the time; V(none), there is none;
      V(open), it did not load and the host is open, which is a failure; V(refused), another plan than O(plan) waits, or
      the kernel does not tell what it has (rule V(unknown)), then the host goes on trying; V(unreachable), V(silent),
      or V(unknown) for no valid answer.
  returned: always
  type: str
"""

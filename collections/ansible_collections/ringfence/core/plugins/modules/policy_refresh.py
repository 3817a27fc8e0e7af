#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_refresh, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_refresh
short_description: Look up the names of a host's policy
description:
  - The host asks its own resolver for every name (C(fqdn)) that the rules of its confirmed plan name, and puts the
    answers into the sets of its table. Nothing else of the table changes, and no new plan is needed.
  - A host with systemd does this by itself every five minutes; others only when they are asked.
options: {}
attributes:
  check_mode:
    description: Looks nothing up.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.enforcer
"""

EXAMPLES = r"""
- name: Let a name that has just moved be reached
  ringfence.core.policy_refresh:
"""

RETURN = r"""
state:
  description: >-
    V(refreshed), V(none) where the host holds no plan, V(unchanged) in check mode, V(refused), V(failed) or V(unknown).
  returned: always
  type: str
names:
  description: What became of each name; none where the host's rules name none.
  returned: success
  type: list
  elements: str
"""

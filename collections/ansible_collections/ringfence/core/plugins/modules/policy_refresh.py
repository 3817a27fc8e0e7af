#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_refresh, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_refresh
short_description: Look up the names in a host's policy
description:
  - The host resolves every name (C(fqdn)) in the rules of its confirmed plan and updates the sets of its table. Nothing
    else in the table changes, and no new plan is needed.
  - A host with systemd does this by itself every five minutes; other hosts only with this module.
options: {}
attributes:
  check_mode:
    description: Does not look anything up.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.enforcer
  - ringfence.core.target.run
"""

EXAMPLES = r"""
- name: Update the addresses of a name that has just changed
  ringfence.core.policy_refresh:
"""

RETURN = r"""
state:
  description: >-
    V(refreshed), V(none) if the host holds no plan, V(unchanged) in check mode, V(refused), V(failed) or V(unknown).
  returned: always
  type: str
names:
  description: The result for each name; empty if the host's rules contain no names.
  returned: success
  type: list
  elements: str
"""

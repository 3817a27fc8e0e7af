#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy_info, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_info
short_description: Report what a host enforces and what it denied
description:
  - Reports the plan that a host holds, whether its table is loaded, what is waiting for confirmation, the counters of
    rules, and the peers that were or would be denied. Changes nothing.
options:
  plan:
    description: If given, rules are reported with their names and places.
  counters:
    description: Whether to read the table for counters and denials.
    type: bool
    default: true
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.enforcer
  - ringfence.core.target.reading
  - ringfence.core.target.plan
"""

EXAMPLES = r"""
- name: Ask what is enforced
  ringfence.core.policy_info:
  register: enforced
"""

RETURN = r"""
enforcer:
  description: The enforcer of the host.
  returned: success
  type: str
  sample: nftables
state:
  description:
    - The state as read from the kernel. V(confirmed); V(waiting) for a confirmation; V(lost), confirmed but not in the
      kernel, so that the host is open; V(none); or V(unknown), for the reasons in RV(unknown).
  returned: success
  type: str
in_kernel:
  description: The first 16 digits of the digest of the verdict table in the kernel, confirmed or not.
  returned: success
  type: str
unknown:
  description: What could not be read from the host or is inconsistent, one sentence each.
  returned: success
  type: list
  elements: str
plan:
  description: The digest of the confirmed plan; empty if there is none.
  returned: success
  type: str
sequence:
  description: The confirmed plan's place in the order of plans; 0 if there is none.
  returned: success
  type: int
ruleset:
  description: The digest of the confirmed ruleset; empty if there is none.
  returned: success
  type: str
table:
  description: The digest of the verdict table that it was rendered from.
  returned: success
  type: str
applied:
  description: When it was applied, in UTC.
  returned: success
  type: str
waiting:
  description: The plan that is waiting for confirmation, with C(plan), C(ruleset), C(until), C(armed) and C(stands).
  returned: success
  type: dict
damaged:
  description: Which parts of the state on the host were changed or damaged, one sentence each.
  returned: success
  type: list
  elements: str
reached_from:
  description: The address that Ansible's connection came from, as the host saw it.
  returned: success
  type: str
persistence:
  description: V(systemd) or V(none).
  returned: success
  type: str
features:
  description:
    - What the enforcer derives its facts from - the versions of its programs (empty if not installed) and of the
      kernel, and the usable kernel features.
    - If no enforcer is set for the host and nft is missing or too old, also what the other enforcers need.
  returned: success
  type: dict
emergency:
  description:
    - The quarantines and permissions that the host keeps and that have not ended, as C(entries) of
      M(ringfence.core.emergency) has them.
  returned: success
  type: list
  elements: dict
forwards:
  description: What the host forwards for others, that no table of this collection judges, one sentence each.
  returned: O(counters=true)
  type: list
  elements: str
beside:
  description:
    - The other tables of the host, of nft, both variants of iptables and ipset, as they are listed - text, compressed
      by zlib, in base64. C(ringfence explain) judges by them.
  returned: O(counters=true)
  type: str
history:
  description: The last events on the host, with C(time), C(event), C(plan), C(sequence) and C(ruleset).
  returned: success
  type: list
  elements: dict
counters:
  description: Packets and bytes by rule, effect and direction.
  returned: O(counters=true)
  type: list
  elements: dict
denials:
  description: Peers that were denied (effect V(deny)) or would be in mode C(full) (V(watch)), with protocol, port and
    rule.
  returned: O(counters=true)
  type: list
  elements: dict
denials_full:
  description:
    - The records of denials that are full (4,096 entries within an hour per rule, direction and family).
    - Further denials are counted in RV(counters) but missing from RV(denials).
  returned: O(counters=true)
  type: list
  elements: dict
  contains:
    effect:
      description: V(deny) or V(watch).
      type: str
    rule:
      description: The id of the rule, or V(default).
      type: str
    direction:
      description: V(in) or V(out).
      type: str
    family:
      description: 4 or 6.
      type: int
    entries:
      description: The number of entries.
      type: int
"""

#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.emergency, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: emergency
short_description: Quarantine a host or let something through for a while
description:
  - Puts emergencies on a host or ends them, and reports what its kernel holds afterwards. A quarantine cuts addresses
    off from the host, or isolates the host itself; packets of established connections stop at once. A permission lets
    new connections through that the policy denies, and its connections end with it.
  - An emergency needs no plan and no policy. It is a table of its own, in front of that of the policy; C(policy),
    C(policy_rollback), a timeout and a reboot leave it as it is. A host that Ringfence has never enforced on takes it.
  - The control paths of the host's plans, O(control) and the address of this connection stay open on an isolated host.
    An order that would cut off the address it comes from is refused.
  - All of an order is done or nothing. It is idempotent.
options:
  emergency:
    description:
      - For O(state=present), the lines of emergencies, as C(ringfence) writes them. For O(state=absent), ids.
      - A mapping of host names gives each host its own; a host that is not in it is not asked.
      - A list of texts is their lines. A text that is JSON is read as such, since a survey of AWX gives only texts.
      - For O(state=absent), the lines of an emergency are its id, so that the same variables begin and end it.
      - What is empty fails, and so does a mapping that names no host of the inventory.
      - The default is the variable C(ringfence_emergency).
    type: raw
    required: true
  state:
    description: Whether the host is to hold the emergencies.
    type: str
    choices: [present, absent]
    default: present
  control:
    description:
      - A control path C(from) these networks to this C(port) that stays open as well.
      - The default is the variable C(ringfence_control).
    type: dict
    default: {}
  approval:
    description:
      - The C(text) of the request that a permission was approved by, and its C(signature). A host with
        C(/etc/ringfence/allowed_signers) accepts no permission without, and checks both.
      - The default is the variable C(ringfence_approval).
    type: dict
    default: {}
  seen:
    description:
      - A directory in which this action locks a file while it works on a host, as C(ringfence quarantine --variables)
        has it do - C(ringfence release) waits then. A directory that is not there changes nothing.
      - The default is the variable C(ringfence_seen).
    type: path
attributes:
  check_mode:
    description: Reports whether anything would change.
    support: full
  diff_mode:
    description: Shows the emergencies that the host keeps, before and after.
    support: full
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.enforcer
  - ringfence.core.target.run
"""

EXAMPLES = r"""
- name: Cut a scanner off
  ringfence.core.emergency:
    emergency: |
      emergency q-5f3a9c01 quarantine 1796011079 0 ann it%20scans
      element quarantined 10.0.0.66 fd00::66

- name: Let it back
  ringfence.core.emergency:
    emergency: q-5f3a9c01
    state: absent
"""

RETURN = r"""
state:
  description:
    - V(held), the kernel and the host's disk have what RV(emergencies) says; V(unkept), the disk took nothing, so it is
      gone after a reboot; V(unasked), the host is not in O(emergency); V(refused); V(unknown), the kernel does not have
      what it was told, or the answer is not valid; V(silent); V(unreachable).
  returned: always
  type: str
emergencies:
  description: The lines of all emergencies that the kernel was read to hold.
  returned: success
  type: str
entries:
  description: The emergencies that the host keeps and that have not ended.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: str
    kind:
      description: V(quarantine) or V(permission).
      type: str
    since:
      description: When it began, in seconds since the epoch.
      type: int
    ends:
      description: When it ends by itself, in seconds since the epoch; 0 for never.
      type: int
    who:
      description: Who decided it.
      type: str
    why:
      description: Why.
      type: str
    isolates:
      description: Whether the host itself is cut off.
      type: bool
    held:
      description: Whether the kernel was read to hold it.
      type: bool
drift:
  description: What the kernel has or lacks against what the host keeps, one sentence each.
  returned: success
  type: list
  elements: str
"""

#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy
short_description: Apply a plan to a host without cutting Ansible's own line
description:
  - Brings a host to the ruleset that a plan says, and confirms it over a new connection, all inside one action.
  - The target refuses a plan that would not let the connection in that it came by, arms the way back before anything
    changes, and puts the last confirmed table back unless a connection that began after the change confirms it in time.
    A reboot in between has the same effect.
  - A host of a wave is not touched before every host of the wave before is confirmed, or excused, in the journal.
options:
  plan:
    required: false
  state:
    description:
      - V(present) applies the plan.
      - V(absent) removes the table, the boot unit, the drop-ins of units and the state; O(plan) is not used.
    type: str
    choices: [present, absent]
    default: present
  confirm_within:
    description: Seconds after which the target goes back by itself.
    type: int
    default: 30
  excused:
    description:
      - Hosts that a rollout goes on without. The wave behind theirs begins although they are not confirmed, which the
        journal keeps, and where one of them fails that is told in its result and ends nothing.
    type: list
    elements: str
    default: []
  renew:
    description:
      - Load the table also on hosts that hold it already, as after drift. The host confirms it like any other.
    type: bool
    default: false
  run:
    description:
      - The directory of a run, which C(ringfence apply) makes. While its C(control.json) says C(pause), a wave that no
        host has begun is held. Without it nothing is held.
    type: path
  force_lockout_test:
    description:
      - Leave the guard against lockouts out, to see in a lab that the target comes back by itself.
      - Never set it anywhere else.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says what would change without changing it.
    support: full
  diff_mode:
    description: In check mode tells what of the table that stands is not as the plan says, in the words of the policy.
    support: full
seealso:
  - module: ringfence.core.policy_verify
  - module: ringfence.core.policy_rollback
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.enforcer
  - ringfence.core.target.plan
  - ringfence.core.target.journal
  - ringfence.core.target.signers
"""

EXAMPLES = r"""
- name: Bring the host to its plan
  ringfence.core.policy:
    plan: plans/5f3a0c1d2e4b

- name: Remove everything that Ringfence put there
  ringfence.core.policy:
    state: absent
"""

RETURN = r"""
state:
  description:
    - What became of it. V(confirmed), the ruleset stands; V(refused), nothing was changed; V(rolled back), the host
      told afterwards that it went back; V(unreachable), V(silent) or V(unknown), what happened is not known - the host
      was not reached, did not answer in time, or did not tell what it holds - and it comes to a confirmed table by
      itself; V(unconfirmed), in check mode; V(none), after O(state=absent).
  returned: always
  type: str
  sample: confirmed
rule:
  description: One word for the reason of a refusal, such as V(lockout), V(sequence), V(expects), V(signature), V(wave).
  returned: on failure
  type: str
excused:
  description: That this host failed and is in O(excused), so that the rollout goes on; RV(state) and C(msg) say why.
  returned: when that is so
  type: bool
plan:
  description: The plan's short name.
  returned: O(state=present)
  type: str
  sample: 5f3a0c1d2e4b
sequence:
  description: The plan's place in the order of plans.
  returned: O(state=present)
  type: int
ruleset:
  description: The digest of the ruleset.
  returned: O(state=present)
  type: str
signed_by:
  description: Who signed the plan, empty where no signers are installed.
  returned: O(state=present)
  type: str
processes:
  description: What became of every unit and user, a sentence each.
  returned: O(state=present) and changed
  type: list
  elements: str
  sample: ["shop-api.service: enforced"]
standing_denied:
  description:
    - Connections that stand and that the new table denies, of TCP and, as connection tracking knows them, of UDP, SCTP,
      ICMP and any other protocol. They end where the plan says C(cut), and where a rule of the tier emergency denies
      them; else they survive.
  returned: O(state=present) and changed
  type: list
  elements: dict
  contains:
    direction:
      description: V(in) or V(out), as the host sees it.
      type: str
    local:
      description: The host's address.
      type: str
    local_port:
      description: The host's port; a message's type for ICMP; 0 for a protocol without ports.
      type: int
    protocol:
      description: The number of the IP protocol.
      type: int
    remote:
      description: The other address.
      type: str
    remote_port:
      description: The other port; the type of the answer for ICMP, -1 where it is not known.
      type: int
    rule:
      description: The id of the rule that denies it, or V(default).
      type: str
    cut:
      description: Whether it was ended.
      type: bool
    certain:
      description:
        - Whether every process that may hold it is denied it. A connection that is not certain is never cut.
        - Which process that is is asked only where the plan cuts; a host without C(ss) of iproute2 tells no units.
      type: bool
standing_denied_more:
  description: How many more there are than the 1,000 of RV(standing_denied).
  returned: O(state=present) and changed
  type: int
cut:
  description: Whether the plan ends such connections.
  returned: O(state=present) and changed
  type: bool
denials:
  description:
    - What the kernel had recorded as denied, or as what would be, before the swap; it goes with the old table.
    - The entries are those of P(ringfence.core.policy_info#module).
  returned: O(state=present) and changed
  type: list
  elements: dict
"""

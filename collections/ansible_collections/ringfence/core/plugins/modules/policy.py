#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.policy, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: policy
short_description: Apply a plan to a host without cutting Ansible's own line
description:
  - Loads the ruleset that a plan has for the host, and confirms it over a new connection, in a single action.
  - The target refuses a plan that would block the connection it was sent over. It schedules a rollback before anything
    changes, and restores the last confirmed table unless a connection that began after the change confirms the new one
    in time. A reboot before the confirmation also restores it.
  - No host of a wave is changed until the journal lists every host of the previous wave as confirmed or excused.
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
    description: Seconds after which the target rolls back by itself.
    type: int
    default: 30
  excused:
    description:
      - Hosts that the rollout does not wait for. The next wave begins even if they are not confirmed; the journal
        records this. If one of them fails, its result says so and the rollout continues.
    type: list
    elements: str
    default: []
  renew:
    description:
      - Reload the table even on hosts that already have it, for example after drift. The host confirms it like any
        other table.
    type: bool
    default: false
  run:
    description:
      - The directory of a run, which C(ringfence apply) creates. While its C(control.json) says C(pause), no new wave
        begins, and the step that the host is at is written into C(steps.jsonl). Without this option the rollout cannot
        be paused.
    type: path
  release:
    description:
      - With O(state=absent), also end the quarantines that stand on the host. Without it the host refuses to.
    type: bool
    default: false
  force_lockout_test:
    description:
      - Disable the lockout guard, to show in a lab that the target rolls back by itself.
      - Never set it anywhere else.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reports what would change without changing it.
    support: full
  diff_mode:
    description: In check mode, reports how the loaded table differs from the plan, in the terms of the policy.
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
    - The outcome. V(confirmed), the ruleset is enforced; V(refused), nothing was changed; V(rolled back), the host
      later reported that it rolled back; V(unreachable), V(silent) or V(unknown), the outcome is unknown because the
      host could not be reached, did not answer in time, or did not report its state - it returns to a confirmed table
      by itself; V(unconfirmed), in check mode; V(none), after O(state=absent).
  returned: always
  type: str
  sample: confirmed
rule:
  description: One word for the reason of a refusal, such as V(lockout), V(sequence), V(expects), V(signature), V(wave).
  returned: on failure
  type: str
excused:
  description: True if this host failed but is in O(excused), so that the rollout continues; RV(state) and C(msg) give
    the reason.
  returned: the host failed and is excused
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
  description: Who signed the plan; empty if no signers are installed.
  returned: O(state=present)
  type: str
processes:
  description: The result for every unit and user, one sentence each.
  returned: O(state=present) and changed
  type: list
  elements: str
  sample: ["shop-api.service: enforced"]
standing_denied:
  description:
    - Established connections that the new table denies - TCP, and the tracked connections of UDP, SCTP, ICMP and other
      protocols. They are ended if the plan sets C(cut) or if a rule of the tier emergency denies them; otherwise they
      survive.
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
      description: The host's port; for ICMP the type of the message; 0 for a protocol without ports.
      type: int
    protocol:
      description: The number of the IP protocol.
      type: int
    remote:
      description: The remote address.
      type: str
    remote_port:
      description: The remote port; for ICMP the type of the reply, -1 if unknown.
      type: int
    rule:
      description: The id of the rule that denies it, or V(default).
      type: str
    cut:
      description: Whether it was ended.
      type: bool
    certain:
      description:
        - Whether the table denies the connection to every process that may own it. A connection that is not certain is
          never ended.
        - The process is looked up only if the plan sets C(cut). A host without C(ss) of iproute2 reports no units.
      type: bool
standing_denied_more:
  description: How many more such connections there are beyond the 1,000 in RV(standing_denied).
  returned: O(state=present) and changed
  type: int
cut:
  description: Whether the plan ends such connections.
  returned: O(state=present) and changed
  type: bool
denials:
  description:
    - What the kernel recorded as denied, or as denied in mode C(full), before the swap. These records are deleted with
      the old table.
    - The entries have the same form as those of P(ringfence.core.policy_info#module).
  returned: O(state=present) and changed
  type: list
  elements: dict
"""

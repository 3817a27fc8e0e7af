# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation of every action on a target shares."""

from __future__ import annotations


class ModuleDocFragment:
    """ringfence.core.target."""

    DOCUMENTATION = r"""
author:
  - The Ringfence developers (@ringfence)
version_added: 0.1.0
requirements:
  - On the target, a POSIX shell, C(nft) 0.9.3 or newer, and C(awk); no Python
notes:
  - The plan names the enforcer of each host, and the matching part of this collection does the work. A host whose
    enforcer is not supported here fails; other hosts are not affected. The names C(linux_policy) and so on are aliases
    of these actions.
  - On Linux an action sends one shell script over Ansible's own connection. It needs root; set O(ignore:become) if
    Ansible does not log in as root.
  - Options that a task does not set are taken from variables, if defined - C(ringfence_plan),
    C(ringfence_confirm_within), C(ringfence_excused), C(ringfence_renew), C(ringfence_run), C(ringfence_seen),
    C(ringfence_journal),
    C(ringfence_allowed_signers), C(ringfence_enforcer), C(ringfence_enforcers), C(ringfence_emergency),
    C(ringfence_control), C(ringfence_approval), C(ringfence_release), C(ringfence_answer_within). The playbooks of this
    collection get their options this way.
  - Only variables of the inventory, the play or the command line are used. Values that come from a host (facts, cached
    or not, results, C(set_fact)) are never used, and a warning names the host.
  - A host's answer is validated against the documented form. An invalid answer is a failure with C(state) V(unknown).
    If the host does not answer in time, or its answer is too long, C(state) is V(silent).
  - An unreachable host is reported as failed, because Ansible would not stop the following waves for an unreachable
    one.
options:
  answer_within:
    description:
      - Seconds within which the host must answer each request; otherwise its state is V(silent).
      - Loading a table may always take ten minutes.
      - The default is the variable C(ringfence_answer_within), then 120.
    type: int
    default: 120
attributes:
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Can be run with C(async).
    support: none
  platform:
    description: Target systems, as supported by the enforcers in this collection.
    support: full
    platforms: linux
"""

    PLAN = r"""
options:
  plan:
    description:
      - The plan's directory in C(plans/) of a workspace, named after the first digits of the plan's digest.
      - The digests of the plan and of every file used are checked first.
    type: path
"""

    JOURNAL = r"""
options:
  journal:
    description:
      - The journal of the rollout. It must outlive the controller, and every run of the plan must use the same one.
      - The default is the variable C(ringfence_journal), then C(journal.jsonl) in the plan's directory.
    type: path
"""

    RUN = r"""
options:
  run:
    description:
      - A directory in which this action locks a file while it works on a host, as C(ringfence) has it do - a command
        that is killed then keeps others away until its last host is done.
    type: path
"""

    SIGNERS = r"""
options:
  allowed_signers:
    description:
      - A file of allowed signers, in the format of C(ssh-keygen -Y verify). If given, only a plan that one of them
        signed is used.
      - The default is the variable C(ringfence_allowed_signers), then C(allowed_signers) in the workspace if it exists.
    type: path
"""

    ENFORCER = r"""
options:
  enforcer:
    description:
      - The enforcer of the host, such as V(nftables), if no plan is given.
      - The default is the variable C(ringfence_enforcer), then O(enforcers), then V(nftables).
    type: str
  enforcers:
    description:
      - Enforcers by host name, for hosts without a variable for it. The command C(ringfence) passes those that it chose
        from the hosts' facts.
      - The default is the variable C(ringfence_enforcers).
    type: dict
    default: {}
"""

    NO_DIFF = r"""
attributes:
  diff_mode:
    description: Returns no diff.
    support: none
"""

    READING = r"""
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: Returns no diff.
    support: none
"""

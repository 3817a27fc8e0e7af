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
  - on the target a POSIX shell, C(nft) 0.9.3 or newer, and C(awk); no Python
notes:
  - The plan says which enforcer a host has, and its part of this collection does the work. A host whose enforcer has no
    part here fails, and no other. The names C(linux_policy) and so on stand for these actions too.
  - On Linux an action sends one shell script over Ansible's own connection; it needs root, so O(ignore:become) where
    Ansible does not log in as root.
  - What a task leaves out is taken from variables, where there are such - C(ringfence_plan),
    C(ringfence_confirm_within), C(ringfence_excused), C(ringfence_renew), C(ringfence_run), C(ringfence_journal),
    C(ringfence_allowed_signers), C(ringfence_enforcer), C(ringfence_enforcers), C(ringfence_answer_within). That is how
    the playbooks of this collection are told.
  - Such variables count where the inventory, the play or the command line gives them. What a host says of itself
    (facts, also cached ones, results, C(set_fact)) never counts, and a warning names the host that does so.
  - What a host answers is checked against the shape that the documentation gives. An answer of another shape is a
    failure with C(state) V(unknown); a host that does not answer in time, or without end, one with
    C(state) V(silent).
  - An unreachable host is reported as failed, because unreachable hosts would not stop the waves that follow.
options:
  answer_within:
    description:
      - Seconds in which the host must have answered each order, else its state is V(silent).
      - To load a table it has ten minutes at least.
      - By default that of the variable C(ringfence_answer_within), else 120.
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
    description: Target systems; those of the enforcers that this collection has a part for.
    support: full
    platforms: linux
"""

    PLAN = r"""
options:
  plan:
    description:
      - The plan's directory, below C(plans/) of a workspace, named after the first digits of the plan's digest.
      - The digest of the plan and of every file that is used is checked before anything happens.
    type: path
"""

    JOURNAL = r"""
options:
  journal:
    description:
      - The journal of the rollout. It must outlive the controller, and every run of the plan must see the same one.
      - By default that of the variable C(ringfence_journal), else C(journal.jsonl) in the plan's directory.
    type: path
"""

    SIGNERS = r"""
options:
  allowed_signers:
    description:
      - A file of allowed signers, in the format of C(ssh-keygen -Y verify). With it, only a plan that one of them
        signed is used.
      - By default that of the variable C(ringfence_allowed_signers), else C(allowed_signers) in the workspace, where
        there is one.
    type: path
"""

    ENFORCER = r"""
options:
  enforcer:
    description:
      - The enforcer of the host, such as V(nftables), where no plan says it.
      - By default that of the variable C(ringfence_enforcer), else of O(enforcers), else V(nftables).
    type: str
  enforcers:
    description:
      - Enforcers by the names of hosts, for hosts of which no variable says it. The command C(ringfence) gives those
        that facts of the hosts decided.
      - By default that of the variable C(ringfence_enforcers).
    type: dict
    default: {}
"""

    NO_DIFF = r"""
attributes:
  diff_mode:
    description: There is nothing to show.
    support: none
"""

    READING = r"""
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

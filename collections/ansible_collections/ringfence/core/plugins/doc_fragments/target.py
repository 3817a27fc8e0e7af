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
  - An action sends one shell script over Ansible's own connection; it needs root, so O(ignore:become) where Ansible
    does not log in as root.
  - What a task leaves out is taken from variables, where there are such - C(ringfence_confirm_within),
    C(ringfence_excused), C(ringfence_renew), C(ringfence_journal), C(ringfence_allowed_signers), and C(ringfence_plan)
    where no plan is required. That is how the playbooks of this collection are told.
  - An unreachable host is reported as failed, because unreachable hosts would not stop the waves that follow.
attributes:
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Can be run with C(async).
    support: none
  platform:
    description: Target systems.
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

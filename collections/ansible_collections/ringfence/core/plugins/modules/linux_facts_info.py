#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.linux_facts_info, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_facts_info
short_description: Gather facts of a Linux host and store them for label rules
version_added: 0.1.0
author:
  - The Ringfence developers (@ringfence)
description:
  - Runs M(ansible.builtin.setup) on the host with the collectors that Ringfence's label rules, identity and addresses
    need, and stores only those facts. The user's environment is not gathered.
  - The result has no C(ansible_facts), so nothing that a host reports becomes a variable or enters Ansible's fact
    cache.
  - A value is dropped if it does not have its documented type, if it is too long or there are too many, or if its name
    marks it as a secret.
  - Without a Python that Ansible's modules can use (3.8 or later), the host's shell reads the same, except for
    virtualization and custom facts (C(facts.d)). RV(unseen) lists what could not be read.
  - Each host's facts are written to a separate file that only the current user can read. Changes nothing on the host.
options:
  facts_directory:
    description:
      - The directory to store facts in, one file per host.
      - The default is C(.ringfence/facts) in the workspace that Ansible runs in. Outside a workspace, facts are only
        returned.
    type: path
  listeners:
    description: The host's listeners as M(ringfence.core.linux_flows_info) reports them, to store with the facts.
    type: list
    elements: dict
  running_units:
    description: Names of the units that run on the host, to store with the facts.
    type: list
    elements: str
  answer_within:
    description:
      - Seconds within which the host must answer; otherwise its state is V(silent).
      - The default is the variable C(ringfence_answer_within), then 120.
    type: int
    default: 120
requirements:
  - On the host, Python 3.8 or later, or a POSIX shell with C(awk). That of BusyBox is enough.
notes:
  - The machine's UUID can be read only as root.
  - If the task does not set O(facts_directory), the variable C(ringfence_facts_directory) of the inventory, the play or
    the command line is used. A value that comes from a host is never used.
attributes:
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Can be run with C(async).
    support: none
  check_mode:
    description: Runs the same way in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no diff.
    support: N/A
  platform:
    description: Systems that the action runs on.
    support: full
    platforms: linux
"""

EXAMPLES = r"""
- name: Keep what hosts say of themselves
  ringfence.core.linux_facts_info:
  become: true
"""

RETURN = r"""
facts:
  description: The stored facts, without the prefix C(ansible_).
  returned: success
  type: dict
  sample: {"distribution": "Debian", "all_ipv4_addresses": ["10.1.0.11"], "interfaces": ["lo", "eth0"]}
unseen:
  description: What could not be read, and why; empty if Python read the facts.
  returned: success
  type: list
  elements: str
directory:
  description: The directory that they were written to; null if none.
  returned: success
  type: str
"""

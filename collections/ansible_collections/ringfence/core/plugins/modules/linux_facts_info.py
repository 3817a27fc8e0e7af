#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.linux_facts_info, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_facts_info
short_description: Gather what a Linux host says of itself, and keep it for label rules
version_added: 0.1.0
author:
  - The Ringfence developers (@ringfence)
description:
  - Runs M(ansible.builtin.setup) on the host with the collectors that Ringfence's label rules, identity and addresses
    need, and keeps those facts alone. The environment of the user is not gathered.
  - The result has no C(ansible_facts). So nothing that a host says becomes a variable or comes into Ansible's own
    cache of facts.
  - What is not of its documented type, too long or too much is dropped, and so is what is named as a secret.
  - The facts of a host go into a file of its own that only this user can read. Changes nothing on the host.
options:
  facts_directory:
    description:
      - Where facts are kept, one file a host.
      - By default C(.ringfence/facts) of the workspace that Ansible runs in; outside of one they are returned only.
    type: path
  listeners:
    description: What M(ringfence.core.linux_flows_info) told of the host's listeners, to be kept with the facts.
    type: list
    elements: dict
  running_units:
    description: Names of the units that run there, to be kept with the facts.
    type: list
    elements: str
  answer_within:
    description:
      - Seconds in which the host must have answered, else it is V(silent).
      - By default that of the variable C(ringfence_answer_within), else 120.
    type: int
    default: 120
requirements:
  - Python 3.8 or later on the host. Hosts without it are not reached by this action.
notes:
  - Without root the UUID of a machine is not readable.
  - O(facts_directory) is taken from the variable C(ringfence_facts_directory) where the task leaves it out, as the
    inventory, the play or the command line gives it; what a host says of that variable never counts.
attributes:
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Can be run with C(async).
    support: none
  check_mode:
    description: Can run in check mode, and does the same there.
    support: full
  diff_mode:
    description: Returns what changed, which is never anything.
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
  description: The facts that are kept, without C(ansible_) before their names.
  returned: success
  type: dict
  sample: {"distribution": "Debian", "all_ipv4_addresses": ["10.1.0.11"], "interfaces": ["lo", "eth0"]}
directory:
  description: Where they were written, null for nowhere.
  returned: success
  type: str
"""

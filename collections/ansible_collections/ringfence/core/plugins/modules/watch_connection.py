#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.watch_connection, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: watch_connection
version_added: 0.1.0
author: The Ringfence developers (@ringfence)
short_description: Tell C(ringfence watch) how a host is reached
description:
  - Works out the ssh command, the way to root and their passwords from the connection settings of the inventory, and
    tells them to C(ringfence watch) through its socket. Nothing is sent to the host, nothing is kept, and the result
    has none of it.
  - Not meant for playbooks of one's own.
options:
  socket:
    description: The socket of the one who asks, in a private directory.
    type: path
    required: true
  enforcers:
    description: Enforcers of hosts for which no variable C(ringfence_enforcer) says it, by host.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Works as ever, for nothing is changed.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Tell how Ansible would connect
  ringfence.core.watch_connection:
    socket: "{{ ringfence_watch_socket }}"
"""

RETURN = r"""
state:
  description: V(refused) where the host's connection is neither ssh nor local, V(failed) where nobody listens.
  returned: failure
  type: str
"""

#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.watch_connection, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: watch_connection
version_added: 0.1.0
author: The Ringfence developers (@ringfence)
short_description: Report to C(ringfence watch) how to connect to a host
description:
  - Derives the ssh command, the become method and their passwords from the connection settings of the inventory, and
    passes them to C(ringfence watch) through its socket. Nothing is sent to the host or stored, and the result contains
    none of it.
  - Not intended for use in your own playbooks.
options:
  socket:
    description: The socket of C(ringfence watch), in a private directory.
    type: path
    required: true
  enforcers:
    description: Enforcers by host, for hosts without the variable C(ringfence_enforcer).
    type: dict
    default: {}
attributes:
  check_mode:
    description: Changes nothing in any mode.
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
  description: V(refused) if the host's connection is neither ssh nor local, V(failed) if nothing listens on the socket.
  returned: failure
  type: str
"""

#!/usr/bin/python
# Copyright: the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who talks to whom on a Linux host, with process, unit and user; nothing is changed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_flows_info
short_description: Report listeners, connections and running units of a Linux host
version_added: 0.1.0
author:
  - The Ringfence developers (@ringfence)
description:
  - Reads the sockets, processes and tracked connections of the host's network namespace and reports its flows. Each
    flow has the process, the systemd unit and the user on this host.
  - Flows are aggregated by client, server, port, protocol, direction and process to keep the result small.
  - The host is the server of a connection if a socket listens on the connection's local port.
  - Without a Python that Ansible's modules can use (3.8 or later), the host's shell reads the same and the controller
    makes the same report of it. RV(unseen) lists what could not be read.
  - Changes nothing on the host. C(ringfence flows read --format hosts) reads the result.
options:
  conntrack:
    description:
      - Also report the connections that the kernel tracks, from C(/proc/net/nf_conntrack) or the C(conntrack) command.
        This includes short connections, UDP and forwarded traffic, and the packets and bytes if
        C(net.netfilter.nf_conntrack_acct) is on.
    type: bool
    default: true
  loopback:
    description:
      - Also report traffic that stays on the host.
    type: bool
    default: false
  limit:
    description:
      - The maximum number of flows to report, those with the most connections first. RV(left_out) counts the others.
        The largest allowed value is 100,000.
    type: int
    default: 20000
  flows_directory:
    description:
      - A directory on the controller. The report is written to a file there that is named after the inventory host and
        that only its owner can read. A missing directory is created with mode 0700.
      - The default is the variable C(ringfence_flows_directory). Without it, no file is written.
    type: path
  answer_within:
    description:
      - Seconds within which the host must report; otherwise RV(state) is V(silent).
      - The default is the variable C(ringfence_answer_within), then 120.
    type: int
    default: 120
requirements:
  - On the host, Python 3.8 or later, or a POSIX shell with C(awk), C(grep) and C(ls). Those of BusyBox are enough.
notes:
  - Without root, the processes of other users are unknown.
  - Without C(ansible_python_interpreter), the first interpreter that runs is used, of C(python3) and those that
    C(INTERPRETER_PYTHON_FALLBACK) names. One that does not start within 10 seconds, or is too old, is not used.
  - The shell reports up to 40,000 sockets, processes and tracked connections each, and RV(unseen) counts
    the others. Control groups of sockets are read by C(ss), on hosts that run systemd.
  - Without connection tracking, only UDP flows of connected sockets are reported.
  - An action on the controller uses only the report in the host's answer. An answer in any other form than the one
    below fails with RV(state=unknown) and changes nothing on the controller.
attributes:
  action:
    description: Runs on the controller, and the module or a shell script on the host.
    support: partial
    details: The host's answer is validated on the controller.
  check_mode:
    description: Runs the same way in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no diff.
    support: N/A
  platform:
    description: Systems that the module runs on.
    platforms: linux
    support: full
"""

EXAMPLES = r"""
- name: See who talks to whom
  ringfence.core.linux_flows_info:
  become: true
  register: seen

- name: Keep it for ringfence flows add --format hosts flows/
  ringfence.core.linux_flows_info:
    flows_directory: flows
  become: true
"""

RETURN = r"""
state:
  description:
    - Why there is no report. V(silent), the host did not answer in time or its answer was too long; V(unknown), its
      answer is not a valid report; V(failed), the module failed on the host; V(unreachable), the host could not be
      reached.
  returned: on failure
  type: str
observed:
  description: When the host was inspected, in UTC.
  returned: always
  type: str
  sample: "2026-11-24T07:00:00Z"
host:
  description: The host's own name.
  returned: always
  type: str
  sample: db-1
addresses:
  description: The host's addresses of both families, without loopback.
  returned: always
  type: list
  elements: str
  sample: ["10.0.0.7", "fd00::7"]
listeners:
  description: Listening sockets.
  returned: always
  type: list
  elements: dict
  contains:
    protocol:
      description: V(tcp), V(udp) or V(sctp).
      type: str
    address:
      description: The local address; V(0.0.0.0) or V(::) for all addresses.
      type: str
    port:
      description: The local port.
      type: int
    process:
      description: The name of the process; null if it is not visible.
      type: str
    pid:
      description: The process ID.
      type: int
    unit:
      description: The systemd unit that the process runs in, template units with their instance.
      type: str
    user:
      description: The user that the socket belongs to.
      type: str
    socket_unit:
      description:
        - The unit of the socket's own control group, if it differs from RV(listeners[].unit), as for sockets that a
          C(.socket) unit opened. Packet filters match this unit. TCP only, kernel 5.8 or later.
      type: str
    ephemeral:
      description: Whether a UDP port is in the kernel's ephemeral range, so that the socket may belong to a client.
      type: bool
  sample:
    - {"protocol": "tcp", "address": "0.0.0.0", "port": 5432, "process": "postgres", "pid": 812,
       "unit": "postgresql@15-main.service", "user": "postgres", "socket_unit": null, "ephemeral": false}
flows:
  description: Aggregated flows, those with the most connections first.
  returned: always
  type: list
  elements: dict
  contains:
    client:
      description: The address that opened the connection.
      type: str
    server:
      description: The address it was opened to, behind destination NAT of this host.
      type: str
    port:
      description: The server's port; for ICMP the type, null if unknown; 0 for protocols without ports.
      type: int
    protocol:
      description: The protocol's name, or its number as text.
      type: str
    direction:
      description: V(in) if this host is the server, V(out) if it is the client, V(forward) if it is neither.
      type: str
    process:
      description: The process on this host; null if unknown.
      type: str
    pid:
      description: The ID of one of the counted processes.
      type: int
    unit:
      description: The unit of that process.
      type: str
    user:
      description: The user that its socket belongs to.
      type: str
    connections:
      description: How many connections were counted.
      type: int
    packets:
      description: Packets in both directions; 0 if they are not counted.
      type: int
    bytes:
      description: Bytes in both directions; 0 if they are not counted.
      type: int
left_out:
  description: How many flows O(limit) left out.
  returned: always
  type: int
conntrack:
  description:
    - The source of the tracked connections, V(proc) or V(conntrack). Otherwise V(not asked for), or V(none) with the
      reason.
  returned: always
  type: str
read_by:
  description: V(python), or V(shell) for a host without a Python that can be used.
  returned: always
  type: str
unseen:
  description: What could not be read, and why; empty if nothing.
  returned: always
  type: list
  elements: str
  sample: ["read by the shell: /usr/libexec/platform-python is Python 3.6"]
units:
  description:
    - Every systemd unit with running processes, with the path of its control group as nft names it (null if the host
      has no cgroup2 for it) and the users of its processes.
  returned: always
  type: dict
  sample: {"ssh.service": {"path": "system.slice/ssh.service", "users": ["root"]}}
"""

import datetime
import socket

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.ringfence.core.plugins.module_utils.flows_processes import clean
from ansible_collections.ringfence.core.plugins.module_utils.flows_report import Options, collect


def main():
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "conntrack": {"type": "bool", "default": True},
            "loopback": {"type": "bool", "default": False},
            "limit": {"type": "int", "default": 20000},
        },
        supports_check_mode=True,
    )
    if module.params["limit"] < 1:
        module.fail_json(msg="limit must be at least 1, not {0}".format(module.params["limit"]))
    observed = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = collect(Options(module.params["conntrack"], module.params["loopback"], module.params["limit"]))
    module.exit_json(changed=False, observed=observed, host=clean(socket.gethostname()), **result)


if __name__ == "__main__":
    main()

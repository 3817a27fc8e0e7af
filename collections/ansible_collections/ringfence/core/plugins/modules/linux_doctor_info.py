#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.linux_doctor_info, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_doctor_info
short_description: Tell whether a Linux host has what Ringfence needs
description:
  - Looks at a host as the login user, and again as root - the login, C(nft), C(iptables) and C(ipset), the kernel,
    cgroup2, systemd, tools, room and the clock. Changes nothing. C(ringfence doctor) judges the answers.
  - A host that refuses root is no failure; RV(refused) says why. Values are what the host says, cut and cleaned.
extends_documentation_fragment:
  - ringfence.core.target
  - ringfence.core.target.reading
"""

EXAMPLES = r"""
- name: Look at a host
  ringfence.core.linux_doctor_info:
  register: looked
"""

RETURN = r"""
login:
  description: What the host says to the login user, lists of texts by key.
  returned: success
  type: dict
  sample: {"uid": ["1000"], "login": ["ops"], "nft": ["1.0.6"], "nft_works": ["no"], "has": ["sha256sum", "flock"]}
root:
  description: What it says to root; empty where there is no root.
  returned: success
  type: dict
refused:
  description: Why there is no root, empty where there is.
  returned: success
  type: str
  sample: "sudo: a password is required"
words:
  description: What else the host said to the login user, its last line.
  returned: success
  type: str
clock:
  description: The controller's clock before and after the look, in seconds since 1970.
  returned: success
  type: list
  elements: float
"""

#!/usr/bin/python
# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation of ringfence.core.linux_doctor_info, which is an action."""

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_doctor_info
short_description: Check whether a Linux host has what Ringfence needs
description:
  - Inspects a host as the login user, and again as root - the login, C(nft), C(iptables) and C(ipset), the kernel,
    cgroup2, systemd, tools, free space and the clock. Changes nothing. C(ringfence doctor) evaluates the results.
  - A host that refuses root is not a failure; RV(refused) gives the reason. Values are as the host reports them,
    truncated and without control characters.
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
  description: What the host reports to the login user, as lists of strings by key.
  returned: success
  type: dict
  sample: {"uid": ["1000"], "login": ["ops"], "nft": ["1.0.6"], "nft_works": ["no"], "has": ["sha256sum", "flock"]}
root:
  description: What the host reports to root; empty if root is not available.
  returned: success
  type: dict
refused:
  description: Why root is not available; empty if it is.
  returned: success
  type: str
  sample: "sudo: a password is required"
words:
  description: The last line of any other output that the login user got.
  returned: success
  type: str
clock:
  description: The controller's clock before and after the check, in seconds since 1970.
  returned: success
  type: list
  elements: float
"""

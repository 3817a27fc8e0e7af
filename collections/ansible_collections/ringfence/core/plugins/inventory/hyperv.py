"""The inventory plugin ringfence.core.hyperv: virtual machines of Hyper-V hosts."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: hyperv
short_description: Virtual machines of Hyper-V hosts
version_added: 0.1.0
description:
  - Queries Hyper-V hosts in parallel over WinRM, with one read-only script each, whose output is parsed as data.
  - Each machine gets C(ansible_host), C(ringfence_addresses), C(ringfence_labels) (the host, its first group),
    C(ringfence_sources), and everything else under C(ringfence_hyperv), which I(compose), I(groups) and I(keyed_groups)
    also see under its short names, C(host), C(state), C(os), C(fqdn).
  - Guests that report Windows as their system get C(ringfence_enforcer=windows) and I(windows_connection).
  - A host that cannot be reached is counted and named in a warning; the rest is used.
author:
  - The Ringfence developers
requirements:
  - The Python package C(pywinrm) in the Python that runs Ansible (C(pip install 'ringfence[windows]')), and for
    I(transport=kerberos) C(pip install 'pywinrm[kerberos]').
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
  - ringfence.core.source.names
  - ringfence.core.source.parallel
  - ringfence.core.source.timeout
  - ringfence.core.source.tls
  - ringfence.core.source.windows
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.hyperv]
  servers:
    description: The Hyper-V hosts; for a cluster, every node.
    type: list
    elements: str
    required: true
  user:
    description: The account, such as C(reader@EXAMPLE.COM). It must be a member of C(Hyper-V Administrators) and
      C(Remote Management Users) on the hosts.
    type: str
    required: true
    env:
      - name: RINGFENCE_HYPERV_USER
  password:
    description: The password; not needed if Kerberos has a ticket. Prefer the environment, a lookup or a vault to this
      file.
    type: str
    env:
      - name: RINGFENCE_HYPERV_PASSWORD
  transport:
    description: The authentication method.
    type: str
    choices: [kerberos, ntlm, credssp, basic]
    default: kerberos
  scheme:
    description: Whether to use TLS. Over C(http), Kerberos and NTLM encrypt the messages themselves.
    type: str
    choices: [https, http]
    default: https
  port:
    description: The WinRM port. The default is 5986, and 5985 for C(http).
    type: int
  states:
    description: Only machines in these states, such as C(Running) or C(Off). The default is all.
    type: list
    elements: str
    default: []
  label_prefix:
    description: The prefix of the label keys.
    type: str
    default: hyperv_
"""

EXAMPLES = r"""
# inventory/20-hyperv.yml: a host, with a ticket of Kerberos
plugin: ringfence.core.hyperv
servers: hv1.example.com
user: reader@EXAMPLE.COM
---
# running machines of both nodes of a cluster, groups by host
plugin: ringfence.core.hyperv
servers: [hv1.example.com, hv2.example.com]
user: reader@EXAMPLE.COM
password: "{{ lookup('ansible.builtin.env', 'HYPERV_PASSWORD') }}"
transport: ntlm
ca_certs: /etc/ringfence/example-ca.pem
states: [Running]
keyed_groups:
  - key: host
    prefix: host
cache: true
"""

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.hyperv.api import (
    PYWINRM_MISSING,
    Wanted,
    ask_hyperv,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.hyperv.transform import Shape, hosts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.library_needed import Library

_PORTS = {"https": 5986, "http": 5985}


class InventoryModule(SourceInventory):
    """Adds the machines of Hyper-V hosts to the inventory."""

    NAME = "ringfence.core.hyperv"
    FACT = "ringfence_hyperv"
    LIBRARY = Library(PYWINRM_MISSING, "windows")

    def ask(self, path: str) -> Found:
        """Return the machines of all hosts."""
        port = self.get_option("port") or _PORTS[self.get_option("scheme")]
        wanted = self.from_options(Wanted, password=self.secret("password"), port=port)
        return hosts(ask_hyperv(wanted), self.from_options(Shape))

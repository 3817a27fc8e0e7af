"""The inventory plugin ringfence.core.proxmox: virtual machines, containers and nodes of Proxmox VE."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: proxmox
short_description: Virtual machines, containers and nodes of Proxmox VE
version_added: 0.1.0
description:
  - Reads the machines of a cluster with one call, then the configuration of each in parallel, and the addresses of
    running machines from their guest agents. Read-only.
  - Each host gets C(ansible_host), C(ringfence_addresses), C(ringfence_labels) (node, pool, and tags of your choice),
    C(ringfence_sources), and everything else under C(ringfence_proxmox), which I(compose), I(groups) and
    I(keyed_groups) also see under its short names, C(tags), C(node), C(kind).
  - Windows guests get C(ringfence_enforcer=windows) and I(windows_connection). Templates are left out.
  - Running machines without a guest agent are counted and named in a warning, and get the addresses in their
    configuration. A node that is offline is named in a warning; the rest is used.
author:
  - The Ringfence developers
requirements:
  - The Python packages C(proxmoxer) and C(requests) in the Python that runs Ansible (C(pip install
    'ringfence[proxmox]')).
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
    choices: [ringfence.core.proxmox]
  host:
    description: A node of the cluster, or a name that resolves to several.
    type: str
    required: true
    env:
      - name: PROXMOX_HOST
  port:
    description: The port of the API.
    type: int
    default: 8006
  user:
    description: The account with its realm, C(ringfence@pve). It needs the role C(PVEAuditor), and C(VM.Monitor)
      (before Proxmox VE 9) or C(VM.GuestAgent.Audit) for data from guest agents.
    type: str
    required: true
    env:
      - name: PROXMOX_USER
  token_name:
    description: The name of the account's token.
    type: str
    env:
      - name: PROXMOX_TOKEN_NAME
  token:
    description: The secret of the token. Prefer the environment, a lookup or a vault to this file.
    type: str
    env:
      - name: PROXMOX_TOKEN
  password:
    description: The password of the account, if there is no token.
    type: str
    env:
      - name: PROXMOX_PASSWORD
  filters:
    description:
      - Which machines to read, as a mapping of C(node), C(pool), C(type) (C(qemu), C(lxc)), C(status), C(name), C(vmid)
        or C(tags) to a value or a list. No details of the other machines are read.
    type: dict
    default: {}
  guests:
    description: Whether to read the addresses of running machines from their guest agents.
    type: bool
    default: true
  nodes:
    description: Whether the nodes also become hosts.
    type: bool
    default: true
  labels:
    description: Labels from tags, as a mapping of label keys to the tags that become their values.
    type: dict
    default: {}
  label_prefix:
    description: The prefix of the keys of the labels C(node) and C(pool).
    type: str
    default: proxmox_
"""

EXAMPLES = r"""
# inventory/20-proxmox.yml: all machines of a cluster; the token from PROXMOX_TOKEN
plugin: ringfence.core.proxmox
host: pve1.example.com
user: ringfence@pve
token_name: reader
---
# running machines with the tag of the shop, labels from tags
plugin: ringfence.core.proxmox
host: pve1.example.com
user: ringfence@pve
token_name: reader
token: "{{ lookup('ansible.builtin.env', 'PVE_TOKEN') }}"
ca_certs: /etc/ringfence/pve-root-ca.pem
filters:
  status: running
  tags: [shop]
labels:
  env: [prod, test]
  role: [web, db]
keyed_groups:
  - key: tags
    prefix: tag
cache: true
"""

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.library_needed import Library
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import texts_by_name
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox.api import (
    PROXMOXER_MISSING,
    Wanted,
    ask_proxmox,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.proxmox.transform import Shape, hosts


class InventoryModule(SourceInventory):
    """Adds the machines of a cluster to the inventory."""

    NAME = "ringfence.core.proxmox"
    FACT = "ringfence_proxmox"
    LIBRARY = Library(PROXMOXER_MISSING, "proxmox")

    def ask(self, path: str) -> Found:
        """Return the machines of the cluster."""
        verify = self.get_option("validate_certs") and (self.get_option("ca_certs") or True)
        wanted = self.from_options(
            Wanted,
            password=self.secret("password"),
            token=self.secret("token"),
            verify=verify,
            filters=texts_by_name(self.get_option("filters")),
        )
        return hosts(ask_proxmox(wanted), self.from_options(Shape, labels=texts_by_name(self.get_option("labels"))))

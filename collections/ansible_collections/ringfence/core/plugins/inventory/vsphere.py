"""The inventory plugin ringfence.core.vsphere: machines and hypervisors of a vCenter or an ESXi host."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: vsphere
short_description: Machines and hypervisors of a vCenter or an ESXi host
version_added: 0.1.0
description:
  - Reads all machines with the networks reported by VMware Tools, and their folders, clusters and pools, in one pass of
    the property collector; tags over the REST API. Read-only.
  - Each machine gets C(ansible_host), C(ringfence_addresses), C(ringfence_labels) (vCenter, datacenter, cluster,
    folder, pool and vApp), C(ringfence_sources), and everything else under C(ringfence_vsphere), which I(compose),
    I(groups) and I(keyed_groups) also see under its short names, C(tags), C(attributes), C(folder), C(power).
  - Windows machines get C(ringfence_enforcer=windows) and I(windows_connection). Hypervisors and templates get
    C(ringfence_workload=false).
  - Running machines without an address, and everything that the account may not read, are counted and named in a
    warning.
  - Custom attributes whose names suggest a secret are left out.
author:
  - The Ringfence developers
requirements:
  - The Python package C(pyvmomi) in the Python that runs Ansible (C(pip install 'ringfence[vsphere]')).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
  - ringfence.core.source.names
  - ringfence.core.source.realm
  - ringfence.core.source.windows
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.vsphere]
  hostname:
    description: The vCenter or ESXi host.
    type: str
    required: true
    env:
      - name: VMWARE_HOST
  port:
    description: The port of the server.
    type: int
    default: 443
    env:
      - name: VMWARE_PORT
  username:
    description: The account; the role "Read-only" is sufficient.
    type: str
    required: true
    env:
      - name: VMWARE_USER
  password:
    description: The password of the account. Prefer the environment, a lookup or a vault to this file.
    type: str
    required: true
    env:
      - name: VMWARE_PASSWORD
  validate_certs:
    description: Whether the certificate of the server must be valid.
    type: bool
    default: true
    env:
      - name: VMWARE_VALIDATE_CERTS
  ca_path:
    description: A PEM file with the trusted CA certificates. The default is the system's.
    type: path
  within:
    description:
      - Only machines below these folders, datacenters, clusters or pools, given as inventory paths; the server does not
        search elsewhere.
    type: list
    elements: str
    default: []
  tagged:
    description:
      - Only machines with one of these tags in each of these categories, as a mapping of categories to a tag or a list.
        Only those machines are requested from the server.
    type: dict
    default: {}
  power_states:
    description: Only machines in one of these states.
    type: list
    elements: str
    choices: [poweredOn, poweredOff, suspended]
    default: []
  templates:
    description: Whether templates become hosts.
    type: bool
    default: false
  hypervisors:
    description: Whether ESXi hosts become hosts, with the addresses of their VMkernel interfaces.
    type: bool
    default: true
  tags:
    description: Whether to read tags. An ESXi host without a vCenter has none.
    type: bool
    default: true
  network_cards:
    description:
      - Whether to read network cards as well, for the MAC addresses of machines without VMware Tools. The response is
        several times larger.
    type: bool
    default: false
  inner_interfaces:
    description:
      - Whether to use addresses of interfaces that are not network cards of the machine, such as bridges of container
        engines.
    type: bool
    default: false
  names:
    description:
      - The sources of a machine's name; the first available one is used.
    type: list
    elements: str
    choices: [name, hostname, instance_uuid, id]
    default: [name]
  realm:
    description:
      - The address space of the addresses, if networks of datacenters or clusters may repeat.
    type: str
    choices: [none, vcenter, datacenter, cluster]
    default: none
  label_prefix:
    description: The prefix of the label keys.
    type: str
    default: vsphere_
  reach_by:
    description:
      - The sources of C(ansible_host); the first available one is used. C(primary) is the primary address reported by
        VMware Tools.
    type: list
    elements: str
    choices: [primary, ipv4, ipv6, hostname]
    default: [primary, ipv4, ipv6]
  connection:
    description: How Ansible connects to machines that do not run Windows.
    type: str
    default: ssh
  timeout:
    description: Seconds to wait for a response.
    type: int
    default: 120
"""

EXAMPLES = r"""
# inventory/20-vsphere.yml, as short as it can be; the password from VMWARE_PASSWORD
plugin: ringfence.core.vsphere
hostname: vcenter.example.com
username: reader@vsphere.local
---
# production only, by folder and tag; the short names of the fact in groups
plugin: ringfence.core.vsphere
hostname: vcenter.example.com
username: reader@vsphere.local
password: "{{ lookup('ansible.builtin.env', 'VCENTER_PASSWORD') }}"
within: [DC0/vm/prod, DC1]
tagged:
  Environment: [production, shared]
power_states: [poweredOn]
keyed_groups:
  - key: tags.Application
    prefix: app
  - key: ringfence_labels.vsphere_cluster
    prefix: cluster
groups:
  without_tools: tools is not defined or tools != 'guestToolsRunning'
compose:
  ansible_user: "'admin' if platform == 'linux' else 'Administrator'"
cache: true
---
# an ESXi host alone
plugin: ringfence.core.vsphere
hostname: esxi-7.example.com
username: reader
ca_path: /etc/ssl/own-authority.pem
tags: false
network_cards: true
"""

from dataclasses import replace

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.library_needed import Library
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import texts_by_name, unmatched
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.api import (
    PYVMOMI_MISSING,
    Login,
    Wanted,
    ask_vsphere,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.tags import MachineTags, read_tags
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.transform import Shape, assets, tagged


class InventoryModule(SourceInventory):
    """Adds what a vCenter or an ESXi host runs to the inventory."""

    NAME = "ringfence.core.vsphere"
    FACT = "ringfence_vsphere"
    LIBRARY = Library(PYVMOMI_MISSING, "vsphere")

    def ask(self, path: str) -> Found:
        """Return the machines and hypervisors of the server."""
        texts = {name: str(self.secret(name)) for name in ("hostname", "username", "password")}
        login = self.from_options(Login, seconds=self.get_option("timeout"), **texts)
        chosen = texts_by_name(self.get_option("tagged"))
        tags = read_tags(login) if self.get_option("tags") or chosen else MachineTags()
        only = tagged(tags, chosen) if chosen else None
        answer = ask_vsphere(login, self.from_options(Wanted, only=only))
        found = assets(answer, tags, self.from_options(Shape, vcenter=login.hostname), only)
        have = {category: [tag for has in tags.of.values() for tag in has.get(category, ())] for category in chosen}
        return replace(found, warnings=[*found.warnings, *unmatched("tagged", chosen, have, "machine")])

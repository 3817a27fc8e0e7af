"""The inventory plugin ringfence.core.libvirt: domains of KVM, Xen and LXC hosts."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: libvirt
short_description: Domains of KVM, Xen and LXC hosts
version_added: 0.1.0
description:
  - Reads the domains of one or many hosts in parallel through libvirt. Their addresses come from guest agents, the DHCP
    leases of libvirt's networks, and the ARP table of the host.
  - Each domain gets C(ansible_host), C(ringfence_addresses), C(ringfence_labels) (host, type, and network if there is
    only one), C(ringfence_sources), and everything else under C(ringfence_libvirt), which I(compose), I(groups) and
    I(keyed_groups) also see under its short names, C(state), C(type), C(interfaces).
  - If the agent reports a network card, only its addresses are used; without an agent, those of both leases and the ARP
    table.
  - A host that does not respond is counted and named in a warning; the rest is used.
author:
  - The Ringfence developers
requirements:
  - The Python package C(libvirt-python) in the Python that runs Ansible (C(pip install 'ringfence[libvirt]'), which
    compiles against Debian's C(libvirt-dev) and needs C(pkg-config), C(gcc) and C(python3-dev)), or Debian's
    C(python3-libvirt).
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
    choices: [ringfence.core.libvirt]
  uris:
    description:
      - The hosts, each as a libvirt URI, C(qemu:///system), C(qemu+ssh://root@kvm-1/system), C(xen+ssh://xen-1/),
        C(lxc:///). Over ssh, there is no password prompt.
    type: list
    elements: str
    required: true
  sources:
    description:
      - The sources of addresses. Agents can be queried only over read-write connections; a warning says if a login is
        read-only.
    type: list
    elements: str
    choices: [agent, lease, arp]
    default: [agent, lease, arp]
  only_active:
    description: Whether to read only active domains; the hosts apply this filter.
    type: bool
    default: false
  inner_interfaces:
    description:
      - Whether to use addresses of interfaces that are not network cards of the domain, such as bridges of container
        engines.
    type: bool
    default: false
  names:
    description:
      - The sources of a domain's name; the first available one is used.
    type: list
    elements: str
    choices: [name, hostname, title, uuid]
    default: [name]
  realm:
    description:
      - The address space of the addresses. With C(host) each host is a separate realm, because libvirt's default
        network has the same addresses everywhere.
    type: str
    choices: [none, host]
    default: none
  label_prefix:
    description: The prefix of the label keys.
    type: str
    default: libvirt_
  connection:
    description:
      - How Ansible connects to domains that do not run Windows. C(libvirt_qemu) and C(libvirt_lxc) go through the host,
        with the connection plugins of C(community.libvirt).
    type: str
    choices: [ssh, libvirt_qemu, libvirt_lxc]
    default: ssh
  timeout:
    description: Seconds within which a host must respond completely.
    type: int
    default: 60
  agent_timeout:
    description: Seconds to wait for the guest agent of one domain.
    type: int
    default: 5
"""

EXAMPLES = r"""
# inventory/25-libvirt.yml, as short as it can be: the host that Ansible runs on
plugin: ringfence.core.libvirt
uris: [qemu:///system]
---
# several hosts, each with libvirt's own network; what runs only
plugin: ringfence.core.libvirt
uris:
  - qemu+ssh://root@kvm-1.example.com/system
  - qemu+ssh://root@kvm-2.example.com/system
only_active: true
realm: host
keyed_groups:
  - key: host
    prefix: host
groups:
  paused: state == 'paused'
cache: true
---
# nothing listens in the domains: Ansible comes through the guest agent
plugin: ringfence.core.libvirt
uris: [qemu:///system]
connection: libvirt_qemu
"""

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.library_needed import Library
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt.api import (
    LIBVIRT_MISSING,
    Wanted,
    ask_libvirt,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.libvirt.transform import Shape, assets

COMPILED = (
    "it is compiled, so run apt-get install libvirt-dev pkg-config gcc python3-dev first "
    "(or, for Debian's own Python, python3-libvirt alone)"
)


class InventoryModule(SourceInventory):
    """Adds the domains of hosts to the inventory."""

    NAME = "ringfence.core.libvirt"
    FACT = "ringfence_libvirt"
    LIBRARY = Library(LIBVIRT_MISSING, "libvirt", COMPILED)

    def ask(self, path: str) -> Found:
        """Return the domains of all hosts that answer."""
        wanted = self.from_options(Wanted, uris=tuple(dict.fromkeys(self.get_option("uris"))))
        return assets(ask_libvirt(wanted), self.from_options(Shape))

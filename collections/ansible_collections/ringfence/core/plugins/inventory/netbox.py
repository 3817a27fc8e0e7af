"""The inventory plugin ringfence.core.netbox: devices and virtual machines of NetBox and Nautobot."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: netbox
short_description: Devices and virtual machines of NetBox and Nautobot
version_added: 0.1.0
description:
  - Reads devices and virtual machines, with the addresses of all their interfaces, over the REST interface; it needs no
    library and only ever reads.
  - Each host gets C(ansible_host) (its primary address), C(ringfence_addresses), C(ringfence_labels) (site, location,
    role, tenant, platform, cluster, status, and fields of your choice), C(ringfence_sources), and everything else under
    C(ringfence_netbox), which I(compose), I(groups) and I(keyed_groups) also see by its short names, C(tags), C(site),
    C(custom_fields).
  - Devices of other roles than I(workload_roles) get C(ringfence_workload=false). Platforms with C(windows) in their
    name get C(ringfence_enforcer=windows) and I(windows_connection).
  - The out-of-band controller of a device, which has the address in C(oob_ip) and those of interfaces for management
    alone, is a host of its own, C(NAME-oob), with C(ringfence_kind=controller) and C(ringfence_workload=false).
  - Config contexts are not asked for, and custom fields whose names say that they hold secrets are left out.
  - A part of the interface that fails is named in a warning and counted; the rest goes on.
author:
  - The Ringfence developers
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
  - ringfence.core.source.names
  - ringfence.core.source.pages
  - ringfence.core.source.realm
  - ringfence.core.source.timeout
  - ringfence.core.source.tls
  - ringfence.core.source.windows
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.netbox]
  url:
    description: Where the server is, C(https://netbox.example.com).
    type: str
    required: true
    env:
      - name: NETBOX_API
  token:
    description: The token of an account that may read. Better from the environment, a lookup or a vault than from here.
    type: str
    env:
      - name: NETBOX_TOKEN
  kind:
    description: Which of the two it is. Nautobot must be 2.0 or newer.
    type: str
    choices: [netbox, nautobot]
    default: netbox
  device_filters:
    description: Filters of C(dcim/devices), a mapping of names to a value or a list; the server applies them.
    type: dict
    default: {}
  machine_filters:
    description: Filters of C(virtualization/virtual-machines).
    type: dict
    default: {}
  address_filters:
    description: Filters of C(ipam/ip-addresses). Deprecated addresses are left out in any case.
    type: dict
    default: {}
  interfaces:
    description: Whether interfaces are read for their MACs, which tell machines of several sources to be one.
    type: bool
    default: false
  workload_roles:
    description: The device roles, by slug or name, on which something can enforce. Virtual machines always can.
    type: list
    elements: str
    default: [server]
  labels:
    description: Labels from fields, as a mapping of label keys to fields with dots, C(custom_fields.env).
    type: dict
    default: {}
  label_prefix:
    description: What the keys of the other labels begin with.
    type: str
    default: netbox_
  realm:
    description: Whose address space the addresses are in. With C(vrf) a VRF is a realm, in Nautobot a namespace.
    type: str
    choices: [none, vrf]
    default: none
"""

EXAMPLES = r"""
# inventory/20-netbox.yml: all devices and virtual machines; the token from NETBOX_TOKEN
plugin: ringfence.core.netbox
url: https://netbox.example.com
---
# one site, labels from custom fields, VRFs as realms
plugin: ringfence.core.netbox
url: https://netbox.example.com
token: "{{ lookup('ansible.builtin.env', 'NETBOX_READER') }}"
device_filters:
  site: [fra]
  status: active
machine_filters:
  site: [fra]
labels:
  env: custom_fields.environment
  app: tenant
realm: vrf
interfaces: true
keyed_groups:
  - key: site
    prefix: site
cache: true
"""

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.json_over_http import Endpoint
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.api import Wanted, ask_netbox
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox.transform import Shape, hosts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import text_by_name, texts_by_name


class InventoryModule(SourceInventory):
    """Adds the devices and virtual machines of a server to the inventory."""

    NAME = "ringfence.core.netbox"
    FACT = "ringfence_netbox"

    def ask(self, path: str) -> Found:
        """Return the devices and virtual machines of the server."""
        filters = ("device_filters", "machine_filters", "address_filters")
        wanted = self.from_options(
            Wanted,
            endpoint=self._endpoint(),
            spaces=self.get_option("realm") == "vrf",
            **{name: texts_by_name(self.get_option(name)) for name in filters},
        )
        return hosts(ask_netbox(wanted), self.from_options(Shape, labels=text_by_name(self.get_option("labels"))))

    def _endpoint(self) -> Endpoint:
        token = self.secret("token")
        # NetBox 4.5 and newer tell their second kind of token by its beginning.
        scheme = "Bearer" if (token or "").startswith("nbt_") else "Token"
        return self.from_options(Endpoint, headers={"Authorization": f"{scheme} {token}"} if token else {})

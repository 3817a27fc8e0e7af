"""The inventory plugin ringfence.core.netbox: devices and virtual machines of NetBox and Nautobot."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: netbox
short_description: Devices and virtual machines of NetBox and Nautobot
version_added: 0.1.0
description:
  - Reads devices and virtual machines, with the addresses of all their interfaces, over the REST API. Read-only; no
    library is needed.
  - Each host gets C(ansible_host) (its primary address), C(ringfence_addresses), C(ringfence_labels) (site, location,
    role, tenant, platform, cluster, status, and fields of your choice), C(ringfence_sources), and everything else under
    C(ringfence_netbox), which I(compose), I(groups) and I(keyed_groups) also see under its short names, C(tags),
    C(site), C(custom_fields).
  - Devices with roles not in I(workload_roles) get C(ringfence_workload=false). Hosts whose platform has C(windows) in
    its name get C(ringfence_enforcer=windows) and I(windows_connection).
  - The out-of-band controller of a device, with the address in C(oob_ip) and those of management-only interfaces,
    becomes a separate host C(NAME-oob) with C(ringfence_kind=controller) and C(ringfence_workload=false).
  - Config contexts are not read, and custom fields whose names suggest a secret are left out.
  - A part of the API that fails is counted and named in a warning; the rest is used.
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
    description: The URL of the server, such as C(https://netbox.example.com).
    type: str
    required: true
    env:
      - name: NETBOX_API
  token:
    description: The token of an account with read permission. Prefer the environment, a lookup or a vault to this file.
    type: str
    env:
      - name: NETBOX_TOKEN
  kind:
    description: The type of the server. Nautobot must be 2.0 or newer.
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
    description: Filters of C(ipam/ip-addresses). Deprecated addresses are always left out.
    type: dict
    default: {}
  interfaces:
    description: Whether to read interfaces for their MAC addresses, which help to recognise the same machine in several
      sources.
    type: bool
    default: false
  workload_roles:
    description: The device roles, by slug or name, that an enforcer can run on. Virtual machines are always workloads.
    type: list
    elements: str
    default: [server]
  labels:
    description: Labels from fields, as a mapping of label keys to dotted fields, such as C(custom_fields.env).
    type: dict
    default: {}
  label_prefix:
    description: The prefix of the keys of all other labels.
    type: str
    default: netbox_
  realm:
    description: The address space of the addresses. With C(vrf) each VRF is a realm; in Nautobot, each namespace.
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

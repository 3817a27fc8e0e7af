"""The inventory plugin ringfence.core.ldap: computers of Active Directory and other LDAP directories."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: ldap
short_description: Computers of Active Directory and other LDAP directories
version_added: 0.1.0
description:
  - Reads computers and their groups, including nested ones, page by page. Read-only.
  - Each host gets C(ansible_host) (its address, or else C(dNSHostName)), C(ringfence_labels) (domain, innermost OU, and
    attributes of your choice), C(ringfence_sources), and everything else under C(ringfence_ldap), which I(compose),
    I(groups) and I(keyed_groups) also see under its short names, C(units), C(os), C(member_of).
  - Windows computers get C(ringfence_enforcer=windows) and I(windows_connection).
  - Groups that contain each other are named in a warning; their members belong to all of them.
  - A base that cannot be read is counted and named in a warning; the rest is used.
author:
  - The Ringfence developers
requirements:
  - The Python package C(ldap3) in the Python that runs Ansible (C(pip install 'ringfence[ldap]')).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
  - ringfence.core.source.names
  - ringfence.core.source.pages
  - ringfence.core.source.timeout
  - ringfence.core.source.tls
  - ringfence.core.source.windows
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.ldap]
  server:
    description: The directory server, such as C(ldaps://dc1.example.com). Of several, the first that responds is used.
    type: list
    elements: str
    required: true
  base:
    description: The entry below which to search for computers and groups, or a list of entries.
    type: raw
    required: true
  bind_dn:
    description: The account to bind as, a DN or, in Active Directory, a name such as C(reader@example.com). Without it
      the bind is anonymous.
    type: str
    env:
      - name: RINGFENCE_LDAP_BIND_DN
  password:
    description: The password of the account. Prefer the environment, a lookup or a vault to this file.
    type: str
    env:
      - name: RINGFENCE_LDAP_PASSWORD
  start_tls:
    description: Whether to use StartTLS on C(ldap://) connections.
    type: bool
    default: false
  plain_password:
    description: Whether a password may be sent over an unencrypted connection.
    type: bool
    default: false
  filter:
    description: The LDAP filter for computers; the directory applies it.
    type: str
    default: (objectClass=computer)
  group_filter:
    description: The LDAP filter for groups.
    type: str
    default: (|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))
  disabled:
    description: Whether computers with disabled accounts become hosts.
    type: bool
    default: false
  names:
    description: The attributes for a host's name; the first one present is used.
    type: list
    elements: str
    default: [dNSHostName, cn]
  addresses:
    description: The attributes with addresses. If a host has none of them, C(ansible_host) is resolved.
    type: list
    elements: str
    default: [ipHostNumber]
  labels:
    description: Labels from attributes, as a mapping of label keys to attributes.
    type: dict
    default: {}
  label_prefix:
    description: The prefix of the keys of the labels C(domain) and C(ou).
    type: str
    default: ldap_
  attributes:
    description: Additional attributes to store under C(ringfence_ldap.attributes). Attributes with passwords are
      refused.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
# inventory/40-ldap.yml: all computers of a domain; the password from RINGFENCE_LDAP_PASSWORD
plugin: ringfence.core.ldap
server: ldaps://dc1.example.com
base: dc=example,dc=com
bind_dn: reader@example.com
---
# servers only, a label from an attribute and one group for each OU and directory group
plugin: ringfence.core.ldap
server: [ldaps://dc1.example.com, ldaps://dc2.example.com]
base: ["ou=Servers,dc=example,dc=com", "ou=Groups,dc=example,dc=com"]
bind_dn: cn=reader,dc=example,dc=com
password: "{{ lookup('ansible.builtin.env', 'LDAP_PASSWORD') }}"
filter: (&(objectClass=computer)(operatingSystem=*Server*))
labels:
  loc: location
keyed_groups:
  - key: units
    prefix: ou
  - key: member_of
    prefix: ad
cache: true
"""

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.api import LDAP3_MISSING, Wanted, ask_ldap
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.transform import Shape, hosts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.library_needed import Library
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import text_by_name, texts


class InventoryModule(SourceInventory):
    """Adds the computers of a directory to the inventory."""

    NAME = "ringfence.core.ldap"
    FACT = "ringfence_ldap"
    LIBRARY = Library(LDAP3_MISSING, "ldap")

    def ask(self, path: str) -> Found:
        """Return the computers of the directory."""
        wanted = self.from_options(
            Wanted,
            servers=tuple(self.get_option("server")),
            base=tuple(texts(self.get_option("base"))),
            password=self.secret("password"),
        )
        return hosts(ask_ldap(wanted), self.from_options(Shape, labels=text_by_name(self.get_option("labels"))))

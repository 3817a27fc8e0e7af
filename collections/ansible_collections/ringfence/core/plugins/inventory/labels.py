"""The inventory plugin ringfence.core.labels: labels and groups for the hosts of every inventory before it."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: labels
short_description: Labels and groups for the hosts of any inventory
version_added: 0.1.0
description:
  - Applies the label rules of a Ringfence workspace to every host of the inventories that were parsed before, from any
    plugin, and creates a group for every label, such as C(env_prod) or C(app_shop).
  - Each host gets C(ringfence_label_values), a mapping of label keys to values, and C(ringfence_label_groups), the
    groups that it joined for them.
  - C(ringfence_labels), which a source sets and which takes precedence over rules, is not changed, so that Ringfence
    still knows which rule set which label.
  - Ansible parses an inventory directory in the order of its names; name this file so that it comes last.
author:
  - The Ringfence developers
extends_documentation_fragment:
  - ringfence.core.engine
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.labels]
  rules:
    description:
      - The file with label rules, relative to the directory of this configuration file.
      - The default is C(labels.yml) in the parent directory.
    type: str
    default: ../labels.yml
  group_keys:
    description: The labels to create groups for. The default is all.
    type: list
    elements: str
  separator:
    description: The separator between key and value in a group's name.
    type: str
    default: _
  use_vars_plugins:
    description:
      - Whether rules see the variables of vars plugins, such as those in C(group_vars) and C(host_vars).
    type: bool
    default: true
"""

EXAMPLES = r"""
# inventory/90-labels.yml: groups env_prod, app_shop, role_web … from ../labels.yml
plugin: ringfence.core.labels
---
# rules kept elsewhere, and groups of two labels only
plugin: ringfence.core.labels
rules: ../../shared/labels.yml
group_keys: [app, env]
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.helpers import get_group_vars
from ansible.inventory.host import Host
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.vars import combine_vars
from ansible.vars.plugins import get_vars_from_inventory_sources
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.engine_needed import engine_missing
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.gc_pause import many_objects
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.known_options import KnownOptions
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.unsafe_values import as_variable

# the engine stays, and so does all of Ansible that is there by now: every start would look through both several times
with many_objects():
    try:
        from ringfence.language import load_label_rules
        from ringfence.model.assets import Asset
        from ringfence.model.errors import RingfenceError
        from ringfence.model.problems import Severity
        from ringfence.model.rules import Settings
        from ringfence.sources.accepted import FILE as CLAIMS
        from ringfence.sources.accepted import read_accepted
        from ringfence.sources.ansible_inventory import InventoryHost
        from ringfence.sources.ansible_settings import fact_caches_of
        from ringfence.sources.claims import judged
        from ringfence.sources.fact_files import cached_facts
        from ringfence.sources.inventory import read_assets
        from ringfence.sources.label_doubts import label_doubts
        from ringfence.sources.labelling import apply_label_rules
        from ringfence.sources.resolution import resolve_names
    except ImportError as missing:
        ENGINE_MISSING: ImportError | None = missing
    else:
        ENGINE_MISSING = None


class InventoryModule(KnownOptions, BaseInventoryPlugin):
    """Gives labels and groups to the hosts that are already in the inventory."""

    NAME = "ringfence.core.labels"

    def verify_file(self, path: str) -> bool:
        """Return whether a file may be a configuration of this plugin; its content is checked when it is parsed."""
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    @staticmethod
    def _is_last(path: Path) -> bool:
        """Return whether other inventories stand beside a file, all before it: then there are no hosts at all."""
        *others, last = sorted(one.name for one in path.parent.iterdir())
        return bool(others) and last == path.name

    def parse(self, inventory: object, loader: object, path: str, cache: bool = True) -> None:
        """Set labels and add groups; raise AnsibleParserError where rules or host variables are wrong."""
        super().parse(inventory, loader, path, cache)
        if ENGINE_MISSING is not None:
            raise engine_missing(self.NAME, ENGINE_MISSING)
        self._read_config_data(path)
        self._meanings: dict[str, set[str]] = defaultdict(set)
        self._groups_by_label: dict[tuple[str, str], str | None] = {}
        if not self.inventory.hosts:
            if self._is_last(Path(path)):
                return
            warning = "no inventory before this one has hosts: add some, or name it so that it is parsed last"
            self.display.warning(f"{path}: {warning}")
            return
        for asset in self._labelled(Path(path).parent / str(self.get_option("rules"))):
            host = self.inventory.get_host(asset.name)
            host.set_variable("ringfence_label_values", as_variable(asset.label_values()))
            host.set_variable("ringfence_label_groups", self._group(asset, host))
        self._warn_of_shared_groups()

    def _labelled(self, rules: Path) -> tuple[Asset, ...]:
        if not rules.is_file():
            raise AnsibleParserError(f"there are no valid label rules at {rules}: write that file, or set 'rules'")
        try:
            given = load_label_rules(rules.resolve())
            # Names are resolved only where a rule looks at addresses.
            looks = any("addresses" in f"{rule.expression} {rule.when}" for rule in given)
            resolve = resolve_names if looks else _no_names
            hosts = self._hosts()
            facts = self._facts(rules.resolve().parent)
            read = read_assets(hosts, Settings(), facts, resolve)
            accepted = read_accepted(rules.resolve().parent / ".ringfence" / CLAIMS)
            assets, _ = judged(read, Settings(), accepted, bool(facts))
            labelled, problems = apply_label_rules(assets, given)
        except RingfenceError as error:
            raise AnsibleParserError(str(error)) from error
        errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
        if errors:
            raise AnsibleParserError("\n".join(errors))
        for problem in (*label_doubts(hosts), *problems):
            self.display.warning(str(problem))
        return labelled

    def _hosts(self) -> list[InventoryHost]:
        sources = getattr(self.inventory, "processed_sources", [])
        more = self.get_option("use_vars_plugins")
        found = []
        for name, host in sorted(self.inventory.hosts.items()):
            groups = host.get_groups()
            variables, own = get_group_vars(groups), host.get_vars()
            if more:
                variables = combine_vars(
                    variables, get_vars_from_inventory_sources(self.loader, sources, groups, "all")
                )
                own = combine_vars(own, get_vars_from_inventory_sources(self.loader, sources, [host], "all"))
            variables = combine_vars(variables, own)
            for internal in constants.INTERNAL_STATIC_VARS:
                variables.pop(internal, None)
            names = {group.name for group in groups} - {"all", "ungrouped"}
            found.append(InventoryHost(str(name), variables, tuple(sorted(str(group) for group in names))))
        return found

    def _facts(self, workspace: Path) -> dict[str, Mapping[str, object]]:
        """Return the facts of hosts as the engine takes them, whatever plug-in caches facts for plays."""
        found, _ = cached_facts(fact_caches_of(workspace), map(str, self.inventory.hosts))
        return found

    def _group(self, asset: Asset, host: Host) -> list[str]:
        """Add a host to the groups of its labels; return those that it was not in before."""
        before = {group.name for group in host.get_groups()}
        joined: list[Any] = []
        for key, value in asset.label_values().items():
            group = self._group_of(key, value)
            if group is not None:
                # Not by `add_child`: where a group has the name of the host, that would add the group.
                self.inventory.groups[group].add_host(host)
                if group not in before:
                    joined.append(as_variable(group))
        return joined

    def _group_of(self, key: str, value: str) -> str | None:
        """Return the group of a label, made where it is new; None for a label that makes none."""
        known = self._groups_by_label
        if (key, value) not in known:
            keys, group = self.get_option("group_keys"), None
            if keys is None or key in keys:
                name = self._sanitize_group_name(f"{key}{self.get_option('separator')}{value}")
                self._meanings[name].add(f"{key}={value}")
                group = str(self.inventory.add_group(name))
            known[key, value] = group
        return known[key, value]

    def _warn_of_shared_groups(self) -> None:
        for name, labels in sorted(self._meanings.items()):
            if len(labels) > 1:
                shared = ", ".join(sorted(labels))
                self.display.warning(
                    f"the group '{name}' is shared by several labels whose names differ only in punctuation: {shared}"
                )


def _no_names(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    return {}

"""The inventory plugin ringfence.core.onprem: hosts from tables that people keep, CSV, YAML, JSON or XLSX."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: onprem
short_description: Hosts, addresses and labels from CSV, YAML, JSON or XLSX tables
description:
  - Reads hosts from tables that people keep or a CMDB exports, a row a host, with the addresses and labels that the
    tables give. Several tables of the same hosts are merged by a key.
  - Each host gets C(ansible_host) (its first address), C(ringfence_addresses), C(ringfence_labels),
    C(ringfence_sources), and under C(onprem) every cell of its row, which label rules and I(compose) can use. Cells
    of columns whose names say that they hold secrets (C(Password), C(api_token)) are left out.
  - A broken row is left out, named with its file and line in a warning, and counted; the rest goes on.
  - The values of a table are never evaluated as templates.
author:
  - The Ringfence developers
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.engine
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.onprem]
  table:
    description:
      - The table, or several, relative to the directory of this configuration file.
      - A name that ends in C(.yml), C(.yaml) or C(.json) is a list of mappings or a mapping of names to mappings;
        C(.xlsx) is a workbook, which needs openpyxl (C(pip install 'ringfence[xlsx]')); any other is CSV in UTF-8 with
        a header.
      - Ansible takes every file in an inventory directory for an inventory; keep the table beside that directory.
    type: list
    elements: str
    required: true
  columns:
    description: Which columns say what. The names must be those of the header.
    type: dict
    default: {}
    suboptions:
      name:
        description: The column with the host's name.
        type: str
        default: name
      addresses:
        description: The columns with addresses, one or several in a cell, with commas, semicolons or blanks between.
        type: list
        elements: str
        default: [addresses]
      labels:
        description:
          - A mapping of label keys to the columns that hold their values.
          - By default the columns C(role), C(app), C(env) and C(loc), where the table has them.
          - A column C(labels) is always read, as C(key=value; key=value), in YAML as a mapping.
        type: dict
  host_vars:
    description: Variables to set, as a mapping of their names to columns. An empty cell sets none.
    type: dict
    default: {}
  filters:
    description: Keep the rows whose columns have one of these texts, as a mapping of columns to a text or a list.
    type: dict
    default: {}
  exclude:
    description: Leave out the rows where one of these columns has one of these texts.
    type: dict
    default: {}
  delimiter:
    description: What stands between the fields of a CSV table. By default told from the header.
    type: str
  sheet:
    description: The sheet of a workbook. By default its first.
    type: str
  rows_at:
    description: The keys that lead to the rows of a YAML or JSON table, with dots between, such as C(result).
    type: str
  merge_by:
    description:
      - The columns that tell which rows of several tables are one host, compared without regard to case. Of several
        columns the first that a row has counts, so tables may name them differently.
      - A cell counts as the first of the tables has it; addresses are those of all. Cells that contradict each other
        are named in a warning and counted.
    type: list
    elements: str
    default: []
  broken_rows:
    description: What becomes of a table with broken rows.
    type: str
    choices: [warn, fail]
    default: warn
"""

EXAMPLES = r"""
# hosts.csv, beside the inventory directory:
#   name,addresses,role,env
#   web-1,"10.1.0.11, 2001:db8:1::11",web,prod
#   db-1,10.1.0.21,db,prod

# inventory/30-onprem.yml, as short as it can be
plugin: ringfence.core.onprem
table: ../hosts.csv
---
# a table with columns of its own, production only, and a group for every value of a label
plugin: ringfence.core.onprem
table: ../cmdb.csv
columns:
  name: Hostname
  addresses: [IPv4, IPv6]
  labels:
    env: Stage
    app: Service
host_vars:
  ansible_user: Login
filters:
  Stage: [prod, dr]
exclude:
  Status: retired
keyed_groups:
  - key: ringfence_labels.env
    prefix: env
groups:
  racked: onprem.Rack is defined
compose:
  ntp_server: "'10.1.0.1'"
---
# three exports of the same hosts: a sheet, the answer of a REST interface, and what people added by hand
plugin: ringfence.core.onprem
table: [../cmdb.xlsx, ../monitoring.json, ../by-hand.yml]
sheet: Servers
rows_at: result
merge_by: [Serial, serial_number]
columns:
  name: Hostname
  addresses: [IPv4, ip_addresses]
"""

from collections.abc import Mapping
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.ringfence.core.plugins.plugin_utils.engine_needed import engine_missing

try:
    from ringfence.model.errors import RingfenceError
    from ringfence.sources.attributes import names_secret
    from ringfence.sources.host_table import Columns, Reading, TableHost, read_host_tables
except ImportError as missing:
    ENGINE_MISSING: ImportError | None = missing
else:
    ENGINE_MISSING = None


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Adds the hosts of tables to the inventory."""

    NAME = "ringfence.core.onprem"

    def verify_file(self, path: str) -> bool:
        """Return whether a file may be a configuration of this plugin; its content is checked when it is parsed."""
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: object, loader: object, path: str, cache: bool = True) -> None:
        """Add hosts, variables and groups; raise AnsibleParserError where the configuration or a table is wrong."""
        super().parse(inventory, loader, path, cache)
        if ENGINE_MISSING is not None:
            raise engine_missing(self.NAME, ENGINE_MISSING)
        self._read_config_data(path)
        found = self._cached(path, cache)
        for warning in found["warnings"]:
            self.display.warning(warning)
        if found["warnings"] and self.get_option("broken_rows") == "fail":
            raise AnsibleParserError(f"{path}: the table has broken rows, and 'broken_rows: fail' is set")
        for host in found["hosts"]:
            self._add(host["name"], host["variables"])

    def _cached(self, path: str, cache: bool) -> dict[str, object]:
        """Return hosts and warnings, from the inventory cache where it is on and the tables have not changed."""
        key = self.get_cache_key(path)
        stamps = [self._stamp(table) for table in self._tables(path)]
        use = self.get_option("cache")
        if use and cache:
            known = self._cache.get(key)
            if known and known.get("stamps") == stamps and known.get("options") == self._options_used():
                return known
        found = {"stamps": stamps, "options": self._options_used(), **self._read(path)}
        if use:
            self._cache[key] = found
        return found

    def _read(self, path: str) -> dict[str, list[object]]:
        tables = [(table, _shown(table)) for table in self._tables(path)]
        try:
            found = read_host_tables(tables, self._columns(), self._reading())
        except RingfenceError as error:
            raise AnsibleParserError(str(error)) from error
        self.display.vv(f"{path}: {len(found.hosts)} hosts, {found.filtered} rows left out by filters")
        return {
            "hosts": [{"name": host.name, "variables": self._variables(host, path)} for host in found.hosts],
            "warnings": [str(problem) for problem in found.problems],
        }

    def _variables(self, host: TableHost, path: str) -> dict[str, object]:
        chosen = {name: host.cells.get(column) for name, column in self.get_option("host_vars").items()}
        variables = {
            "onprem": {column: cell for column, cell in host.cells.items() if not names_secret(column)},
            "ringfence_labels": dict(host.labels),
            "ringfence_sources": [_shown(Path(path)), *_tables_of(host)],
            **{name: value for name, value in chosen.items() if value not in (None, "")},
        }
        if host.addresses:
            variables["ringfence_addresses"] = list(host.addresses)
            variables.setdefault("ansible_host", host.addresses[0])
        return variables

    def _add(self, host: str, variables: Mapping[str, object]) -> None:
        self.inventory.add_host(host)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, wrap_var(value))
        if not any(self.get_option(option) for option in ("compose", "groups", "keyed_groups")):
            return
        known = self.inventory.get_host(host).get_vars()
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
        known = self.inventory.get_host(host).get_vars()
        self._add_host_to_composed_groups(self.get_option("groups"), known, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host, strict=strict)

    def _tables(self, path: str) -> list[Path]:
        return [Path(path).parent / str(table) for table in self.get_option("table")]

    def _columns(self) -> Columns:
        given = self.get_option("columns")
        unknown = sorted(set(given) - {"name", "addresses", "labels"})
        if unknown:
            raise AnsibleParserError(f"'columns' has the unknown key '{unknown[0]}': known are name, addresses, labels")
        addresses = given.get("addresses") or ["addresses"]
        return Columns(
            name=str(given.get("name", "name")),
            addresses=tuple([addresses] if isinstance(addresses, str) else map(str, addresses)),
            labels={str(key): str(column) for key, column in (given.get("labels") or {}).items()},
        )

    def _reading(self) -> Reading:
        return Reading(
            delimiter=self.get_option("delimiter"),
            sheet=self.get_option("sheet"),
            rows_at=tuple(filter(None, (self.get_option("rows_at") or "").split("."))),
            keep=_texts(self.get_option("filters")),
            leave_out=_texts(self.get_option("exclude")),
            merge_by=tuple(self.get_option("merge_by")),
        )

    def _options_used(self) -> str:
        names = ("columns", "host_vars", "filters", "exclude", "delimiter", "sheet", "rows_at", "merge_by")
        return repr([(name, self.get_option(name)) for name in names])

    @staticmethod
    def _stamp(table: Path) -> list[object]:
        try:
            status = table.stat()
        except OSError:
            return [str(table)]
        return [str(table), status.st_mtime_ns, status.st_size]


def _tables_of(host: TableHost) -> list[str]:
    """Return the tables of a host that was merged of several; those of any other are no news."""
    return list(dict.fromkeys(place.file for place in (host.place, *host.also))) if host.also else []


def _texts(filters: Mapping[str, object]) -> dict[str, list[str]]:
    return {
        str(column): [str(text) for text in (texts if isinstance(texts, list) else [texts])]
        for column, texts in filters.items()
    }


def _shown(path: Path) -> str:
    """Return a path as people know it: from the directory they are in, where it lies below."""
    whole = path.resolve()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(whole)

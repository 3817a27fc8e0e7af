"""The inventory plugin ringfence.core.onprem: hosts from tables that people keep, CSV, YAML, JSON or XLSX."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: onprem
short_description: Hosts, addresses and labels from CSV, YAML, JSON or XLSX tables
version_added: 0.1.0
description:
  - Reads hosts from tables that people maintain or a CMDB exports, one row per host, with their addresses and labels.
    Several tables of the same hosts are merged by a key.
  - Each host gets C(ansible_host) (its first address), C(ringfence_addresses), C(ringfence_labels),
    C(ringfence_sources), and under C(onprem) every cell of its row, which label rules and I(compose) can use. Columns
    whose names suggest a secret (C(Password), C(api_token)) are left out.
  - An invalid row is left out, counted, and named with its file and line in a warning; the rest is used.
author:
  - The Ringfence developers
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.engine
  - ringfence.core.source
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.onprem]
  table:
    description:
      - One or more tables, relative to the directory of this configuration file.
      - A name that ends in C(.yml), C(.yaml) or C(.json) is a list of mappings or a mapping of names to mappings;
        C(.xlsx) is a workbook, which needs openpyxl (C(pip install 'ringfence[xlsx]')); any other is CSV in UTF-8 or
        UTF-16, whose header is the first line with the required columns.
      - Ansible treats every file in an inventory directory as an inventory, so keep the table outside that directory.
    type: list
    elements: str
    required: true
  columns:
    description: Which columns to use. The names must match the header.
    type: dict
    default: {}
    suboptions:
      name:
        description: The column with the host's name. For tables with different name columns, use one configuration file
          each.
        type: str
        default: name
      addresses:
        description: The columns with addresses. A cell may have several, separated by commas, semicolons or spaces.
        type: list
        elements: str
        default: [addresses]
      labels:
        description:
          - A mapping of label keys to the columns that hold their values.
          - The default is the columns C(role), C(app), C(env) and C(loc), if the table has them.
          - A column C(labels) is always read, in the form C(key=value; key=value) or, in YAML, a mapping.
        type: dict
  host_vars:
    description: Variables to set, as a mapping of their names to columns. An empty cell sets none.
    type: dict
    default: {}
  filters:
    description:
      - Keep only rows whose columns have one of these values, as a mapping of columns to a value or a list.
      - A warning names a value that no row has. Words that YAML does not read as text (C(NO), C(007)) need quotes.
    type: dict
    default: {}
  exclude:
    description: Leave out rows in which one of these columns has one of these values.
    type: dict
    default: {}
  delimiter:
    description:
      - The field separator of a CSV table. The default is detected from the header. A line C(sep=;) above the header
        takes precedence over this option.
    type: str
  sheet:
    description: The sheet of a workbook. The default is the first sheet that is not hidden.
    type: str
  rows_at:
    description: The path of keys to the rows of a YAML or JSON table, separated by dots, such as C(result).
    type: str
  merge_by:
    description:
      - The columns by which rows of several tables are matched to the same host, ignoring case. The first of these
        columns that a row has is used, so tables may name them differently.
      - The first table that has a cell takes precedence; addresses of all tables are combined. Conflicting cells are
        counted and named in a warning.
    type: list
    elements: str
    default: []
  may_be_empty:
    description:
      - Whether a table may have no rows, for example before its first host. Otherwise an empty table causes a warning,
        because a failed export looks the same.
    type: bool
    default: false
  failures:
    description: What to do with tables that have invalid rows or no valid rows at all.
    type: str
    choices: [warn, fail]
    default: warn
    aliases: [broken_rows]
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

from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.engine_needed import engine_missing
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found, SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import (
    SourceInventory,
    file_state,
    shown_path,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import (
    text_by_name,
    texts,
    texts_by_name,
    unmatched,
)

try:
    from ringfence.model.errors import RingfenceError
    from ringfence.sources.alike_names import groups_alike
    from ringfence.sources.host_row import Columns, TableHost
    from ringfence.sources.host_table import Reading, read_host_tables
    from ringfence.sources.table_names import told_apart
    from ringfence.wire.secret_names import names_secret
except ImportError as missing:
    ENGINE_MISSING: ImportError | None = missing
else:
    ENGINE_MISSING = None


class InventoryModule(SourceInventory):
    """Adds the hosts of tables to the inventory."""

    NAME = "ringfence.core.onprem"
    FACT = "onprem"
    SPEAKS_OF_OTHERS = True

    def ask(self, path: str) -> Found:
        """Return the hosts of the tables."""
        if ENGINE_MISSING is not None:
            raise engine_missing(self.NAME, ENGINE_MISSING)
        tables = [(table, shown_path(str(table))) for table in self._tables(path)]
        # Tables that are merged are one; else one that cannot be read costs its own hosts alone.
        parts = [tables] if self.get_option("merge_by") else [[table] for table in tables]
        read = []
        unreached = {}
        for part in parts:
            try:
                read.append(read_host_tables(part, self._columns(), self._reading()))
            except RingfenceError as error:
                unreached[part[0][1]] = str(error)
        if unreached and not read:
            raise SourceRefused("; ".join(unreached.values()))
        self.display.vv(f"{path}: {sum(found.filtered for found in read)} rows left out by filters")
        named_hosts, told = told_apart(host for found in read for host in found.hosts)
        doubtful = {name for group in groups_alike(name for name, _ in named_hosts) for name in group}
        hosts = [
            (name, self._variables(host, name, several=len(parts) > 1, doubtful=name in doubtful))
            for name, host in named_hosts
        ]
        warnings = [str(problem) for found in read for problem in (*found.problems, *found.notes)]
        warnings += map(str, told)
        for option in ("filters", "exclude"):
            wanted = texts_by_name(self.get_option(option))
            have = {column: [text for found in read for text in found.values.get(column, ())] for column in wanted}
            warnings += unmatched(option, wanted, have, "row")
        whole = not any(found.problems for found in read)
        warnings += [f"{why}: no row of this table is read" for why in unreached.values()]
        return Found(hosts, warnings, unreached, whole=whole)

    def asked(self, path: str) -> list[object]:
        """Return what decides the answer: the options, and the tables as they are now."""
        return [*super().asked(path), [file_state(table) for table in self._tables(path)]]

    def _variables(self, host: TableHost, name: str, *, several: bool, doubtful: bool) -> dict[str, object]:
        chosen = {name: host.cells.get(column) for name, column in text_by_name(self.get_option("host_vars")).items()}
        variables = {
            "onprem": {column: cell for column, cell in host.cells.items() if not names_secret(column)},
            "ringfence_labels": dict(host.labels),
            "ringfence_sources": _tables_of(host) if several or host.also else [],
            **({"ringfence_place": str(host.place)} if doubtful else {}),
            **({"ringfence_name": host.name} if name != host.name else {}),
            **{name: value for name, value in chosen.items() if value not in (None, "")},
        }
        if host.addresses:
            variables["ringfence_addresses"] = list(host.addresses)
            variables.setdefault("ansible_host", host.addresses[0])
        return variables

    def _tables(self, path: str) -> list[Path]:
        return [Path(path).parent / table for table in texts(self.get_option("table"))]

    def _columns(self) -> Columns:
        given = self.get_option("columns")
        return Columns(
            name=str(given.get("name", "name")),
            addresses=tuple(texts(given.get("addresses") or "addresses")),
            labels=text_by_name(given.get("labels") or {}),
        )

    def _reading(self) -> Reading:
        return self.from_options(
            Reading,
            rows_at=tuple(filter(None, (self.get_option("rows_at") or "").split("."))),
            keep=texts_by_name(self.get_option("filters")),
            leave_out=texts_by_name(self.get_option("exclude")),
        )


def _tables_of(host: TableHost) -> list[str]:
    """Return the tables that a host stands in."""
    return list(dict.fromkeys(place.file for place in (host.place, *host.also)))

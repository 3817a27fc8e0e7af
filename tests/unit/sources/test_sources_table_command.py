"""Tables behind the commands that people type: what was left out or read otherwise is always said."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.sources.asset_factory import write

COMMAND = Path(sys.executable).parent / "ringfence"
if not (COMMAND.parent / "ansible-inventory").exists():
    pytest.skip("ansible-core is not installed beside this Python", allow_module_level=True)
CONFIG = "plugin: ringfence.core.onprem\ntable: ../{table}\n"
STATES = (
    "name,addresses,role,Country,Status\nosl-1,10.1.0.1,web,NO,on\nsto-1,10.1.0.2,web,SE,on\noff-1,10.1.0.3,db,NO,off\n"
)


@pytest.fixture
def workspace(tmp_path):
    write(tmp_path / "ringfence.yml", "control: {from: [10.9.0.0/24]}\n")
    (tmp_path / "policy").mkdir()
    return tmp_path


def table(workspace, content, options="", name="hosts.csv"):
    if isinstance(content, str):
        content = content.encode()
    (workspace / name).write_bytes(content)
    write(workspace / "inventory/30-onprem.yml", CONFIG.format(table=name) + options)


def said(workspace, *arguments):
    done = subprocess.run(
        [str(COMMAND), *arguments], cwd=workspace, capture_output=True, text=True, check=False, timeout=120
    )
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_a_csv_file_as_excel_writes_it_gives_its_hosts(workspace):
    lines = [
        "sep=;",
        "Server list",
        "name;addresses;role;env",
        "web-1;10.1.0.11;web;prod\xa0",
        "Total;;;1",
        "all;10.0.0.1;;",
    ]
    table(workspace, "\r\n".join([*lines, ""]))
    status, output = said(workspace, "assets")
    assert status == 0
    assert "web-1 10.1.0.11 env=prod role=web" in output
    status, output = said(workspace, "check")
    assert "hosts.csv:5: warning: this row is left out: 'Total' without an address is not a host" in output
    assert "hosts.csv:6: warning: this row is left out: 'all' means something else to Ansible" in output


def test_a_sheet_with_merged_cells_and_formats_gives_what_it_shows(workspace):
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    book = openpyxl.Workbook()
    for row in (
        ["env", "name", "addresses", "Serial"],
        ["prod", "web-1", "10.1.0.11", 4711],
        [None, "web-2", "10.1.0.12", 815],
    ):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.active["D2"].number_format = book.active["D3"].number_format = "000000"
    book.save(workspace / "cmdb.xlsx")
    table(
        workspace,
        (workspace / "cmdb.xlsx").read_bytes(),
        "columns: {labels: {env: env, serial: Serial}}\n",
        "cmdb.xlsx",
    )
    _, output = said(workspace, "assets")
    assert "web-1 10.1.0.11 env=prod serial=004711" in output
    assert "web-2 10.1.0.12 env=prod serial=000815" in output


@pytest.mark.parametrize(
    ("options", "quoted", "left"),
    [
        ("filters: {Country: [NO, SE]}\n", "filters: {Country: ['NO', SE]}\n", 3),
        ("exclude: {Status: off}\n", "exclude: {Status: 'off'}\n", 2),
    ],
)
def test_a_word_that_yaml_misreads_is_an_error_and_with_the_quotes_shown_it_does_what_it_says(
    workspace, options, quoted, left
):
    table(workspace, STATES, options)
    status, output = said(workspace, "check")
    assert status == 2
    assert "inventory/30-onprem.yml:3:" in output
    assert "without quotes, which YAML reads as false → write '" in output
    table(workspace, STATES, quoted)
    status, output = said(workspace, "assets")
    assert f"{left} of {left} assets" in output


def test_a_filter_that_meets_nothing_is_a_warning_of_check(workspace):
    table(workspace, STATES, "exclude: {Status: [OFFF, retired]}\n")
    status, output = said(workspace, "check")
    assert status == 0
    assert "'exclude' has 'OFFF' for 'Status', which no row has (did you mean 'off'?)" in output
    assert "'exclude' has 'retired' for 'Status', which no row has (there are: off, on)" in output


def test_a_table_of_which_nothing_is_left_is_a_warning_of_check_or_fails(workspace):
    table(workspace, "name,addresses\n")
    status, output = said(workspace, "check")
    assert (status, "hosts.csv:1: warning: the table has no rows: it gives no hosts" in output) == (0, True)
    table(workspace, "name,addresses\n", "failures: fail\n")
    assert said(workspace, "check")[0] != 0
    table(workspace, "name,addresses\n", "failures: fail\nmay_be_empty: true\n")
    status, output = said(workspace, "check")
    assert (status, "has no rows" in output) == (0, False)


def test_a_header_that_is_not_the_wanted_one_is_an_error_with_its_line(workspace):
    table(workspace, "Server list\n\nhost;ip\nweb-1;10.0.0.1\n")
    status, output = said(workspace, "check")
    assert status == 2
    assert "hosts.csv:3: error: the table has no column 'name' (there are: host, ip" in output


def test_a_table_that_lacks_a_column_loses_its_hosts_alone_and_is_said_to_be_lost_whole(workspace):
    table(workspace, "name,addresses\nweb-2,10.1.0.2\nweb-3,10.1.0.3\n", name="other.csv")
    table(workspace, "name,addresses,role\nweb-1,10.1.0.1,web\n")
    several = "plugin: ringfence.core.onprem\ntable: [../hosts.csv, ../other.csv]\ncolumns: {labels: {role: role}}\n"
    write(workspace / "inventory/30-onprem.yml", several)
    status, output = said(workspace, "check")
    assert (status, "1 asset:" in output) == (0, True)
    assert "other.csv:1: warning: the table has no column 'role'" in output
    assert "no row of this table is read" in output


def test_a_row_named_like_a_group_is_a_host_of_another_name_and_the_rest_stands(workspace):
    table(workspace, "name,addresses,role\nshop,10.1.0.1,web\nweb-1,10.1.0.11,web\nungrouped,10.1.0.2,web\n")
    write(workspace / "inventory/10-static.yml", "shop: {hosts: {db-1: {ansible_host: 10.1.0.21}}}\n")
    status, output = said(workspace, "check")
    assert status == 0
    assert "'shop' is 'shop_30-onprem'" in output
    assert "hosts.csv:4: warning: this row is left out: 'ungrouped' means something else" in output
    assert "3 assets" in output


def test_a_tag_that_can_be_no_label_stops_no_estate(workspace):
    write(
        workspace / "inventory/10-static.yml",
        'all: {hosts: {app-1: {ansible_host: 10.1.0.1, tags: {Env: "prod\\u00a0"}}, '
        'app-2: {ansible_host: 10.1.0.2, tags: {Env: "pr\\u200bod"}, ringfence_labels: {tier: 1, role: " db "}}}}\n',
    )
    write(workspace / "labels.yml", "labels:\n  - env: tags.Env\n")
    status, output = said(workspace, "check")
    assert status == 0
    assert (
        "labels.yml:2:5: warning: the rule for 'env' gives asset 'app-2' a value with invisible characters (U+200B)"
        in output
    )
    assert "inventory: warning: ringfence_labels of host 'app-2' gives 'tier' 1, and labels are text" in output
    _, output = said(workspace, "assets")
    assert "app-1 10.1.0.1 env=prod" in output
    assert "app-2 10.1.0.2 role=db" in output


def test_nothing_is_no_label_and_a_text_compared_with_a_number_is_warned_of(workspace):
    table(
        workspace,
        '[{"name": "a", "addresses": "10.0.0.1", "Tier": 1}, {"name": "b", "addresses": "10.0.0.2"}]',
        name="h.json",
    )
    write(
        workspace / "labels.yml",
        "labels:\n  - tier: to_string(onprem.Tier)\n  - role: db\n    when: onprem.Tier == '1'\n",
    )
    _, output = said(workspace, "assets")
    assert "a 10.0.0.1 tier=1" in output
    assert "null" not in output
    _, output = said(workspace, "check")
    assert (
        "labels.yml:3:5: warning: the rule for 'role' compares the text '1' with the number 1, as on asset 'a'"
        in output
    )


@pytest.mark.parametrize("kind", ["a FIFO", "a device"])
def test_a_table_that_is_no_file_is_refused_by_name_without_waiting(workspace, kind):
    table(workspace, "")
    (workspace / "hosts.csv").unlink()
    if kind == "a FIFO":
        os.mkfifo(workspace / "hosts.csv")
    else:
        (workspace / "hosts.csv").symlink_to("/dev/zero")
    begun = time.monotonic()
    status, output = said(workspace, "check")
    assert status != 0
    assert f"hosts.csv: error: the table cannot be read: it is {kind}" in output
    assert time.monotonic() - begun < 60

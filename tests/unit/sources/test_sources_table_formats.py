"""Tables as JSON and XLSX, and several of the same hosts merged by a key."""

from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.errors import InputError
from ringfence.sources.host_row import Columns
from ringfence.sources.host_table import Reading, read_host_table, read_host_tables
from ringfence.sources.table_json import json_rows

from tests.unit.sources.asset_factory import unhurried, write

openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")


def workbook(path, rows, title="Servers"):
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def sheet(path, rows, columns=None, **options):
    return read_host_table(workbook(path / "cmdb.xlsx", rows), "cmdb.xlsx", columns or Columns(), Reading(**options))


def json_table(tmp_path, text, **options):
    return read_host_table(write(tmp_path / "hosts.json", text), "hosts.json", Columns(), Reading(**options))


def test_a_sheet_gives_the_text_that_its_csv_export_would_have(tmp_path):
    rows = [
        [],
        ["name", "addresses", "env", "units", "bought", "live"],
        ["a", "10.0.0.1, 2001:db8::1", "prod", 2.0, datetime.datetime(2024, 5, 1), True],
        [],
        ["b", "10.0.0.2"],
    ]
    table = sheet(tmp_path, rows, sheet="Servers")
    first, second = table.hosts
    assert (first.name, first.addresses, first.labels) == ("a", ("10.0.0.1", "2001:db8::1"), {"env": "prod"})
    assert (first.cells["units"], first.cells["bought"], first.cells["live"]) == ("2", "2024-05-01", "true")
    assert (second.name, str(second.place)) == ("b", "cmdb.xlsx:5")
    assert table.problems == ()


def test_a_broken_row_of_a_sheet_is_named_by_its_number(tmp_path):
    rows = [["name", "addresses"], ["a", "#REF!"], ["b", "10.0.0.2", "beyond"], ["c", "10.0.0.3"]]
    table = sheet(tmp_path, rows, sheet="Servers")
    said = [str(problem) for problem in table.problems]
    assert [host.name for host in table.hosts] == ["c"]
    assert said[0].startswith("cmdb.xlsx:2: this row is left out: its cell 'addresses' is the error #REF!")
    assert said[1].startswith("cmdb.xlsx:3: this row is left out: it has cells beyond the header")


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with pytest.raises(InputError, match=r"no sheet 'Server' \(there are: Notes, Servers\)"):
        sheet(tmp_path, [["name", "addresses"]], sheet="Server")
    with pytest.raises(InputError, match="the sheet has no header"):
        sheet(tmp_path, [["name", "addresses"]])


@pytest.mark.parametrize("content", [b"", b"name,addresses\n", b"PK\x03\x04 and then nothing"])
def test_what_is_no_workbook_is_an_error(tmp_path, content):
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(InputError, match="this is not a readable workbook"):
        read_host_table(tmp_path / "x.xlsx", "x.xlsx", Columns())


@pytest.mark.parametrize(
    ("text", "rows_at"),
    [
        ('[\n {"name": "a", "addresses": ["10.0.0.1"], "env": "prod"},\n {"name": "b"}\n]', ()),
        ('{\n "a": {"addresses": "10.0.0.1", "env": "prod"},\n "b": null\n}', ()),
        (
            '{"n": [1], "result": {"rows":[\n{"name": "a", "addresses": "10.0.0.1", "env": "prod"}]}}',
            ("result", "rows"),
        ),
    ],
)
def test_a_json_table_is_a_list_or_an_object_of_hosts_at_any_depth(tmp_path, text, rows_at):
    host = json_table(tmp_path, text, rows_at=rows_at).hosts[0]
    assert (host.name, host.addresses, host.labels, host.place.line) == ("a", ("10.0.0.1",), {"env": "prod"}, 2)


def test_broken_rows_of_a_json_table_have_their_lines(tmp_path):
    table = json_table(tmp_path, '[\n{"name": "a", "addresses": []},\n"text",\n{"name": "b", "env": 1}]')
    assert [(host.name, host.labels) for host in table.hosts] == [("a", {}), ("b", {})]
    assert str(table.problems[0]).startswith("hosts.json:3:1: this row is left out: it is not an object")
    assert str(table.notes[0]).startswith("hosts.json:4:1: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "hosts.json:1:1: this is not valid JSON"),
        ('[\n{"name": }]', "hosts.json:2:10: this is not valid JSON"),
        ("[] []", "hosts.json:1:4: this is not valid JSON: Extra data"),
        ('[{"name": NaN}]', "NaN is not a number of JSON"),
        ("5", "hosts.json:1:1: this is not a table"),
        ("[" * 100_000, "this is not valid JSON"),
    ],
)
def test_what_is_no_json_table_is_an_error_with_its_place(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        json_table(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["x.json", "x.yml"])
def test_rows_that_are_not_where_they_should_be_are_told(tmp_path, name):
    path = write(tmp_path / name, json.dumps({"results": []}))
    with pytest.raises(InputError, match=r"no 'result' that could hold rows \(there are: results\)"):
        read_host_table(path, name, Columns(), Reading(rows_at=("result",)))


FIRST = "name,Serial,addresses,env,owner\na,S1,10.0.0.1,prod,\nb,S2,10.0.0.2,dev,ops\nc,,10.0.0.3,dev,\n"
SECOND = "- {serial: s1, addresses: [10.0.9.1], owner: crm, env: dev}\n- {serial: S3, name: d, addresses: [10.0.0.4]}\n"


def merged(tmp_path, first=FIRST, second=SECOND, **options):
    tables = [(write(tmp_path / "a.csv", first), "a.csv"), (write(tmp_path / "b.yml", second), "b.yml")]
    return read_host_tables(tables, Columns(), Reading(merge_by=("Serial", "serial"), **options))


def test_tables_of_the_same_hosts_are_merged_by_their_key(tmp_path):
    table = merged(tmp_path)
    a, b, d = table.hosts
    assert (a.name, a.addresses, a.cells["owner"]) == ("a", ("10.0.0.1", "10.0.9.1"), "crm")
    assert [place.file for place in (a.place, *a.also)] == ["a.csv", "b.yml"]
    assert (b.also, d.name, str(d.place)) == ((), "d", "b.yml:2:3")


def test_of_cells_that_contradict_each_other_the_first_counts_and_both_are_told(tmp_path):
    table = merged(tmp_path)
    said = [str(problem) for problem in table.problems]
    assert table.hosts[0].labels == {"env": "prod"}
    assert said[0] == "b.yml:1:3: 'env' is 'prod' at a.csv:2, and here 'dev'"
    assert said[1].startswith("1 cells contradict each other")


def test_rows_without_a_key_or_with_one_twice_are_broken(tmp_path):
    table = merged(tmp_path, FIRST + "e,S2,10.0.0.5,,\n")
    said = [str(problem) for problem in table.problems]
    assert any(text.startswith("a.csv:4: this row is left out: it has no Serial or serial") for text in said)
    assert any("a.csv:5: this row is left out: the key 's2' stands already at a.csv:3" in text for text in said)


def test_broken_rows_of_merged_tables_are_counted_in_each_table_by_its_own_rows(tmp_path):
    first = "name,Serial,addresses\na,S1,10.0.0.1\nb b,S2,10.0.0.2\nc,,10.0.0.3\n"
    second = "name,Serial,addresses\na,S1,10.0.1.1\nb b,S2,10.0.0.2\nx,S1,10.0.0.9\ny,S4,10.0.0.10\n"
    tables = [(write(tmp_path / "a.csv", first), "a.csv"), (write(tmp_path / "b.csv", second), "b.csv")]
    table = read_host_tables(tables, Columns(), Reading(merge_by=("Serial",)))
    counts = [f"{one.place}: {one.message.partition(' rows')[0]}" for one in table.problems if "broken" in one.message]
    assert counts == ["a.csv: 2 of 3", "b.csv: 2 of 4"]


def test_rows_that_filters_leave_out_are_counted_before_they_are_merged(tmp_path):
    assert merged(tmp_path, keep={"owner": ["ops"]}).filtered == 3


def test_filters_look_at_merged_rows(tmp_path):
    table = merged(tmp_path, keep={"owner": ["crm"]})
    assert [host.name for host in table.hosts] == ["a"]


def test_a_key_that_no_table_has_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no column 'Serial'"):
        merged(tmp_path, "name,addresses\na,10.0.0.1\n", "- {name: a, addresses: [10.0.0.1]}\n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@unhurried
@given(st.lists(JSON, max_size=5), st.sampled_from([None, 0, 3]))
def test_every_item_of_a_json_list_is_a_row_or_told(items, indent):
    text = json.dumps({"above": [{}], "rows": items}, indent=indent)
    rows = list(json_rows(text, "x.json", ("rows",)))
    assert [row.cells if row.fault is None else None for row in rows] == [
        item if isinstance(item, dict) else None for item in items
    ]

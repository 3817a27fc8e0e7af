"""Tables of hosts: what is read, what is broken and how that is told."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.errors import InputError, Place
from ringfence.model.label_rules import LabelRule
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_row import Columns
from ringfence.sources.host_table import Reading
from ringfence.sources.label_doubts import without_read_columns

from tests.unit.sources.asset_factory import read_host_table, unhurried, write


def read(tmp_path, text, name="hosts.csv", columns=None, **options):
    return read_host_table(write(tmp_path / name, text), name, columns or Columns(), Reading(**options))


def test_a_csv_table_gives_hosts_with_addresses_and_labels(tmp_path):
    table = read(tmp_path, 'name,addresses,role,rack\nweb-1,"10.0.0.1, 2001:db8::1",web,r7\n\ndb-1,10.0.0.2,,\n')
    web, db = table.hosts
    assert (web.name, web.addresses, web.labels) == ("web-1", ("10.0.0.1", "2001:db8::1"), {"role": "web"})
    assert web.cells["rack"] == "r7"
    assert (db.labels, str(db.place)) == ({}, "hosts.csv:4")
    assert table.problems == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_header_and_a_byte_order_mark_is_no_column(tmp_path, delimiter):
    text = "\ufeff" + delimiter.join(["name", "addresses", "env"]) + "\r\n" + delimiter.join(["a", "10.0.0.1", "prod"])
    (host,) = read(tmp_path, text).hosts
    assert (host.name, host.labels) == ("a", {"env": "prod"})


def test_a_column_that_is_called_like_a_label_but_for_case_is_told_and_not_passed_over(tmp_path):
    table = read(tmp_path, "name,addresses,Role,env\nweb-1,10.0.0.1,web,prod\n")
    assert [note.message for note in table.notes] == [
        "the column 'Role' gives no label: the one that does is called 'role'"
    ]
    mapped = read(tmp_path, "name,addresses,Role\nweb-1,10.0.0.1,web\n", columns=Columns(labels={"role": "Role"}))
    assert (mapped.notes, mapped.hosts[0].labels) == ((), {"role": "web"})


def test_a_column_that_a_label_rule_reads_gives_its_label_and_is_not_told(tmp_path):
    table = read(tmp_path, "name,addresses,Role\nweb-1,10.0.0.1,web\n")
    place = Place("labels.yml", 1)
    for rule, told in (
        (LabelRule("role", "onprem.Role || tags.Role", place), 0),
        (LabelRule("role", "'db'", place, when="onprem.Role == 'database'"), 0),
        (LabelRule("role", "tags.RoleName", place), 1),
        (LabelRule("team", "onprem.Role", place), 1),
    ):
        assert len(without_read_columns(table.notes, [rule])) == told, rule
    other = Problem(Severity.WARNING, "something else")
    assert without_read_columns([other], []) == (other,)


def test_columns_of_other_names_are_mapped(tmp_path):
    columns = Columns("Host", ("v4", "v6"), {"env": "Stage", "pci": "PCI"})
    text = "Host,v4,v6,Stage,PCI,labels\na,10.0.0.1,2001:db8::1,prod,true,team=red; tier=1\n"
    (host,) = read(tmp_path, text, columns=columns).hosts
    assert host.addresses == ("10.0.0.1", "2001:db8::1")
    assert host.labels == {"team": "red", "tier": "1", "env": "prod", "pci": "true"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",10.0.0.1,", "it has no name"),
        ("a b,10.0.0.1,", "'a b' is not a valid name for a host"),
        ("x,10.0.0.300,", "holds '10.0.0.300', which is not a valid address"),
        ("x,10.0.0.1/24,", "holds '10.0.0.1/24'"),
        ("x,10.0.0.1,prod,extra", "it has 4 fields, and the header 3"),
        ('x,"10.0.0.1,prod', "it is not valid CSV: unexpected end of data"),
        ('x,"10"0.0.1,prod', "it is not valid CSV"),
    ],
)
def test_a_broken_row_is_named_counted_and_the_rest_goes_on(tmp_path, row, said):
    table = read(tmp_path, f"name,addresses,env\ngood,10.0.0.1,prod\n{row}\nlast,10.0.0.2,dev\n")
    assert [host.name for host in table.hosts] == ["good", "last"]
    first, count = table.problems
    assert str(first).startswith("hosts.csv:3: this row is left out: ")
    assert said in first.message
    assert count.message.startswith("1 of 3 rows are broken and left out")


def test_a_row_after_a_text_of_several_lines_has_its_own_line(tmp_path):
    table = read(tmp_path, 'name,addresses,note\na,10.0.0.1,"one\ntwo"\nb,bad,\n')
    assert str(table.problems[0]).startswith("hosts.csv:4: ")
    assert table.hosts[0].cells["note"] == "one\ntwo"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "hosts.csv:1: the table has no header"),
        ("name,name\na,b\n", "the column 'name' stands twice"),
        ("nmae,addresses\na,10.0.0.1\n", "hosts.csv:1: the table has no column 'name' (did you mean 'nmae'?"),
        ("name,ip\na,10.0.0.1\n", "the table has no column 'addresses'"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_error(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_a_table_of_other_bytes_is_an_error_with_its_line(tmp_path):
    (tmp_path / "hosts.csv").write_bytes(b"name,addresses\na,10.0.0.1\n\xff\xfe,x\n")
    with pytest.raises(InputError, match=r"hosts.csv:3: this is no UTF-8"):
        read_host_table(tmp_path / "hosts.csv", "hosts.csv", Columns())
    with pytest.raises(InputError, match="the table cannot be read"):
        read_host_table(tmp_path, "hosts.csv", Columns())


def test_filters_keep_and_leave_out_rows_and_say_how_many(tmp_path):
    text = "name,addresses,env,status\na,10.0.0.1,prod,live\nb,10.0.0.2,prod,retired\nc,10.0.0.3,dev,live\n"
    table = read(tmp_path, text, keep={"env": ["prod"]}, leave_out={"status": ["retired"]})
    assert ([host.name for host in table.hosts], table.filtered) == (["a"], 2)
    with pytest.raises(InputError, match="did you mean 'env'"):
        read(tmp_path, text, keep={"evn": ["prod"]})


@pytest.mark.parametrize(
    "text",
    [
        "- name: a\n  addresses: [10.0.0.1, '2001:db8::1']\n  labels: {pci: 'true'}\n  env: prod\n",
        "a:\n  addresses: 10.0.0.1 2001:db8::1\n  labels: pci=true\n  env: prod\n",
    ],
)
def test_a_yaml_table_is_a_list_or_a_mapping_of_hosts(tmp_path, text):
    (host,) = read(tmp_path, text, "hosts.yml").hosts
    assert (host.name, host.addresses, host.labels) == (
        "a",
        ("10.0.0.1", "2001:db8::1"),
        {"pci": "true", "env": "prod"},
    )


def test_broken_rows_of_a_yaml_table_have_their_lines(tmp_path):
    text = "- name: a\n  addresses: [10.0.0.1]\n- name: b\n  env: 1\n- just text\n- name: 5\n"
    table = read(tmp_path, text, "hosts.yml")
    assert [(host.name, host.labels) for host in table.hosts] == [("a", {}), ("b", {})]
    said = [str(problem) for problem in (*table.notes, *table.problems)]
    assert said[0].startswith("hosts.yml:3:3: ")
    assert "gives 'env' 1, and labels are text" in said[0]
    assert said[1].startswith("hosts.yml:5:3: this row is left out: it is not a mapping")
    assert "5 is not a valid name for a host" in said[2]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@unhurried
@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), max_size=6))
def test_no_row_vanishes_silently(tmp_path_factory, rows):
    written = io.StringIO()
    csv.writer(written).writerows([["name", "addresses", "note"], *rows])
    path = tmp_path_factory.mktemp("table") / "hosts.csv"
    path.write_text(written.getvalue(), encoding="utf-8", newline="")
    table = read_host_table(path, "hosts.csv", Columns(), Reading(delimiter=","))
    told = sum(problem.message.startswith("this row") for problem in table.problems)
    # A row whose first cell begins so is a comment.
    wanted = [row for row in rows if not row[0].strip().startswith("#")]
    assert len(table.hosts) + told >= sum(any(cell.strip() for cell in row) for row in wanted)

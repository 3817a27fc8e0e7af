"""Workbooks as people keep them: a sheet gives the text that it shows, and what it cannot give is told."""

from __future__ import annotations

import datetime
import io
import zipfile

import pytest
from ringfence.model.errors import InputError
from ringfence.sources.host_row import Columns
from ringfence.sources.host_table import Reading, read_host_tables
from ringfence.sources.sheet_numbers import date_text, number_text

from tests.unit.sources.asset_factory import read_host_table

openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
HEADER = ["name", "addresses", "env", "role"]
DAY = datetime.datetime(2024, 3, 1)


def workbook(path, rows, *, merge=(), formats=None, sheets=(), change=None):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Servers"
    for row in rows:
        sheet.append(row)
    for area in merge:
        sheet.merge_cells(area)
    for cell, code in (formats or {}).items():
        sheet[cell].number_format = code
    for title, others in sheets:
        other = book.create_sheet(title)
        for row in others:
            other.append(row)
    if change:
        change(book)
    book.save(path)
    return path


def read(tmp_path, rows, columns=None, options=None, **given):
    path = workbook(tmp_path / "cmdb.xlsx", rows, **given)
    return read_host_table(path, "cmdb.xlsx", columns or Columns(), Reading(**(options or {})))


def labels(table):
    return {host.name: dict(host.labels) for host in table.hosts}


def told(table):
    return [str(problem) for problem in (*table.problems, *table.notes)]


def test_a_merged_cell_says_what_it_says_for_every_row_beside_it(tmp_path):
    rows = [
        ["env", "name", "addresses", "role"],
        ["prod", "web-1", "10.1.0.11", "web"],
        [None, "web-2", "10.1.0.12", "web"],
        [None, "db-1", "10.1.0.21", "db"],
        ["dev", "dev-1", "10.2.0.1", "web"],
    ]
    table = read(tmp_path, rows, merge=["A2:A4"])
    assert {name: one["env"] for name, one in labels(table).items()} == {
        "web-1": "prod",
        "web-2": "prod",
        "db-1": "prod",
        "dev-1": "dev",
    }
    assert told(table) == []


def test_filters_and_keys_see_what_merged_cells_say(tmp_path):
    rows = [["name", "addresses", "env"], ["a", "10.0.0.1", "prod"], ["b", "10.0.0.2"], ["c", "10.0.0.3", "dev"]]
    table = read(tmp_path, rows, merge=["C2:C3"], options={"keep": {"env": ["prod"]}})
    assert [host.name for host in table.hosts] == ["a", "b"]


def test_cells_merged_over_rows_and_columns_reach_rows_that_end_before_them(tmp_path):
    rows = [[*HEADER, "loc"], ["a", "10.0.0.1", "prod", "web", "fra"], ["b", "10.0.0.2"], ["c", "10.0.0.3"]]
    table = read(tmp_path, rows, merge=["D2:D4", "E2:E3"])
    assert [(host.name, host.cells["role"], host.cells["loc"]) for host in table.hosts] == [
        ("a", "web", "fra"),
        ("b", "web", "fra"),
        ("c", "web", ""),
    ]


def test_a_merged_title_and_a_header_of_two_rows_are_read_as_they_look(tmp_path):
    rows = [
        ["Server list, Frankfurt"],
        [],
        ["name", "Network", None, "env"],
        [None, "addresses", "gateway", None],
        ["a", "10.0.0.1", "10.0.0.254", "prod"],
    ]
    table = read(tmp_path, rows, merge=["A1:D1", "A3:A4", "B3:C3", "D3:D4"])
    (host,) = table.hosts
    assert (host.addresses, host.labels, host.cells["gateway"]) == (("10.0.0.1",), {"env": "prod"}, "10.0.0.254")
    assert told(table) == []


def test_the_columns_below_one_merged_cell_of_the_header_are_one_column(tmp_path):
    rows = [
        ["name", "addresses", None, "env"],
        ["a", "10.0.0.1", "2001:db8::1", "prod"],
        ["b", None, "10.0.0.2", "dev"],
    ]
    table = read(tmp_path, rows, merge=["B1:C1"])
    assert [(host.addresses, host.labels["env"]) for host in table.hosts] == [
        (("10.0.0.1", "2001:db8::1"), "prod"),
        (("10.0.0.2",), "dev"),
    ]


def test_a_name_merged_over_two_rows_is_of_both(tmp_path):
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1"], [None, "10.0.0.2"]], merge=["A2:A3"])
    assert [(host.name, host.addresses) for host in table.hosts] == [("a", ("10.0.0.1",)), ("a", ("10.0.0.2",))]


def test_rows_that_hold_nothing_but_a_merged_cell_are_empty(tmp_path):
    rows = [HEADER, ["a", "10.0.0.1", "prod"], [None, None, None], [None, None, None]]
    table = read(tmp_path, rows, merge=["C2:C1000"])
    assert ([host.name for host in table.hosts], told(table)) == (["a"], [])


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (4711, "000000", "004711"),
        (0.5, "0%", "50%"),
        (0.125, "0.00%", "12.50%"),
        (1, "0.0", "1.0"),
        (2.675, "0.00", "2.68"),
        (1234567, "#,##0", "1,234,567"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-5, "0", "-5"),
        (-5, "0;(0)", "(5)"),
        (0, '0;-0;"none"', "none"),
        (123456, "000-000", "123-456"),
        (1234, '"SN-"000000', "SN-001234"),
        (5, "[Red]0", "5"),
        (12, "[$€-407] 0.00", "€ 12.00"),
        (15, '[>=10]"big "0;0', "big 15"),
        (1500000, '0.0,,"M"', "1.5M"),
        (12345, "0.00E+00", "1.23E+04"),
        (123456789012345, "General", "123456789012345"),
        (12345678901234, "0", "12345678901234"),
        (0.1 + 0.2, "General", "0.3"),
        (7, "@", "7"),
        (3, ";;;", "3"),
        (0, "#", "0"),
        (0.25, "# ?/?", "0.25"),
    ],
)
def test_a_number_is_the_text_that_its_format_shows(tmp_path, value, code, shown):
    assert number_text(value, code) == shown
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1", value]], formats={"C2": code})
    assert (table.hosts[0].labels["env"], told(table)) == (shown, [])


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (DAY, "mmm-yy", "Mar-24"),
        (DAY, "[$-409]mmm\\-yy;@", "Mar-24"),
        (DAY, "dd.mm.yyyy", "01.03.2024"),
        (DAY, "d/m/yy", "1/3/24"),
        (DAY, "dddd, d mmmm yyyy", "Friday, 1 March 2024"),
        (DAY, "mm-dd-yy", "2024-03-01"),
        (datetime.datetime(2024, 3, 1, 15, 4), "h:mm AM/PM", "3:04 PM"),
        (datetime.datetime(2024, 3, 1, 15, 4, 5), "yyyy-mm-dd hh:mm:ss", "2024-03-01 15:04:05"),
        (datetime.time(7, 5), "hh:mm", "07:05"),
        (datetime.timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
    ],
)
def test_a_date_is_the_text_that_its_format_shows(tmp_path, value, code, shown):
    assert date_text(value, code) == shown
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1", value]], formats={"C2": code})
    assert (table.hosts[0].labels["env"], told(table)) == (shown, [])


def test_a_name_that_excel_made_a_date_is_warned_of(tmp_path):
    table = read(tmp_path, [HEADER, [DAY, "10.0.0.1", "prod"]], formats={"A2": "mmm-yy"})
    assert table.hosts[0].name == "Mar-24"
    assert (
        "cmdb.xlsx:2: the cell 'name' of 'Mar-24' is a date in the sheet, not the text that was typed" in told(table)[0]
    )


def test_serials_with_leading_zeros_meet_those_of_another_table(tmp_path):
    rows = [["name", "Serial", "addresses"], ["web-1", 4711, "10.1.0.11"], ["web-2", 815, "10.1.0.12"]]
    sheet = workbook(tmp_path / "cmdb.xlsx", rows, formats={"B2": "000000", "B3": "000000"})
    (tmp_path / "f.csv").write_text("Serial,owner,addresses,loc\n004711,ann,10.9.1.11,fra\n000815,ben,10.9.1.12,ber\n")
    tables = [(sheet, "cmdb.xlsx"), (tmp_path / "f.csv", "f.csv")]
    table = read_host_tables(tables, Columns(), Reading(merge_by=("Serial",)))
    assert [(host.name, host.addresses, host.labels["loc"]) for host in table.hosts] == [
        ("web-1", ("10.1.0.11", "10.9.1.11"), "fra"),
        ("web-2", ("10.1.0.12", "10.9.1.12"), "ber"),
    ]
    assert told(table) == []


def test_a_number_that_is_longer_than_a_spreadsheet_keeps_is_told(tmp_path):
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1", 1234567890123456789]])
    assert "the cell 'env' of 'a' is a number that a spreadsheet has rounded" in told(table)[0]


def test_truth_values_are_spelt_as_in_other_sources(tmp_path):
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1", True, False]])
    assert labels(table) == {"a": {"env": "true", "role": "false"}}


def test_a_formula_without_a_stored_result_is_told_and_one_with_an_empty_text_is_empty(tmp_path):
    rows = [
        HEADER,
        ["a", "10.0.0.1", '=CONCAT("pr","od")', "web"],
        ['=A2&"2"', "10.0.0.2"],
        ["c", "=B2"],
        ["d", "10.0.0.4"],
    ]
    path = workbook(tmp_path / "cmdb.xlsx", rows, change=lambda book: book.active.__setitem__("C5", '=""'))
    content = {}
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'<c r="C5"><f>""</f><v' in content[sheet]
    content[sheet] = content[sheet].replace(b'<c r="C5">', b'<c r="C5" t="str">')
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    table = read_host_table(path, "cmdb.xlsx", Columns())
    assert labels(table) == {"a": {"role": "web"}, "d": {}}
    said = " ".join(told(table))
    assert "cmdb.xlsx:2: the cell 'env' of 'a' is a formula without a stored result" in said
    assert "cmdb.xlsx:3: this row is left out: its cell 'name' is a formula without a stored result" in said
    assert "cmdb.xlsx:4: this row is left out: its cell 'addresses' is a formula" in said
    assert "cmdb.xlsx:5" not in said


def test_an_error_in_a_label_costs_that_label_and_elsewhere_that_cell(tmp_path):
    table = read(tmp_path, [[*HEADER, "note"], ["a", "10.0.0.1", "#N/A", "web", "#REF!"]])
    assert labels(table) == {"a": {"role": "web"}}
    said = " ".join(told(table))
    assert "the cell 'env' of 'a' is the error #N/A" in said
    assert "1 cell has no value: the first, 'note', is the error #REF!" in said


def hide(book):
    sheet = book["Servers"]
    sheet.row_dimensions[2].hidden = True
    sheet.column_dimensions["C"].hidden = True


def test_hidden_rows_and_columns_are_read(tmp_path):
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1", "prod"], ["b", "10.0.0.2", "dev"]], change=hide)
    assert labels(table) == {"a": {"env": "prod"}, "b": {"env": "dev"}}


def test_the_first_sheet_that_is_not_hidden_is_read(tmp_path):
    def hidden(book):
        book["Servers"].sheet_state = "hidden"

    others = [("Now", [[], [], HEADER, ["b", "10.0.0.2", "dev"]])]
    rows = [HEADER, ["a", "10.0.0.1", "prod"]]
    assert labels(read(tmp_path, rows, sheets=others, change=hidden)) == {"b": {"env": "dev"}}
    assert labels(read(tmp_path, rows, sheets=others, change=hidden, options={"sheet": "Servers"})) == {
        "a": {"env": "prod"}
    }


def test_other_sheets_with_hosts_are_told_and_those_without_are_not(tmp_path):
    others = [("Berlin", [["Berlin"], HEADER, ["b", "10.0.0.2", "dev"]]), ("Notes", [["a note"]])]
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1", "prod"]], sheets=others)
    (said,) = told(table)
    assert said.startswith("cmdb.xlsx: the sheet 'Servers' is read, and not 'Berlin', where there are hosts too")


def test_titles_above_a_sheets_header_are_passed_and_a_header_that_is_wrong_is_told_with_its_row(tmp_path):
    rows = [["Servers of Frankfurt"], [], HEADER, ["a", "10.0.0.1", "prod"], ["Total", None, 1]]
    table = read(tmp_path, rows)
    assert labels(table) == {"a": {"env": "prod"}}
    assert told(table)[0].startswith("cmdb.xlsx:5: this row is left out: 'Total' without an address")
    with pytest.raises(InputError, match=r"cmdb.xlsx:2: the table has no column 'name' \(did you mean 'nmae'"):
        read(tmp_path, [["Servers"], ["nmae", "addresses"], ["a", "10.0.0.1"]])


def test_two_columns_of_one_name_in_a_sheet_are_an_error_that_names_both(tmp_path):
    with pytest.raises(InputError, match="stands twice in the header, as columns 1 and 3"):
        read(tmp_path, [["name", "addresses", "name\xa0"], ["a", "10.0.0.1", "b"]])


def test_a_sheet_without_rows_says_so(tmp_path):
    assert "cmdb.xlsx:1: the table has no rows" in told(read(tmp_path, [HEADER]))[0]


def test_texts_of_a_sheet_are_trimmed_in_its_header_too(tmp_path):
    rows = [["name\xa0", "addresses\n", " env\u200b"], [" a\xa0", "10.0.0.1\n10.0.0.2", "prod\xa0"]]
    (host,) = read(tmp_path, rows).hosts
    assert (host.name, host.addresses, host.labels) == ("a", ("10.0.0.1", "10.0.0.2"), {"env": "prod"})


def test_formatted_and_inline_texts_are_texts(tmp_path):
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    rich = CellRichText("pr", TextBlock(InlineFont(b=True), "od"))
    table = read(tmp_path, [HEADER, ["a", "10.0.0.1", rich, "'web"]])
    assert labels(table) == {"a": {"env": "prod", "role": "'web"}}


def test_a_small_file_that_unpacks_to_a_giant_one_is_refused(tmp_path):
    path = workbook(tmp_path / "x.xlsx", [HEADER])
    content = bytearray(path.read_bytes())
    # The size that the directory of the archive says, of its first part.
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    assert sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(bytes(content))).infolist()) > 2 << 30
    with pytest.raises(InputError, match=r"x.xlsx: the workbook unpacks to more than 2 GiB"):
        read_host_table(path, "x.xlsx", Columns())

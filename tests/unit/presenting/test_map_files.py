"""The files of a picture: text, SVG, Mermaid and CSV say the same, and no name in them is read as anything else."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree

import pytest
from ringfence.model.picture import GroupKind, Picture, PictureGroup, PolicyState, Sign, SignCount
from ringfence.presenting.map.csv import csv_text, field
from ringfence.presenting.map.data import page_data
from ringfence.presenting.map.drawing import drawing
from ringfence.presenting.map.layout import HEIGHT, WIDTH, layout
from ringfence.presenting.map.levels import coarsened, drawable, finest, level
from ringfence.presenting.map.matrix import cells, matrix
from ringfence.presenting.map.mermaid import EDGES, TEXT, entity, mermaid
from ringfence.presenting.map.svg import svg

from tests.unit.presenting import picture_factory as pictures

FILES = PolicyState.FILES
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "style", "rect", "g", "path", "polygon", "text", "tspan"}


def text(picture: Picture, columns: int = 120) -> str:
    return "\n".join(line.text for line in matrix(picture, FILES, columns))


def test_a_coarser_level_has_the_same_flows_between_fewer_groups() -> None:
    fine = pictures.drawn(300, 2000)
    for depth in range(1, finest(fine)):
        coarse = coarsened(fine, depth)
        assert len(coarse.groups) < len(fine.groups)
        assert sum(group.assets for group in coarse.groups) == 300
        for state, signs in fine.totals.items():
            for sign, count in signs.items():
                found = [edge.signs[state].get(sign, SignCount()) for edge in coarse.edges]
                assert sum(found, SignCount()) == count
                services = (one.signs[state].get(sign, SignCount()) for edge in coarse.edges for one in edge.services)
                assert sum(services, SignCount()) == count


def test_the_drawn_level_is_the_finest_with_few_enough_edges() -> None:
    fine = pictures.drawn(300, 2000)
    depth = drawable(fine, 800, 400)
    assert len(coarsened(fine, depth).edges) <= 800 < len(coarsened(fine, depth + 1).edges)
    assert drawable(pictures.shop()) == 3


def test_edges_without_room_are_counted_and_none_is_lost() -> None:
    fine = pictures.drawn(300, 2000)
    drawn = drawing(fine, FILES, edges=5)
    assert (drawn.depth, len(drawn.edges)) == (1, 5)
    assert len(drawn.listed) == len(coarsened(fine, 1).edges) - 5


def test_where_not_even_the_coarsest_groups_fit_every_pair_has_a_line_the_worst_first() -> None:
    fine = pictures.drawn(300, 400)
    single = replace(
        fine,
        levels=("asset",),
        groups=tuple(replace(one, labels=(one.name,), kind=GroupKind.ASSET) for one in fine.groups),
    )
    head, *lines = text(single, 60).split("\n\n")[0].splitlines()
    assert head == "300 groups do not fit in 60 columns: a line for each pair (--html)"
    assert len(lines) == len(fine.edges)
    signs = [line[2] for line in lines]
    assert signs == sorted(signs, key=[*map(str, Sign)].index)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_group_stands_on_another_and_all_stand_in_their_row(depth: int) -> None:
    groups = (*level(pictures.drawn(300, 10), depth).groups, pictures.UNKNOWN, pictures.INTERNET)
    found = layout(groups, depth)
    boxes = sorted(found.places)
    assert len(set(boxes)) == len(groups)
    for x, y in boxes:
        assert not [1 for u, v in boxes if (u, v) != (x, y) and abs(u - x) < WIDTH and abs(v - y) < HEIGHT]
    if depth > 1:
        rows = {one.title: one for one in found.frames if one.row}
        for group, (_, y) in zip(groups, found.places, strict=True):
            row = rows[group.labels[0] if group.labels else "outside"]
            assert row.y < y < row.y + row.height
    assert layout(groups, depth) == found


def test_the_matrix_has_a_sign_a_digit_and_a_mark_a_cell() -> None:
    lines = text(pictures.shop()).splitlines()
    assert lines[1].split() == ["1", "dev/shop/api", "·", "·", "x2*", "·", "·", "·", "·"]
    assert any(line.split()[:2] == ["5", "prod/–/–"] and "r2" in line for line in lines)
    assert "  x  denied: 3 flows, 30 connections" in lines
    assert "held (what hosts enforce): ! 1, ? 3, ~ 2, + 21" in lines


def test_a_matrix_that_does_not_fit_is_by_the_next_coarser_label() -> None:
    said = text(pictures.drawn(300, 2000), 100)
    assert said.startswith("by env: finer groups do not fit in 100 columns")
    assert [line.split()[1] for line in said.splitlines()[2:5]] == ["dev", "prod", "test"]


def test_wide_letters_keep_the_columns_of_the_matrix_in_line() -> None:
    groups = [pictures.labels("東京" * 20), pictures.labels("e\u0301"), pictures.labels("prod")]
    edges = [pictures.edge(n, n, pictures.service(1, {Sign.ALLOWED: 1})) for n in range(3)]
    lines = text(pictures.picture(("env",), groups, edges)).splitlines()[1:4]
    assert [cells(line[: line.index("+")]) for line in lines] == [38, 42, 46]


def test_the_svg_is_well_formed_and_has_every_group_and_edge() -> None:
    for picture in (pictures.shop(), pictures.hostile()):
        root = ElementTree.fromstring(svg(picture, FILES))
        boxes = [one for one in root.iter(f"{SVG}rect") if one.get("class") == "box"]
        edges = [one for one in root.iter(f"{SVG}path") if one.find(f"{SVG}title") is not None]
        assert (len(boxes), len(edges)) == (len(picture.groups), len(picture.edges))
        assert {one.tag.removeprefix(SVG) for one in root.iter()} <= ELEMENTS
        assert svg(picture, FILES) == svg(picture, FILES)


def test_the_mermaid_text_has_nothing_of_a_name_but_plain_letters_and_entities() -> None:
    lines = mermaid(pictures.hostile(), FILES).splitlines()
    assert lines[0] == "flowchart LR"
    node = r'n\d+\["[A-Za-z0-9 ._/#;-]+"\]'
    edge = r'n\d+ (--x|-\.->|-->|-\.-)\|"[a-z0-9 ]+"\| n\d+'
    for line in lines[1:]:
        assert re.fullmatch(rf'  (  )?{node}|  subgraph r\d+\["[A-Za-z0-9 ._/#;-]+"\]|  end|  {edge}', line), line


def test_the_mermaid_text_stays_within_what_mermaid_reads() -> None:
    said = mermaid(pictures.drawn(300, 2000), FILES)
    assert len(said) <= TEXT
    assert sum("| n" in line for line in said.splitlines()) <= EDGES


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=1"])
def test_no_field_of_the_csv_is_a_formula(name: str) -> None:
    assert field(name)[0] in ("'", "\\")


def test_the_csv_has_a_row_for_each_service_state_and_sign() -> None:
    rows = list(csv.DictReader(StringIO(csv_text(pictures.shop()))))
    chosen = [one for one in rows if (one["from_name"], one["to_name"]) == ("prod/shop/web", "prod/shop/api")]
    assert [(one["service"], one["state"], one["sign"], one["flows"]) for one in chosen] == [
        ("tcp/8443", "held", "allowed", "6"),
        ("tcp/8443", "files", "allowed", "6"),
        ("tcp/22", "held", "would be denied", "1"),
        ("tcp/22", "files", "denied", "1"),
    ]
    assert [one["flows"] for one in rows if one["sign"] == "refused when seen"] == ["5"]
    hostile = [cell for row in csv.reader(StringIO(csv_text(pictures.hostile()))) for cell in row]
    assert not [cell for cell in hostile if cell.startswith(("=", "+", "-", "@"))]


def test_services_that_are_not_named_one_by_one_are_in_the_sum() -> None:
    whole = pictures.shop()
    cut = replace(whole, edges=tuple(replace(one, services=one.services[:1]) for one in whole.edges))
    for picture in (whole, cut):
        rows = csv.DictReader(StringIO(csv_text(picture)))
        assert sum(int(one["flows"]) for one in rows if one["state"] == "files") == 27


def test_an_asset_is_named_by_itself() -> None:
    groups = (PictureGroup(GroupKind.ASSET, ("prod", "db-1", None), 1, "db-1"),)
    one = pictures.picture(
        ("env", "asset", "process"), groups, [pictures.edge(0, 0, pictures.service(1, {Sign.ALLOWED: 1}))]
    )
    assert "db-1/–" in text(one)


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u2003", "\u3000"])
def test_no_space_of_any_kind_hides_a_formula_from_the_csv(space: str) -> None:
    assert field(f"{space}=1+1") == f"'{space}=1+1"


@pytest.mark.parametrize("name", ["web;=1+1", 'web"; "=1+1', "web;\u3000@SUM(A1)", "web;;-1", "web;\uff1d1"])
def test_no_formula_begins_where_a_spreadsheet_of_another_country_splits(name: str) -> None:
    parts = [part.strip().strip('"').lstrip() for part in field(name).split(";")]
    assert not [part for part in parts if part.startswith(("=", "+", "-", "@", "\uff1d"))]


@pytest.mark.parametrize("foreign", ["\u202eevil\u2066", "\x00", "\x85", "a\u2028b", "\ufeff"])
def test_what_commands_no_terminal_turns_no_picture_either(foreign: str) -> None:
    shop = pictures.shop()
    made = replace(shop, levels=(f"env{foreign}", *shop.levels[1:]))
    keys = page_data([made], FILES)["keys"]
    for said in (mermaid(made, FILES), svg(made, FILES), csv_text(made), str(keys), entity(foreign)):
        assert not {one for one in foreign if not one.isalpha()} & set(said)
        assert not {f"#{ord(one)};" for one in foreign if not one.isalpha()} & set(re.findall(r"#\d+;", said))

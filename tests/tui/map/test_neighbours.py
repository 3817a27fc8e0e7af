"""The neighbour view: clients, the group, servers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.model.picture import (
    GroupKind,
    GroupMiddle,
    Listening,
    ModeShare,
    PictureGroup,
    PolicyState,
    RuleShare,
    Sign,
    SignCount,
)
from ringfence_tui.screens.map.model import COMPARISONS
from ringfence_tui.screens.map.neighbours import Place, at, neighbour_rows, neighbours_in
from ringfence_tui.spans import plain
from ringfence_tui.widgets.text import cells

from tests.tui.pictures import edge, picture

GROUPS = ("prod shop web", "prod shop api", "prod shop db", "dev shop api", "internet")
DRAFT = COMPARISONS[0]


def view():
    """Return the neighbours of the database."""
    made = picture(
        GROUPS,
        edge(0, 2, held="+5/61234", draft="+5/61234"),
        edge(1, 2, held="!1", draft="!1"),
        edge(3, 2, held="+12/61", draft="x12/61"),
        edge(2, 4, refused=2, held="~3/30", draft="~3/30"),
    )
    return neighbours_in(made, made.groups[2], DRAFT)


def test_what_changes_comes_first_then_the_worst_then_the_busiest():
    assert [one.group.labels[0:3] for one in view().clients] == [
        ("dev", "shop", "api"),
        ("prod", "shop", "api"),
        ("prod", "shop", "web"),
    ]


def test_three_columns_tell_signs_services_and_connections():
    rows = [plain(row).rstrip() for row in neighbour_rows(view(), Place(), DRAFT, 80, 9)]
    assert rows[0].startswith(" CLIENTS")
    assert "SERVERS" in rows[0]
    assert "dev shop api" in rows[1]
    assert "x2*─▶" in rows[1]
    assert "prod shop db" in rows[1]
    assert "─▶ ~2 internet" in rows[1]
    assert "tcp/443  61" in rows[2]
    assert "2 hosts" in rows[2]
    assert "refused 2" in rows[2]


def test_the_middle_tells_what_the_group_serves_and_uses_the_busiest_first():
    rows = [plain(row).split("│")[1].strip() for row in neighbour_rows(view(), Place(), DRAFT, 80, 9)]
    assert rows == ["", "prod shop db", "2 hosts", "serves", "tcp/443 61,296", "uses", "tcp/443 30", "", ""]


def test_the_middle_tells_modes_what_listens_and_the_rules_that_decide_once_they_are_known():
    count = SignCount(3, 30)
    shares = (
        RuleShare("a", "api to database", "", "in", Sign.ALLOWED, count),
        RuleShare("a", "api to database", "", "in", Sign.NOT_JUDGED, count),
        RuleShare("default", "default", "", "out", Sign.UNDECIDED, count),
    )
    middle = GroupMiddle(
        {PolicyState.DRAFT: (ModeShare("full", "full", 4), ModeShare("full", "observe", 1), ModeShare("", "", 1))},
        (Listening(6, 8443, "shop-api", 4, 999), Listening(6, 22, None, 1, 41)),
        {PolicyState.DRAFT: shares},
    )
    told = replace(view(), middle=middle)

    def rows(height):
        lines = neighbour_rows(told, Place(), DRAFT, 80, height)
        return [plain(row).split("│")[1].strip() for row in lines][1:]

    modes = ["prod shop db", "2 hosts", "full 4", "full/observe 1", "holds nothing 1"]
    listens = ["listens", "tcp/8443 shop-api", "tcp/22 41"]
    assert rows(13) == [*modes, *listens, "rules that decide", "+ api to database", "~ no rule", ""]
    assert rows(11) == [*modes, "listens", "2 more", "rules that decide", "+ api to database", "~ no rule"]


def test_all_lines_are_as_wide_as_the_terminal_and_one_heading_and_the_rest_fill_it():
    for width, height in ((80, 18), (120, 33), (144, 53)):
        rows = neighbour_rows(view(), Place(1), DRAFT, width, height)
        assert len(rows) == height
        assert {sum(cells(span.text) for span in row) for row in rows} == {width}


def test_what_does_not_fit_is_counted_and_scrolls_with_the_place():
    rows = [plain(row) for row in neighbour_rows(view(), Place(), DRAFT, 80, 6)]
    assert "1 more without change" in rows[-1]
    rows = [plain(row) for row in neighbour_rows(view(), Place(0, 2), DRAFT, 80, 6)]
    assert "prod shop web" in rows[3]
    assert "1 more, 1 of them changed" in rows[-1]


def test_one_moves_on_a_side_and_to_the_other():
    start = Place()
    assert start.moved(9, view()) == Place(0, 2)
    assert start.moved(-1, view()) == start
    assert Place(0, 2).to_side(1, view()) == Place(1, 0)
    found = at(view(), Place(1, 0))
    assert found is not None
    assert found.group.kind is GroupKind.INTERNET
    lonely = replace(view(), servers=())
    assert start.to_side(1, lonely) == start
    assert at(replace(lonely, clients=()), start) is None


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=40), st.integers(60, 200))
def test_foreign_names_neither_reach_the_terminal_nor_move_the_columns(name, width):
    made = picture(
        ["prod", PictureGroup(GroupKind.LABELS, (name,))], edge(1, 0, held="+1", draft="+1"), levels=("env",)
    )
    rows = neighbour_rows(neighbours_in(made, made.groups[0], DRAFT), Place(), DRAFT, width, 5)
    assert {sum(cells(span.text) for span in row) for row in rows} == {width}
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for row in rows for character in plain(row))

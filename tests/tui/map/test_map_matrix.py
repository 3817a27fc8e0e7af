"""The matrix of a picture: cells, order, hidden groups, lines between blocks, filters, totals."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.model.picture import GroupKind, PictureGroup, PolicyState, Sign, SignCount, digit
from ringfence_tui.screens.map import steps
from ringfence_tui.screens.map.levels import Level
from ringfence_tui.screens.map.model import (
    COMPARISONS,
    Only,
    Order,
    View,
    all_flows,
    comparisons_of,
    find,
    matrix_of,
    matrix_steps,
    next_of,
    proposal,
)
from ringfence_tui.screens.map.times import Times

from tests.tui.pictures import LEVELS, edge, group, picture

WEB, API, DB, DEV, UNKNOWN, INTERNET = range(6)
GROUPS = ("prod shop web", "prod shop api", "prod shop db", "dev shop api", "unknown", "internet")
DRAFT = View(COMPARISONS[0])


def shop(*more):
    """Return a picture whose draft denies what dev reads from the database."""
    return picture(
        GROUPS,
        edge(WEB, API, held="+5/61234", files="+5/61234", draft="+5/61234"),
        edge(API, DB, held="+3/1 !2/99", files="+3/1 !2/99", draft="+3/1 !2/99"),
        edge(DEV, DB, held="+12/61", files="+12/61", draft="x12/61"),
        edge(INTERNET, WEB, held="~1/10", files="~1/10", draft="~1/10"),
        *more,
    )


def texts(view=DRAFT, made=None):
    """Return the cells' texts by the groups' numbers."""
    matrix = matrix_of(made or shop(), view)
    return {
        (matrix.shown[row], matrix.shown[column]): cell.text for (row, column), cell in matrix.content.cells.items()
    }


def test_a_cell_is_its_worst_sign_the_digits_of_its_connections_and_a_mark_where_the_draft_differs_from_held():
    assert texts() == {(WEB, API): "+5 ", (API, DB): "!3 ", (DEV, DB): "x2*", (INTERNET, WEB): "~2 "}


def test_a_mixed_cell_is_marked_as_one():
    cells = matrix_of(shop(), DRAFT).content.cells
    assert [place for place, cell in cells.items() if cell.mixed] == [(1, 2)]


def test_held_alone_has_no_marks_and_its_own_signs():
    assert texts(View(COMPARISONS[3]))[DEV, DB] == "+2 "


def test_files_and_held_say_the_same_so_nothing_is_marked():
    assert not any(text.endswith("*") for text in texts(View(COMPARISONS[1])).values())


def test_groups_that_nothing_was_seen_of_are_hidden_and_counted():
    matrix = matrix_of(shop(), DRAFT)
    assert matrix.hidden == 1
    assert matrix.position_of(UNKNOWN) is None
    assert matrix.content.names[-1] == ("internet",)


def test_a_group_with_refused_attempts_alone_is_shown_without_a_sign():
    assert texts(made=shop(edge(UNKNOWN, DB, refused=3)))[UNKNOWN, DB] == "·  "


def test_lines_stand_between_first_level_groups_and_before_who_is_no_workload():
    matrix = matrix_of(shop(edge(UNKNOWN, DB, held="?1", files="?1", draft="?1")), DRAFT)
    assert matrix.content.breaks == {3, 4}
    assert [matrix.group(place).kind for place in (4, 5)] == [GroupKind.UNKNOWN, GroupKind.INTERNET]


def test_one_level_has_no_lines_between_its_groups():
    made = picture(("dev", "prod", "unknown"), edge(0, 1, held="+1"), edge(2, 1, held="+1"), levels=("env",))
    assert matrix_of(made, View()).content.breaks == {2}


def test_inside_a_group_its_parts_come_first_and_one_line_parts_them_from_the_others():
    names = ("dev", "prod shop web", "prod shop db", "prod pay gate", "internet")
    made = picture(names, edge(0, 1, held="+1"), edge(2, 3, held="+1"), edge(4, 1, held="+1"))
    matrix = matrix_of(made, View())
    assert matrix.shown == (1, 2, 3, 0, 4)
    assert matrix.content.breaks == {3, 4}


def test_order_by_volume_puts_the_busiest_first_and_keeps_who_is_no_workload_last():
    matrix = matrix_of(shop(), View(COMPARISONS[0], Order.VOLUME))
    assert matrix.shown == (API, WEB, DB, DEV, INTERNET)
    assert matrix.content.breaks == {4}


def test_order_by_changes_puts_what_the_draft_changes_first():
    assert matrix_of(shop(), View(COMPARISONS[0], Order.CHANGES)).shown == (DB, DEV, WEB, API, INTERNET)


def test_filters_show_what_changes_what_is_denied_and_what_would_be():
    assert texts(View(COMPARISONS[0], only=Only.CHANGES)) == {(DEV, DB): "x2*"}
    assert texts(View(COMPARISONS[0], only=Only.DENIED)) == {(DEV, DB): "x2*"}
    assert texts(View(COMPARISONS[0], only=Only.WOULD)) == {(API, DB): "!3 "}
    assert texts(View(COMPARISONS[3], only=Only.CHANGES)) == {}


def test_a_picture_without_a_draft_is_compared_without_one():
    made = picture(("prod",), edge(0, 0, held="+1", files="+1"), levels=("env",))
    assert [str(one) for one in comparisons_of(made)] == ["files to held", "held"]
    assert [str(one) for one in comparisons_of(shop())] == ["draft to held", "files to held", "draft to files", "held"]


def test_digits_are_those_of_the_number():
    assert [digit(number) for number in (0, 1, 9, 10, 61234, 10**12)] == [0, 1, 1, 2, 5, 9]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 5),
            st.dictionaries(st.sampled_from(Sign), st.integers(1, 10**6), max_size=3),
        ),
        unique_by=lambda one: one[:2],
        max_size=8,
    ),
    st.sampled_from(Order),
)
def test_the_matrix_sums_to_the_totals_of_the_window_in_every_order(drawn, order):
    words = [" ".join(f"{sign.value}{flows}/{flows}" for sign, flows in signs.items()) for _, _, signs in drawn]
    made = picture(GROUPS, *(edge(c, s, held=text, files=text) for (c, s, _), text in zip(drawn, words, strict=True)))
    matrix = matrix_of(made, View(order=order))
    summed = sum((all_flows(one, PolicyState.FILES) for one in matrix.edges.values()), SignCount())
    assert summed == sum(made.totals.get(PolicyState.FILES, {}).values(), SignCount())
    assert all(
        matrix.group(row) == made.groups[one.client] and matrix.group(column) == made.groups[one.server]
        for (row, column), one in matrix.edges.items()
    )


def test_more_groups_than_one_reads_propose_the_next_coarser_label():
    many = picture([f"prod app{number} web" for number in range(201)])
    assert proposal(many) == "201 groups: - shows them by env > app"
    assert proposal(shop()) is None


def test_a_group_is_found_by_words_of_its_name_from_here_on_and_round():
    content = matrix_of(shop(), DRAFT).content
    assert [find(content, "shop API", start) for start in (0, 1, 3)] == [1, 3, 1]
    assert find(content, "nobody", 0) is None
    assert find(content, " ", 0) is None


def test_values_go_round():
    assert next_of(Order, Order.CHANGES) is Order.LABELS
    assert next_of(("a", "b"), "gone") == "a"


def test_levels_go_finer_and_coarser_and_into_a_group_and_out():
    top = Level((*LEVELS, "asset", "process"), 2)
    inside = top.into(group("prod shop"))
    assert (inside.shown, inside.path) == (("env", "app", "role"), "prod shop")
    assert inside.finer().shown == ("env", "app", "role", "asset")
    assert inside.out() == top
    assert inside.coarser() == top, "a group has no inside at its own level"
    assert inside.finer().coarser() == inside
    assert top.coarser().coarser().shown == ("env",)
    assert Level(("env",), 1).finer().shown == ("env",)


def test_the_inside_of_a_group_is_at_least_one_level_below_it():
    assert Level(LEVELS, 3).into(group("prod shop web")) == Level(LEVELS, 3), "there is nothing below the last level"
    assert Level(LEVELS, 3).into(group("prod")).shown == LEVELS
    assert Level(LEVELS, 1).into(PictureGroup(GroupKind.INTERNET, ())).inside == group("internet")


def test_a_time_steps_back_and_forward_but_never_past_now():
    week = Times()
    assert (week.when.since, week.when.until, week.words) == ("7d", None, "7d")
    before = week.stepped(1)
    assert (before.when.since, before.when.until, before.words) == ("14d", "7d", "7d until 7d ago")
    assert before.stepped(-1).stepped(-1) == week
    assert before.other().words == "30d"


def test_work_over_many_edges_leaves_the_loop_its_turns(monkeypatch):
    monkeypatch.setattr(steps, "STEP", 1)
    monkeypatch.setattr(steps, "AT_A_TIME", 0.0)
    turns = []

    async def others():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def both():
        other = asyncio.create_task(others())
        made = await steps.in_turns(matrix_steps(shop(), DRAFT))
        other.cancel()
        return made

    assert asyncio.run(both()).shown == matrix_of(shop(), DRAFT).shown
    assert len(turns) >= len(shop().edges)

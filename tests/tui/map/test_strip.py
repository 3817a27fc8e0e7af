"""The strip below the matrix: all numbers of every state, who decides, processes, refused attempts apart."""

from __future__ import annotations

from dataclasses import replace

from ringfence.model.picture import PictureCell, PolicyState, ProcessShare, RuleShare, Sign, SignCount
from ringfence_tui.screens.map.strip import strip_lines
from ringfence_tui.spans import plain

from tests.tui.pictures import edge, group

DEV, DB = group("dev shop api"), group("prod shop db")


def lines(one, detail=None):
    """Return the strip's texts."""
    return [plain(line).rstrip() for line in strip_lines(DEV, DB, one, detail)]


def test_every_number_of_every_state_is_told_and_refused_attempts_apart():
    one = edge(0, 1, refused=3, ports=(5432,), held="+9/50 !3/11", files="+9/50 !3/11", draft="x12/61")
    assert lines(one) == [
        "dev shop api  to  prod shop db   tcp/5432, 12 flows, 61 connections",
        "held files        ! 3  + 9",
        "draft             x 12",
        "refused attempts: 3",
    ]


def test_three_states_that_differ_have_a_line_each():
    one = edge(0, 1, held="+1", files="~1", draft="x1")
    assert lines(one)[1:4] == ["held   + 1", "files  ~ 1", "draft  x 1"]


def test_rules_are_told_with_their_place_and_how_much_they_decide():
    one = edge(0, 1, held="+12/61", draft="x11/60 +1/1")
    share = RuleShare("ab", "any host to databases", "shop.yml:21", "server", Sign.ALLOWED, SignCount(12, 61))
    denial = RuleShare("cd", "dev api never", "guardrails.yml:6", "server", Sign.DENIED, SignCount(11, 60))
    rest = RuleShare("ab", "any host to databases", "shop.yml:21", "server", Sign.ALLOWED, SignCount(1, 1))
    detail = PictureCell(
        DEV,
        DB,
        one,
        2,
        1,
        {PolicyState.HELD: (share,), PolicyState.DRAFT: (rest, denial)},
        (
            ProcessShare("client", "shop-api.service", SignCount(11, 60)),
            ProcessShare("client", None, SignCount(1, 1)),
            ProcessShare("server", "postgresql.service", SignCount(12, 61)),
        ),
        (),
    )
    assert lines(one, detail) == [
        "dev shop api  to  prod shop db   tcp/443, 12 flows, 61 connections, 2 to 1 host",
        "held   + 12  'any host to databases' shop.yml:21",
        "draft  x 11  + 1  'dev api never' guardrails.yml:6 decides 11 of 12,"
        " 'any host to databases' shop.yml:21 decides 1 of 12",
        "process shop-api.service 11, unknown 1 to postgresql.service 12   refused attempts: 0",
    ]


def test_what_no_rule_decides_says_so():
    one = edge(0, 1, held="~1")
    default = RuleShare("default", "default", "enforcement.yml:2", "server", Sign.UNDECIDED, SignCount(1, 1))
    detail = PictureCell(DEV, DB, one, 1, 1, {PolicyState.HELD: (default,)}, (), ())
    assert lines(one, detail)[1] == "held   ~ 1  nothing decides enforcement.yml:2"
    denied = replace(detail, rules={PolicyState.HELD: (replace(default, sign=Sign.DENIED),)})
    assert lines(one, denied)[1] == "held   ~ 1  no rule allows it enforcement.yml:2"


def test_more_services_than_fit_are_counted():
    assert "tcp/1, tcp/2 and 1 more" in lines(edge(0, 1, ports=(1, 2, 3), held="+1"))[0]


def test_a_pair_that_was_never_seen_says_so():
    assert lines(None) == ["dev shop api  to  prod shop db", "no traffic between them was seen"]


def test_processes_that_nobody_saw_are_told_once():
    one = edge(0, 1, held="+1")
    shares = (ProcessShare("client", None, SignCount(1, 1)), ProcessShare("server", None, SignCount(1, 1)))
    detail = PictureCell(DEV, DB, one, 1, 1, {}, shares, ())
    assert lines(one, detail)[-1] == "process not seen   refused attempts: 0"


def test_where_there_is_too_little_room_refused_attempts_stand_in_the_first_line():
    one = edge(0, 1, refused=3, held="+1", files="~1", draft="x1")
    found = [plain(line) for line in strip_lines(DEV, DB, one, None, 4)]
    assert len(found) == 4
    assert found[0].endswith("1 connection, 3 refused")


def test_what_was_refused_alone_has_no_signs():
    assert lines(edge(0, 1, refused=4))[-1] == "refused attempts: 4"

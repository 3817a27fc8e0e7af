"""What the map asks its engine: pictures in parts, at levels one can read, cancelled where nobody waits."""

from __future__ import annotations

import pytest
from ringfence.model.draft_effect import RuleHome
from ringfence.model.errors import InputError
from ringfence.model.picture import PolicyState, Sign
from ringfence.rollout.cancellation import Cancelled
from ringfence_tui.engine.progress import Progress as Doing
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.map import drafting, questions, sending
from ringfence_tui.screens.map.answers import Edges, PictureRequest, Progress, RuleRequest, When
from ringfence_tui.screens.map.drafting import take, write
from ringfence_tui.screens.map.kept import kept_of
from ringfence_tui.screens.map.levels import Level

from tests.tui.map_estate import drawn
from tests.unit.cli_shop import NOW


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Return a session of the estate."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOURCE_DATE_EPOCH", NOW)
        yield EngineSession(drawn(tmp_path_factory.mktemp("estate")))


def asked(session, request):
    """Return the answer to a question for a picture, and its parts."""
    parts: list[object] = []
    return questions.picture(session, request, Tell(parts.append)), parts


def test_edges_come_in_parts_before_the_answer(session, monkeypatch):
    monkeypatch.setattr(sending, "A_PART", 3)
    answer, parts = asked(session, PictureRequest())
    edges = [part.edges for part in parts if isinstance(part, Edges)]
    assert [len(one) for one in edges] == [3, 3, 3, 1]
    assert answer.picture.edges == ()
    assert answer.keys == ("env", "app", "role", "asset", "process")
    assert answer.picture.levels == ("env", "app", "role")
    assert set(answer.picture.totals) == set(PolicyState)
    assert any(isinstance(part, Progress) for part in parts)


def test_flows_are_judged_once_for_all_levels_and_anew_for_another_time(session):
    asked(session, PictureRequest())
    judged = kept_of(session).picture
    asked(session, PictureRequest(("env",)))
    assert kept_of(session).picture is judged
    asked(session, PictureRequest(when=When("24h")))
    assert kept_of(session).picture is not judged


def test_where_labels_tell_too_many_groups_apart_fewer_do(session, monkeypatch):
    monkeypatch.setattr(questions, "MANY", 3)
    assert asked(session, PictureRequest())[0].picture.levels == ("env", "app")


def test_more_groups_than_a_matrix_can_show_are_put_together_by_the_next_coarser_label(session, monkeypatch):
    whole = asked(session, PictureRequest(("env", "app", "role")))[0].picture
    monkeypatch.setattr(questions, "MOST", 8)
    finest = ("env", "app", "role", "asset")
    answer, parts = asked(session, PictureRequest(finest))
    assert (answer.picture.levels, len(answer.picture.groups)) == (("env", "app", "role"), 8)
    assert answer.notes == (
        "9 groups are more than one can read: put together by env > app > role; enter on one goes into it",
    )
    assert answer.picture.totals == whole.totals
    assert sum(len(part.edges) for part in parts if isinstance(part, Edges)) == 10
    level = Level(answer.keys, 4, whole.groups[0]).shown_as(answer.keys, 3)
    assert (level.shown, level.inside) == (("env", "app", "role"), None)
    monkeypatch.setattr(questions, "MOST", 1)
    with pytest.raises(InputError, match="4 groups by env are more than a matrix can show"):
        asked(session, PictureRequest(finest))


def test_nobody_waits_any_more(session):
    tell = Tell(lambda _: None)
    tell.cancel.cancel()
    with pytest.raises(Cancelled):
        questions.picture(session, PictureRequest(when=When("30d")), tell)


def test_a_read_only_session_takes_no_rule(session):
    read_only = EngineSession(session.directory, read_only=True)
    with pytest.raises(InputError, match="read-only"):
        take(read_only, RuleRequest({}, None), Tell(lambda _: None))


DENY = {"name": "dev never reads prod", "from": {"env": "dev"}, "to": {"env": "prod", "role": "db"}, "deny": "tcp"}


def test_after_a_change_only_its_edges_come_and_written_files_are_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    session = EngineSession(drawn(tmp_path))
    first, parts = asked(session, PictureRequest(("env", "role")))
    before = sending.put_together(tuple(edge for part in edges_of(parts) for edge in part.edges), [])
    judged = kept_of(session).picture
    take(
        session,
        RuleRequest(DENY, RuleHome("policy/more.yml", {"tier": "guardrail"}, 0, "guardrail", "", new=True)),
        Tell(lambda _: None),
    )

    second, parts = asked(session, PictureRequest(("env", "role"), known=first.name))

    assert second.follows
    assert second.draft.changes == 1
    (part,) = edges_of(parts)
    assert [one.worst(PolicyState.DRAFT) for one in part.edges] == [Sign.DENIED] * 2
    whole, parts = asked(session, PictureRequest(("env", "role")))
    assert sending.put_together(before, [part]) == tuple(edge for one in edges_of(parts) for edge in one.edges)
    assert (whole.follows, whole.picture) == (False, second.picture)

    write(session, None, Tell(lambda _: None))
    third, parts = asked(session, PictureRequest(("env", "role"), known=whole.name))

    assert kept_of(session).picture is judged
    (part,) = edges_of(parts)
    assert [one.worst(PolicyState.FILES) for one in part.edges] == [Sign.DENIED] * 2
    assert third.picture.totals[PolicyState.FILES] == second.picture.totals[PolicyState.DRAFT]


def test_what_drafts_are_compared_with_is_compiled_before_the_first_sheet(session):
    asked(session, PictureRequest())
    assert not kept_of(session).prepared
    questions.ready(session, None, Tell(lambda _: None))
    assert kept_of(session).prepared


def edges_of(parts):
    """Return the parts that are edges."""
    return [part for part in parts if isinstance(part, Edges)]


def test_a_rule_is_judged_in_parts_and_the_next_key_gives_it_up(session, monkeypatch):
    monkeypatch.setattr(drafting, "PATIENCE", 0.0)
    request = RuleRequest(DENY, RuleHome("policy/more.yml", {"tier": "guardrail"}, 0, "guardrail", "", new=True))
    parts = []
    found = drafting.effect(session, request, Tell(parts.append))
    assert [part.so_far.denied.flows <= found.newly_denied.flows for part in parts if isinstance(part, Progress)]
    given_up = []

    def key(part):
        given_up.append(part)
        tell.cancel.cancel()

    tell = Tell(key)
    with pytest.raises(Cancelled):
        drafting.effect(session, request, tell)
    assert len(given_up) == 1
    assert drafting.effect(session, request, Tell(parts.append)) == found


def test_what_is_done_before_flows_are_judged_is_told(session):
    _, parts = asked(session, PictureRequest(when=When("29d")))
    doing = [part.text for part in parts if isinstance(part, Doing)]
    assert doing == ["compiling the policy", "reading flows", "judging flows"]
    assert isinstance(parts[len(doing)], Progress)

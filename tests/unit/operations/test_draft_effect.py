"""What a draft does to the flows of a small shop, to its tests and hosts, and what rule a cell suggests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.picture import PolicyState, Sign, SignCount
from ringfence.operations import draft
from ringfence.operations.draft import AddRule, RemoveRule
from ringfence.operations.draft_effect import STATES, DraftPicture, effect
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.picture import PictureRequest, cell_flows, judged_picture, picture
from ringfence.operations.rule_from_cell import rule_from_cell
from ringfence.operations.suggest import Wanted, suggest

from tests.unit.cli_shop import ringfence, shop

SHOP, GUARDRAILS = "policy/shop.yml", "policy/guardrails.yml"
LEVELS = ("env", "app", "role")
ALLOW = {"name": "web to db", "from": {"role": "web"}, "to": {"role": "db"}, "allow": "postgresql"}
DENY = {"name": "no web", "from": {"role": "web"}, "to": {"role": "api"}, "deny": "tcp"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose inventory was asked once."""
    directory = shop(tmp_path_factory.mktemp("shop"))
    assert ringfence(directory, "check").exit_code == 0
    return directory


@pytest.fixture
def estate(made: Path, tmp_path: Path) -> Estate:
    found = Estate(Path(shutil.copytree(made, tmp_path / "shop")))
    found.let_kept_count()
    return found


def seen(estate: Estate) -> FlowSelection:
    return FlowSelection([estate.directory / "flows.csv"])


@pytest.fixture
def followed(estate: Estate) -> Iterator[DraftPicture]:
    with judged_picture(estate, seen(estate), STATES) as judged:
        yield DraftPicture(estate, judged)


def test_a_permission_lets_pass_what_was_denied_and_breaks_the_invariant(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, ALLOW, {"scope": {"app": "shop"}}))
    found = effect(estate, seen(estate))
    assert (found.flows, found.newly_allowed, found.newly_denied) == (2, SignCount(1, 4), SignCount())
    assert [(one.before, one.after, one.count.flows) for one in found.changes] == [(Sign.DENIED, Sign.ALLOWED, 1)]
    (rule,) = found.rules
    assert (rule.name, rule.decides, rule.matches, rule.bites, rule.hosts) == ("web to db", 1, 1, 1, 1)
    assert found.hosts == ("db-1", "web-1", "web-2")
    assert found.checks is not None
    assert (found.checks.tests, found.checks.failing, found.checks.invariants) == (1, (), 1)
    assert found.checks.newly[0].startswith("invariant 'the database is reached by the api only': web-1 (10.0.1.1) to")


def test_a_rule_that_decides_nothing_says_which_stands_before_it(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, {**ALLOW, "name": "late"}, {"tier": "baseline"}))
    draft.change(estate, AddRule(GUARDRAILS, {**ALLOW, "name": "first"}, {"tier": "guardrail"}))
    rules = {one.name: one for one in effect(estate, seen(estate)).rules}
    assert (rules["first"].decides, rules["late"].decides) == (1, 0)
    assert rules["late"].words() == "decides 0 of 1 flows: 'first', tier guardrail, decides 1 before it"


def test_a_trial_tells_what_a_change_would_do_and_keeps_nothing(estate: Estate, followed: DraftPicture) -> None:
    found = followed.trial(AddRule(GUARDRAILS, DENY, {"tier": "guardrail"}))
    assert (found.newly_denied, found.rules[0].decides) == (SignCount(1, 10), 1)
    assert [(one.client.asset, one.server.asset) for one in found.worst] == [("web-1", "api-1")]
    assert found.checks is not None
    assert found.checks.newly == ("test 'the shop works': web-1 to api-1 is denied on tcp/8443",)
    assert not draft.show(estate)
    assert followed.judged.at(LEVELS).totals[PolicyState.DRAFT] == followed.judged.at(LEVELS).totals[PolicyState.FILES]


def test_the_picture_follows_the_draft_and_back(estate: Estate, followed: DraftPicture) -> None:
    before = followed.judged.at(LEVELS)
    file, at = draft.rule_at(estate, draft.show(estate).edited, "web to api")
    draft.change(estate, RemoveRule(file, at))
    assert followed.follow() == 1
    after = followed.judged.at(LEVELS)
    assert after.totals[PolicyState.DRAFT][Sign.DENIED] == SignCount(2, 14)
    assert [one.differs(PolicyState.FILES, PolicyState.DRAFT) for one in after.edges].count(True) == 1
    draft.undo(estate)
    followed.follow()
    assert followed.judged.at(LEVELS) == before


def test_an_effect_is_that_of_the_files_once_they_are_written(estate: Estate) -> None:
    draft.change(estate, AddRule(SHOP, ALLOW, {"scope": {"app": "shop"}}))
    with judged_picture(estate, seen(estate), STATES) as judged:
        DraftPicture(estate, judged).follow()
        drafted = judged.at(LEVELS).totals[PolicyState.DRAFT]
    draft.write(estate)
    again = Estate(estate.directory)
    assert picture(again, PictureRequest(seen(again))).totals[PolicyState.FILES] == drafted


def test_a_cell_suggests_a_rule_with_its_place_and_a_name(estate: Estate) -> None:
    request = PictureRequest(seen(estate))
    groups = {one.labels[-1]: one for one in picture(estate, request).groups if one.labels}
    cell = cell_flows(estate, request, groups["web"], groups["db"])
    edited = draft.show(estate).edited
    allow = rule_from_cell(estate, edited, LEVELS, cell, "allow")
    assert allow.rule == {
        "name": "web to db",
        "from": {"env": "prod", "role": "web"},
        "to": {"env": "prod", "role": "db"},
        "allow": "postgresql",
    }
    assert (allow.homes[0].file, allow.homes[0].head, allow.homes[0].new) == (SHOP, {"scope": {"app": "shop"}}, False)
    deny = rule_from_cell(estate, edited, LEVELS, cell, "deny", process="nginx.service", services=("any",))
    assert (deny.rule["name"], deny.rule["deny"]) == ("web never reaches db", "any")
    assert deny.rule["from"] == {
        "env": "prod", "app": "shop", "role": "web", "process": {"unit": "nginx.service"},
    }  # fmt: skip
    assert (deny.homes[0].file, deny.homes[0].tier, deny.homes[0].new) == (GUARDRAILS, "guardrail", True)
    draft.change(estate, AddRule(deny.homes[0].file, deny.rule, deny.homes[0].head))
    again = rule_from_cell(estate, draft.show(estate).edited, LEVELS, cell, "deny")
    assert again.rule["name"] == "web never reaches db 2"
    assert not again.homes[0].new


def test_after_the_draft_was_written_the_picture_follows_the_files(estate: Estate, followed: DraftPicture) -> None:
    draft.change(estate, AddRule(SHOP, ALLOW, {"scope": {"app": "shop"}}))
    followed.follow()
    drafted = followed.judged.at(LEVELS).totals[PolicyState.DRAFT]
    assert picture(estate, PictureRequest(seen(estate), states=STATES)).totals[PolicyState.DRAFT] == drafted
    draft.write(estate)
    again = Estate(estate.directory)
    assert followed.moved(again)
    followed.follow()
    assert followed.judged.at(LEVELS).totals == {PolicyState.FILES: drafted, PolicyState.DRAFT: drafted}
    (estate.directory / "labels.yml").write_text("labels: []\n")
    assert not followed.moved(Estate(estate.directory))


def test_suggestions_are_taken_into_the_draft(tmp_path: Path) -> None:
    rows = [f"10.0.1.2,10.0.1.4,5432,tcp,3,2026-11-{day}T06:00:00Z" for day in range(17, 24)]
    text = "\n".join(["client,server,port,protocol,connections,first_seen", *rows, ""])
    estate = Estate(shop(tmp_path, {"flows.csv": text}))
    with suggest(estate, Wanted(seen(estate)), effect=False) as found:
        assert list(found.changes) == [one.id for one in found.chosen]
        assert draft.change(estate, *found.changes.values()).difference() == found.difference

"""The sheet: filled from a cell, changed by keys, a rule in the grammar."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ringfence.model.draft_effect import FilledRule, OfferedService, RuleHome
from ringfence.model.picture import GroupKind, PictureGroup, PictureService, PolicyState, Sign, SignCount
from ringfence_tui.screens.map.ends import ends_of, short_of
from ringfence_tui.screens.map.names import service_of
from ringfence_tui.screens.map.sheet import Field, Sheet, sheet_of
from ringfence_tui.screens.map.sheet_rows import home_words

from tests.tui.pictures import LEVELS, edge, group, told

DEV, DB = group("dev shop api"), group("prod shop db")
ASSET = PictureGroup(GroupKind.ASSET, ("prod", "shop", "db", "db-1"), 1, "db-1")
GUARDRAILS = RuleHome("policy/guardrails.yml", {"tier": "guardrail"}, 0, "guardrail", "", new=False)
SHOP = RuleHome("policy/shop.yml", {"scope": {"app": "shop"}}, 0, "application", "{app: shop}", new=False)
BOTH = {"env": "dev", "app": "shop", "role": "api"}


def denial() -> Sheet:
    """Return the sheet of a cell with two services."""
    one = replace(
        edge(0, 1, held="+12/61"),
        services=(
            PictureService(6, 5432, told(held="+9/50")),
            PictureService(6, 22, told(held="+3/11")),
        ),
    )
    return sheet_of("deny", DEV, DB, one, LEVELS)


def test_it_is_filled_from_the_cell_at_the_shown_level_with_all_services_that_were_seen():
    assert denial().rule() == {
        "name": "dev shop api never reaches prod shop db",
        "from": BOTH,
        "to": {"env": "prod", "app": "shop", "role": "db"},
        "deny": ["tcp/5432", "tcp/22"],
    }
    assert [(offer.flows, offer.connections) for offer in denial().offers] == [(9, 50), (3, 11)]


def test_space_takes_a_service_away_and_any_is_behind_the_last():
    assert denial().moved(1).toggled().rule()["deny"] == "tcp/5432"
    assert denial().moved(-1).toggled().rule()["deny"] == "any"
    nothing = denial().toggled().moved(1).toggled()
    assert not nothing.complete
    assert nothing.toggled().complete


def test_l_means_the_ends_by_coarser_labels_and_round():
    sheet = denial()
    for wanted in ({"env": "dev", "app": "shop"}, {"env": "dev"}, "any", BOTH):
        sheet = sheet.levelled()
        assert sheet.rule()["from"] == wanted
    assert replace(sheet, field=Field.SERVER).levelled().rule()["to"] == {"env": "prod", "app": "shop"}


def test_p_narrows_to_a_process_that_was_seen_but_not_of_any_address():
    sheet = denial().filled(FilledRule({}, (), (), (("shop-api.service", 11), ("root", 1), (None, 3))))
    assert sheet.processed().rule()["from"] == {**BOTH, "process": {"unit": "shop-api.service"}}
    assert sheet.processed().processed().rule()["from"] == BOTH
    assert sheet.processed().levelled().levelled().levelled().rule()["from"] == "any"
    assert replace(sheet, client=3).processed().rule()["from"] == "any"


def test_f_goes_round_the_files_and_tab_round_the_fields():
    sheet = denial().filled(FilledRule({"name": "never"}, (GUARDRAILS, SHOP), (), ()))
    assert sheet.place is not None
    assert home_words(sheet.place) == "policy/guardrails.yml, tier guardrail"
    moved = sheet.rehomed()
    assert (moved.place, moved.field) == (SHOP, Field.HOME)
    assert moved.rehomed().home == 0
    assert [sheet.tabbed(step).field for step in (1, -1)] == [Field.PROCESS, Field.SERVER]
    assert denial().place is None


def test_labels_that_the_scope_of_a_document_says_already_are_left_out():
    sheet = denial().filled(FilledRule({"name": "never"}, (GUARDRAILS, SHOP), (), ()))
    assert sheet.rule()["from"] == BOTH
    assert sheet.rehomed().rule()["from"] == {"env": "dev", "role": "api"}


def test_services_that_only_the_engine_knows_are_ticked_unless_somebody_chose_already():
    seen = tuple(OfferedService(f"tcp/{port}", SignCount(1, 1)) for port in (1, 2, 3))
    told = FilledRule({"name": "never"}, (), seen, ())
    assert denial().filled(told).rule()["deny"] == ["tcp/1", "tcp/2", "tcp/3"]
    assert denial().toggled().filled(told).rule()["deny"] == "tcp/22"


def test_a_name_that_somebody_wrote_stays_when_the_engine_proposes_one():
    told = FilledRule({"name": "never"}, (), (), ())
    assert denial().filled(told).name == "never"
    assert replace(denial(), name="mine").filled(told).name == "mine"


def test_a_cell_without_traffic_gives_a_rule_for_any_service():
    assert sheet_of("allow", DEV, DB, None, LEVELS).rule()["allow"] == "any"


@pytest.mark.parametrize(
    ("one", "selectors"),
    [
        (group("dev - -"), [{"env": "dev", "app": {"exists": False}, "role": {"exists": False}}, None, None, "any"]),
        (ASSET, [{"asset": "db-1"}, None, None, None, "any"]),
        (group("unknown"), ["unknown", "any"]),
        (group("internet"), ["internet", "unknown", "any"]),
        (PictureGroup(GroupKind.NETWORK, (), 0, "203.0.113.0/24"), [{"cidr": "203.0.113.0/24"}, "any"]),
        (PictureGroup(GroupKind.LABELS, ()), ["any"]),
    ],
)
def test_every_kind_of_group_can_be_meant_in_the_grammar(one, selectors):
    found = ends_of(one, (*LEVELS, "asset"))
    assert len(found) == len(selectors)
    assert all(wanted is None or end.selector == wanted for end, wanted in zip(found, selectors, strict=True))


def test_commands_are_given_the_short_form_of_a_group():
    said = [short_of(ends_of(one, (*LEVELS, "asset"))) for one in (DEV, ASSET, group("dev - x"), group("internet"))]
    assert said == ["env=dev,app=shop,role=api", "db-1", "env=dev", "internet"]
    assert short_of(ends_of(PictureGroup(GroupKind.LABELS, ("a, b",)), LEVELS)) == 'env="a, b"'


def test_a_process_at_the_finest_level_is_meant_with_its_asset():
    one = PictureGroup(GroupKind.ASSET, ("prod", "shop", "db", "db-1", "postgresql.service"), 1, "db-1")
    assert ends_of(one, (*LEVELS, "asset", "process"))[0].selector == {
        "asset": "db-1",
        "process": {"unit": "postgresql.service"},
    }


@pytest.mark.parametrize(
    ("protocol", "port", "word"),
    [
        (6, 5432, "tcp/5432"),
        (17, None, "udp"),
        (1, 8, "icmp/echo-request"),
        (1, None, "icmp"),
        (58, 128, "icmpv6/echo-request"),
        (47, 0, "ip/47"),
        (47, None, "ip/47"),
    ],
)
def test_services_are_words_of_the_grammar(protocol, port, word):
    counts = {PolicyState.HELD: {Sign.ALLOWED: SignCount(1, 1)}}
    assert service_of(PictureService(protocol, port, counts)) == word

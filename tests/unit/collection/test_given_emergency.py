"""What a variable gives one host, as a command prints it, a person writes it, and a survey of AWX sends it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.given_emergency import given_to
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError

LINES = "emergency q-0123abcd quarantine 1796000000 0 ann it%20scans\nelement isolated all"
BY_HOST = {"db-1": LINES + "\n"}
HOSTS = ["db-1", "web-1"]


@pytest.mark.parametrize("given", [LINES, LINES + "\n\n", BY_HOST, json.dumps(BY_HOST), {"db-1": LINES.splitlines()}])
def test_lines_are_taken_for_all_by_host_and_as_the_text_of_a_survey(given: object) -> None:
    assert given_to("db-1", given, HOSTS, ends=False) == (LINES, [])


@pytest.mark.parametrize(
    "given",
    [
        "q-0123abcd",
        " q-0123abcd\n",
        ["q-0123abcd"],
        '["q-0123abcd"]',
        {"db-1": "q-0123abcd"},
        LINES,
        BY_HOST,
        json.dumps(BY_HOST),
    ],
)
def test_an_emergency_is_ended_by_its_id_and_by_what_began_it(given: object) -> None:
    assert given_to("db-1", given, HOSTS, ends=True) == ("q-0123abcd", [])


def test_several_ids_stand_beside_each_other() -> None:
    assert given_to("db-1", "q-0123abcd, p-0123abcd", HOSTS, ends=True)[0].split() == ["q-0123abcd", "p-0123abcd"]


def test_a_host_that_a_mapping_leaves_out_is_not_asked() -> None:
    assert given_to("web-1", json.dumps(BY_HOST), HOSTS, ends=False) == ("", [])
    assert given_to("web-1", {"web-1": ""}, HOSTS, ends=True) == ("", [])


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "ringfence_emergency is empty; it is "),
        (" \n", "ringfence_emergency is empty; it is "),
        ([], "ringfence_emergency is empty; it is "),
        ("{}", "ringfence_emergency is empty; its names are those of the inventory"),
        (5, "ringfence_emergency must be "),
        ({"db-1": 5}, "ringfence_emergency must be "),
        ([{}], "ringfence_emergency must be "),
        ('{"db-1": ', "ringfence_emergency begins as JSON and is not valid: "),
        ({"ringfence_emergency": BY_HOST}, "give that as variables: -e @FILE"),
        (json.dumps({"ringfence_hosts": "db-1", "ringfence_emergency": BY_HOST}), "give that as variables: -e @FILE"),
        (json.dumps({"web-77": LINES}), "names no host of this inventory: web-77"),
    ],
)
def test_what_tells_nobody_anything_is_refused_by_name(given: object, why: str, ends: bool) -> None:
    with pytest.raises(PlanError) as refused:
        given_to("db-1", given, HOSTS, ends=ends)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("given", "way_out"), [("q-0123abcd", "the playbook 'release'"), ("web-2", "quarantine … --variables")]
)
def test_what_has_no_lines_puts_nothing_on_a_host_and_the_way_out_is_named(given: str, way_out: str) -> None:
    with pytest.raises(PlanError) as refused:
        given_to("db-1", given, HOSTS, ends=False)
    assert "has no line of an emergency in it" in str(refused.value)
    assert way_out in str(refused.value)

"""A machine that several sources know may be named in a policy and a question as any of them does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ringfence.analysis.explain import explain
from ringfence.compiler import Recompiler, compile_policy
from ringfence.language.mentions import AssetMention
from ringfence.language.references import check_references
from ringfence.model.errors import InputError, InputErrors, Place
from ringfence.model.rules import Policy
from ringfence.model.selectors import AllOf, AssetNamed, Not
from ringfence.model.services import parse_service

from tests.unit.estate_factory import SETTINGS, asset, labelled, rule, snapshot

WEB = replace(asset("vm-0815", "10.0.0.1", role="web"), also=("web-1.example", "i-1"), sources=("10-aws.yml",))
DB = replace(asset("db-1", "10.0.0.2", role="db"), sources=("30-onprem.yml",))
OTHER = asset("other", "10.0.0.3", role="web")


def policy(name):
    return Policy((rule("r", AssetNamed(name), labelled(role="db"), "tcp/5432"),))


@pytest.mark.parametrize("name", ["vm-0815", "web-1.example", "i-1"])
def test_every_name_of_a_machine_gives_the_same_tables(name):
    estate = snapshot(WEB, DB, OTHER)
    expected = compile_policy(estate, policy("vm-0815"), SETTINGS)
    assert compile_policy(estate, policy(name), SETTINGS).tables == expected.tables
    assert Recompiler(estate, policy(name), SETTINGS).compilation.tables == expected.tables


def test_a_name_inside_of_other_selectors_is_understood_too():
    estate = snapshot(WEB, DB, OTHER)
    tables = [
        compile_policy(
            estate,
            Policy((rule("r", AllOf((labelled(role="web"), Not(AssetNamed(name)))), labelled(role="db"), "tcp/5432"),)),
            SETTINGS,
        ).tables
        for name in ("vm-0815", "web-1.example")
    ]
    assert tables[0] == tables[1]


def test_explain_and_check_know_all_names():
    estate = snapshot(WEB, DB, OTHER)
    compilation = compile_policy(estate, policy("web-1.example"), SETTINGS, full=True)
    answer = explain(compilation, "i-1", "db-1", parse_service("tcp/5432"))
    assert answer.verdict == "allow"
    assert explain(compilation, "other", "db-1", parse_service("tcp/5432")).verdict == "deny"
    assert check_references([AssetMention("web-1.example", Place("policy/a.yml", 1, 1))], estate) == ()


def test_a_name_that_two_assets_have_is_an_error_that_lists_both():
    estate = snapshot(WEB, replace(DB, also=("web-1.example",)))
    with pytest.raises(InputErrors, match=r"'web-1.example' stands for 'db-1' .*30-onprem.* and 'vm-0815' .*10-aws"):
        compile_policy(estate, policy("web-1.example"), SETTINGS)
    compilation = compile_policy(estate, Policy(), SETTINGS)
    with pytest.raises(InputError, match="stands for"):
        explain(compilation, "web-1.example", "db-1", parse_service("tcp/5432"))

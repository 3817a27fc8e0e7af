"""Variables of Ringfence are people's: what a host says of itself, also in a fact cache on disk, never counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hostile_host import HostileHost
from tests.rollout_plans import PlanMaker, Wanted

REFUSES = "ringfence:refused=busy\nringfence:reason=$(touch pwned); touch pwned\n"
APPLY = {"ringfence.core.linux_policy": {}}


def cached(host: HostileHost, facts: dict[str, object]) -> dict[str, str]:
    """Put facts into a cache on disk, as a host's answer of earlier would have; return the settings that use it."""
    cache = host.directory / "facts"
    settings = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache)}
    host.play([{"ansible.builtin.set_fact": {**facts, "cacheable": True}}], settings=settings)
    assert list(cache.iterdir())
    return settings


def test_a_fact_chooses_no_journal_and_no_other_file(tmp_path: Path) -> None:
    plan = PlanMaker(tmp_path).write({"web-1": Wanted()})
    host = HostileHost(tmp_path / "host")
    host.prints(REFUSES)
    chosen = tmp_path / "bashrc"
    settings = cached(host, {"ringfence_journal": str(chosen), "ringfence_allowed_signers": str(chosen)})

    results, said = host.play([APPLY], "-e", f"ringfence_plan={plan}", settings=settings)

    assert results["web-1"][0]["state"] == "refused", said
    assert not chosen.exists()
    (started, refused) = map(json.loads, (plan / "journal.jsonl").read_text().splitlines())
    assert (started["event"], refused["event"]) == ("started", "refused")
    assert "2 facts or results of this host have names of Ringfence variables" in said
    assert "ringfence_allowed_signers, ringfence_journal" in said


def test_a_fact_excuses_no_host_of_the_wave_before(tmp_path: Path) -> None:
    plan = PlanMaker(tmp_path).write(dict.fromkeys(("db-1", "web-1"), Wanted()), waves=[["db-1"], ["web-1"]])
    host = HostileHost(tmp_path / "host")
    host.prints(REFUSES)

    settings = cached(host, {"ringfence_excused": ["db-1"], "ringfence_confirm_within": 86400})
    results, said = host.play([APPLY], "-e", f"ringfence_plan={plan}", settings=settings)

    assert results["web-1"][0]["rule"] == "wave", said


def test_what_the_inventory_gives_counts_although_a_fact_is_called_the_same(tmp_path: Path) -> None:
    plan = PlanMaker(tmp_path).write({"web-1": Wanted()})
    given, chosen = tmp_path / "given", tmp_path / "chosen"
    for directory in (given, chosen):
        directory.mkdir()
    variables = {
        "ringfence_journal": "{{ journals }}/journal.jsonl",
        "journals": str(given),
        "ringfence_plan": str(plan),
    }
    host = HostileHost(tmp_path / "host", variables=variables)
    host.prints(REFUSES)
    settings = cached(host, {"ringfence_journal": str(chosen / "x"), "journals": str(chosen), "ringfence_plan": "/"})

    results, said = host.play([APPLY], settings=settings)

    assert results["web-1"][0]["state"] == "refused", said
    assert results["web-1"][0]["rule"] == "busy", said
    assert not list(chosen.iterdir())
    assert (given / "journal.jsonl").exists()


@pytest.mark.parametrize("injected", ["True", "False"])
def test_a_variable_of_the_play_counts_and_one_that_a_result_or_set_fact_gives_does_not(
    tmp_path: Path, injected: str
) -> None:
    plan = PlanMaker(tmp_path).write({"web-1": Wanted()})
    host = HostileHost(tmp_path / "host")
    host.prints(REFUSES)
    said_by_host = [
        {"ansible.builtin.set_fact": {"ringfence_journal": str(tmp_path / "set")}},
        {"ansible.builtin.set_fact": {"ringfence_allowed_signers": "/nowhere", "cacheable": True}},
        {"ansible.builtin.debug": {"msg": str(tmp_path / "registered")}, "register": "ringfence_renew"},
    ]
    task = {**APPLY, "vars": {"ringfence_plan": str(plan)}}

    results, said = host.play([*said_by_host, task], settings={"ANSIBLE_INJECT_FACT_VARS": injected})

    assert results["web-1"][-1]["rule"] == "busy", said
    assert not (tmp_path / "set").exists()
    assert (plan / "journal.jsonl").exists()
    assert "3 facts or results of this host" in said


@pytest.mark.parametrize("cacheable", [True, False], ids=["a fact", "set_fact"])
def test_a_host_that_calls_itself_another_host_acts_under_no_name(tmp_path: Path, cacheable: bool) -> None:
    plan = PlanMaker(tmp_path).write(dict.fromkeys(("db-1", "web-1"), Wanted()))
    facts, flows = tmp_path / "facts", tmp_path / "flows"
    host = HostileHost(tmp_path / "host")
    host.prints('ringfence:changed=no\n{"ansible_facts": {"ansible_hostname": "evil"}}')
    claim = {"inventory_hostname": "db-1", "cacheable": cacheable}
    settings = cached(host, claim) if cacheable else {}
    tasks: list[object] = [] if cacheable else [{"ansible.builtin.set_fact": claim}]
    tasks += [
        APPLY,
        {"ringfence.core.linux_policy_confirm": {}},
        {"ringfence.core.linux_facts_info": {"facts_directory": str(facts)}},
        {"ringfence.core.linux_flows_info": {"flows_directory": str(flows)}},
    ]

    results, said = host.play(tasks, "-e", f"ringfence_plan={plan}", settings=settings)

    assert [result["rule"] for result in results["web-1"][-4:]] == ["variables"] * 4, said
    assert not (plan / "journal.jsonl").exists()
    assert not facts.exists()
    assert not flows.exists()

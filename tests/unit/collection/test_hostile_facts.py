"""A host that answers `setup` with what it likes: only facts of their types are kept, and nothing is a variable."""

from __future__ import annotations

import json
import stat
import sys

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.facts_shape import kept, listening, running
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.rollout import run_playbook
from ringfence.sources.fact_files import cached_facts
from ringfence.sources.facts import fact_addresses, fact_attributes

from tests.hostile_host import HostileHost, hostile_hosts

TASK = {"name": "facts", "ringfence.core.linux_facts_info": {"facts_directory": "facts"}}
SHOW = {"ansible.builtin.debug": {"msg": "{{ ringfence_labels | default('none') }} {{ tags | default('none') }}"}}


def answer(**facts: object) -> str:
    return json.dumps({"changed": False, "ansible_facts": facts})


def test_only_wanted_facts_are_kept_for_their_owner_alone(tmp_path):
    host = HostileHost(tmp_path)
    told = {
        "ansible_distribution": "Debian",
        "ansible_all_ipv4_addresses": ["10.1.0.9", "no address", 7],
        "ansible_interfaces": ["eth0", "bad name", 5],
        "ansible_eth0": {"type": "ether", "macaddress": "3c:ec:ef:10:00:01", "ipv4": {"address": "10.1.0.9"}, "x": "y"},
        "ansible_env": {"AWS_SECRET_ACCESS_KEY": "hunter2"},
        "ansible_local": {"app": {"tier": "gold", "db_password": "hunter2", "url": "postgres://u:hunter2@db/x"}},
        "ringfence_labels": {"role": "db"},
        "tags": {"Environment": "prod"},
        "ansible_connection": "local",
    }
    host.prints(
        json.dumps({"changed": False, "ansible_facts": told, "add_host": {"host_name": "evil"}, "warnings": ["x"]})
    )
    results, _ = host.play([TASK, SHOW])
    result, shown = results["web-1"]
    assert "ansible_facts" not in result
    assert result["facts"]["all_ipv4_addresses"] == ["10.1.0.9"]
    assert shown["msg"] == "none none"
    directory, path = tmp_path / "facts", tmp_path / "facts/web-1.json"
    assert (stat.S_IMODE(directory.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o700, 0o600)
    text = path.read_text()
    assert "hunter2" not in text
    assert "ringfence_labels" not in text
    written = json.loads(text)
    assert written["facts"]["local"] == {"app": {"tier": "gold"}}
    assert set(written["facts"]) == {
        *("distribution", "all_ipv4_addresses", "all_ipv6_addresses", "interfaces", "eth0", "local"),
    }
    assert set(written["facts"]["eth0"]) == {"type", "macaddress", "ipv4_secondaries", "ipv6"}


def test_an_interface_that_is_called_like_a_fact_takes_no_facts_place():
    told = {"interfaces": ["product-uuid", "local", "listeners", "eth0"], "product_uuid": {"type": "ether"}}
    found = kept({"ansible_facts": {**told, "local": {"type": "ether"}, "listeners": {"type": "x"}, "eth0": {}}})
    assert set(found) == {"all_ipv4_addresses", "all_ipv6_addresses", "interfaces", "local", "eth0"}
    assert found["local"] == {"type": "ether"}


def test_a_number_without_an_end_is_no_fact():
    told = json.loads('{"ansible_facts": {"local": {"app": {"a": 1e999, "b": [-1e999, 1.5], "c": 2}}}}')
    assert kept(told)["local"] == {"app": {"b": [1.5], "c": 2}}


def test_nothing_comes_into_ansibles_own_cache(tmp_path):
    host = HostileHost(tmp_path)
    host.prints(answer(ansible_distribution="Debian", ringfence_labels={"role": "db"}))
    caching = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "cache")}
    host.play([TASK], settings=caching)
    assert not [path for path in tmp_path.glob("cache/*") if path.read_text().count("role")]


def test_an_answer_that_is_none_fails_that_host_and_writes_nothing(tmp_path):
    said = "", "not json", "[1, 2]", '{"ansible_facts": [', '{"failed": true, "msg": "no Python"}', "null", "\x1b[2J"
    hosts = hostile_hosts(tmp_path, said)
    for host, text in zip(hosts, said, strict=True):
        host.prints(text)
    results, _ = hosts[0].play([TASK], beside=hosts[1:])
    for host, text in zip(hosts, said, strict=True):
        assert results[host.name][0]["state"] in ("unknown", "failed"), text
        assert not (host.directory / "facts").exists(), text


def test_a_host_that_never_ends_is_silent_and_the_others_are_told(tmp_path):
    host = HostileHost(tmp_path, others=("good-1",))
    host.runs("while :; do printf '%01000d' 0; done")
    task = {**TASK, "ringfence.core.linux_facts_info": {"facts_directory": "facts", "answer_within": 120}}
    results, _ = host.play([task])
    assert results["web-1"][0]["state"] == "silent"
    assert results["good-1"][0]["facts"]["interfaces"]
    assert [path.name for path in (tmp_path / "facts").iterdir()] == ["good-1.json"]


def test_a_name_that_leads_elsewhere_is_no_file(tmp_path):
    host = HostileHost(tmp_path, name="a/../../b")
    host.prints(answer(ansible_distribution="Debian"))
    results, _ = host.play([TASK])
    assert "is not a valid name for a file" in str(results)
    assert not (tmp_path.parent / "b.json").exists()


def test_a_link_in_the_place_of_facts_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "facts").mkdir()
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "facts/web-1.json").symlink_to(tmp_path / "mine")
    host = HostileHost(tmp_path)
    host.prints(answer(ansible_distribution="Debian"))
    host.play([TASK])
    assert (tmp_path / "mine").read_text() == "mine"
    assert json.loads((tmp_path / "facts/web-1.json").read_text())["facts"]["distribution"] == "Debian"


def test_what_is_written_is_what_the_engine_reads(tmp_path):
    host = HostileHost(tmp_path)
    host.prints(answer(ansible_distribution="Debian", ansible_all_ipv4_addresses=["10.1.0.9"]))
    listeners = [{"protocol": "tcp", "address": "0.0.0.0", "port": 5432, "pid": 7, "unit": "postgresql.service"}]
    given = {"facts_directory": "facts", "listeners": listeners, "running_units": ["postgresql.service"]}
    host.play([{"name": "facts", "ringfence.core.linux_facts_info": given}])
    found, problems = cached_facts([tmp_path / "facts"], ["web-1"])
    assert problems == []
    assert len(fact_addresses(found["web-1"])) == 1
    attributes = fact_attributes(found["web-1"])
    assert attributes["facts"]["ports"] == ["tcp/5432"]
    assert attributes["listeners"][0]["unit"] == "postgresql.service"
    assert "pid" not in attributes["listeners"][0]
    assert attributes["facts"]["units"] == ["postgresql.service"]


def test_our_playbooks_read_no_cache_of_facts(tmp_path):
    caching = "[defaults]\nfact_caching = jsonfile\nfact_caching_connection = .ringfence/facts\n"
    (tmp_path / "ansible.cfg").write_text(caching)
    (tmp_path / "ringfence.yml").write_text("")
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"a": here, "b": here}}}))
    cache = tmp_path / ".ringfence/facts"
    cache.mkdir(parents=True)
    (cache / "s1_a").write_text("")
    (cache / "s1_b").write_text(json.dumps({"ansible_python_interpreter": "/nowhere", "ringfence_hosts": "none"}))
    outcome = run_playbook("discover", [tmp_path / "hosts.json"], directory=tmp_path)
    assert outcome.ok, outcome.data()
    assert sorted(path.name for path in cache.iterdir()) == ["a.json", "b.json", "s1_a", "s1_b"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=30), inner, max_size=5),
    max_leaves=30,
)
NAMES = st.sampled_from(
    ["ansible_local", "ansible_interfaces", "ansible_eth0", "ansible_all_ipv6_addresses", "ansible_fqdn", "ansible_env"]
)


@settings(deadline=None)
@given(facts=st.dictionaries(NAMES | st.text(max_size=20), JSON, max_size=6), rows=JSON)
def test_whatever_a_host_answers_what_is_kept_is_small_plain_data(facts, rows):
    found = kept({"ansible_facts": facts})
    json.dumps([found, listening(rows), running(rows)])
    assert all(
        name == "local" or name in ("interfaces",) or not name.startswith(("ringfence", "env")) for name in found
    )
    assert kept({"ansible_facts": rows})["interfaces"] == [] or isinstance(rows, dict)

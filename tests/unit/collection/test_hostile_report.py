"""What a host reports of its flows is a report or nothing: Ansible never sees what stands beside it."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import AnswerError
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.flows_shape import answered, reported
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.hostile_host import HostileHost

REPORT: dict[str, object] = {
    "changed": False,
    "observed": "2026-11-24T07:00:00Z",
    "host": "web-1",
    "addresses": ["10.0.0.7", "fd00::7"],
    "listeners": [
        {
            "protocol": "tcp", "address": "0.0.0.0", "port": 443, "process": "nginx", "pid": 7, "unit": "nginx.service",
            "user": "root", "socket_unit": None, "ephemeral": False,
        }
    ],
    "flows": [
        {
            "client": "10.0.0.9", "server": "10.0.0.7", "port": 443, "protocol": "tcp", "direction": "in",
            "process": "nginx", "pid": 7, "unit": "nginx.service", "user": "root", "connections": 3, "packets": 0,
            "bytes": 0,
        }
    ],
    "left_out": 0,
    "conntrack": "proc",
    "read_by": "python",
    "unseen": [],
    "units": {"nginx.service": {"path": "system.slice/nginx.service", "users": ["root"]}},
}  # fmt: skip
# What Ansible would act on in the result of a module.
TAKEN_BY_ANSIBLE = {
    "ansible_facts": {
        "ringfence_journal": "/tmp/x",
        "ringfence_labels": {"role": "worker"},
        "ansible_host": "10.0.0.1",
    },
    "add_host": {"host_name": "evil", "groups": ["all"], "host_vars": {}},
    "ansible_connection": "local",
    "ansible_python_interpreter": "/bin/evil",
    "_ansible_facts_cacheable": True,
    "_ansible_delegated_vars": {"ansible_host": "db-1"},
    "warnings": ["a warning"] * 1000,
    "deprecations": [{"msg": "old", "version": "9"}] * 1000,
    "invocation": {"module_args": {}},
    "exception": "Traceback",
    "diff": {"before": "x"},
    "results": [1],
    "skipped": True,
    "msg": "a message",
}
KEYS = {key for key in REPORT if key != "changed"}
CALL = {"ringfence.core.linux_flows_info": {}}
SHOW = {"ansible.builtin.debug": {"msg": "{{ hostvars[inventory_hostname] | to_json }}"}}


def test_a_report_is_taken_and_everything_beside_it_is_dropped(tmp_path: Path) -> None:
    host = HostileHost(tmp_path)
    host.prints("a motd\n" + json.dumps({**REPORT, **TAKEN_BY_ANSIBLE, "ansible_facts": {"ringfence_x": "1"}}))

    results, said = host.play([CALL, SHOW])

    told, shown = results["web-1"]
    assert told.keys() >= KEYS, said
    assert not set(TAKEN_BY_ANSIBLE) & told.keys()
    assert {key: told[key] for key in KEYS} == {key: REPORT[key] for key in KEYS}
    variables = json.loads(str(shown["msg"]))
    assert not [name for name in variables if name.startswith("ringfence_")]
    assert "evil" not in said
    assert "a warning" not in said


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "not JSON"),
        ("sorry", "not JSON"),
        ("{" * 100_000, "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 100_000, "not JSON"),
        (json.dumps([REPORT]), "not JSON"),
        ('{"observed": NaN}', "not a number"),
        ('{"left_out": ' + "9" * 10_000 + "}", "not JSON"),
        (json.dumps({**REPORT, "observed": "now"}), "observed"),
        (json.dumps({**REPORT, "flows": None}), "flows"),
        (json.dumps({**REPORT, "flows": [None]}), "flows[0]"),
        (json.dumps({**REPORT, "addresses": ["10.0.0.7; rm -rf /"]}), "addresses[0]"),
        (json.dumps({**REPORT, "addresses": [7]}), "addresses[0]"),
        (json.dumps({**REPORT, "left_out": 10**26}), "left_out"),
        (json.dumps({**REPORT, "left_out": -1}), "left_out"),
        (json.dumps({**REPORT, "left_out": True}), "left_out"),
        (json.dumps({**REPORT, "units": {"u" * 10_000: {}}}), "a unit's name"),
        (json.dumps({**REPORT, "host": "x" * 10_000}), "host"),
    ],
    ids=lambda value: value[:16],
)
def test_an_answer_that_is_no_report_is_refused_by_its_first_field(answer: str, why: str) -> None:
    with pytest.raises(AnswerError) as refused:
        reported(answered(answer), 20_000)
    assert why in str(refused.value)
    assert len(str(refused.value)) < 500


def test_more_flows_than_were_asked_for_are_no_report() -> None:
    assert isinstance(REPORT["flows"], list)
    with pytest.raises(AnswerError, match="more than the maximum of 5"):
        reported({**REPORT, "flows": REPORT["flows"] * 6}, 5)


def test_a_flow_of_a_protocol_without_ports_has_no_port() -> None:
    ping = {**REPORT["flows"][0], "protocol": "icmp", "port": None}  # type: ignore[index]
    assert reported({**REPORT, "flows": [ping]}, 10)["flows"] == [ping]


def test_control_characters_of_names_become_question_marks() -> None:
    assert reported({**REPORT, "host": "web\x1b]0;\x07\n\u202e1"}, 9)["host"] == "web?]0;???1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(300), deadline=None)
@given(st.dictionaries(st.sampled_from(sorted({*REPORT, *TAKEN_BY_ANSIBLE})), json_values, max_size=6))
def test_whatever_a_host_reports_has_the_documented_shape_or_is_refused(changes: dict[str, object]) -> None:
    try:
        found = reported(answered(json.dumps({**REPORT, **changes})), 20_000)
    except AnswerError:
        return
    assert found.keys() == KEYS
    for value in _leaves(found):
        assert type(value) in (str, int, bool, type(None))


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=200))
def test_whatever_a_host_prints_is_read_or_refused(printed: str) -> None:
    with suppress(AnswerError):
        reported(answered(printed), 20_000)


def test_a_host_that_says_nothing_or_prints_without_end_is_silent_and_the_others_are_told(tmp_path: Path) -> None:
    own = {"ringfence_answer_within": 5}
    mute = HostileHost(tmp_path / "mute", "mute", others=["web-2"], variables=own)
    endless = HostileHost(tmp_path / "endless", "endless")
    mute.runs("sleep 3000")
    endless.runs("exec cat /dev/zero")

    began = time.monotonic()
    results, said = mute.play([CALL], beside=[endless])

    assert time.monotonic() - began < 600
    assert results["mute"][0]["state"] == "silent", said
    assert "did not answer within 5 s" in str(results["mute"][0]["msg"])
    assert results["endless"][0]["state"] == "silent", said
    assert "longer than 16 MB" in str(results["endless"][0]["msg"])
    assert "flows" in results["web-2"][0]


def test_a_report_is_written_where_people_say_and_not_where_a_fact_says(tmp_path: Path) -> None:
    host = HostileHost(tmp_path / "host", name="web-1")
    host.prints(json.dumps(REPORT))
    for elsewhere in ("chosen", "given"):
        (tmp_path / elsewhere).mkdir(mode=0o755)
    fact = {"ansible.builtin.set_fact": {"ringfence_flows_directory": str(tmp_path / "chosen"), "cacheable": True}}

    results, said = host.play([fact, CALL])
    assert "flows" in results["web-1"][1], said
    assert not list((tmp_path / "chosen").iterdir())
    assert "[WARNING]: web-1: 1 facts or results of this host have names of Ringfence variables" in said
    assert (tmp_path / "chosen").stat().st_mode & 0o777 == 0o755

    host.play([fact, CALL], "-e", f"ringfence_flows_directory={tmp_path / 'given'}")
    (written,) = (tmp_path / "given").iterdir()
    assert written.name == "web-1.json"
    assert written.stat().st_mode & 0o777 == 0o600
    assert json.loads(written.read_text())["inventory_hostname"] == "web-1"
    assert not list((tmp_path / "chosen").iterdir())


def test_a_hosts_name_that_is_a_path_names_no_file_elsewhere(tmp_path: Path) -> None:
    host = HostileHost(tmp_path / "host", name="../../evil")
    host.prints(json.dumps(REPORT))
    results, said = host.play([CALL], "-e", f"ringfence_flows_directory={tmp_path / 'given'}")
    assert "flows" in results["../../evil"][0], said
    (written,) = (tmp_path / "given").iterdir()
    assert "evil" not in written.name
    assert not (tmp_path / "evil.json").exists()


def _leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in (key, *_leaves(one))]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    return [value]

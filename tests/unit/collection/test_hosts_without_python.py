"""A host whose Python is missing, too old or broken is read by its shell, without being told to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import AnswerError
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.facts_shape import kept
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.script_parts import shared_text
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_answer import shell_answer
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_facts import shell_facts
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.hostile_host import RESULT

SHELLS = [["dash"], ["busybox", "sh"], ["bash", "--posix"]]
OLD = sorted(Path("~/.pyenv/versions").expanduser().glob("3.6.*/bin/python3"))
FACTS = (
    *("hostname", "nodename", "architecture", "system", "kernel", "service_mgr", "interfaces"),
    *("distribution", "distribution_version", "distribution_major_version", "distribution_release", "os_family"),
)
# Seconds that no other process of this machine sleeps: the same tests may run beside these.
FOR_EVER = 10_000_000 + os.getpid()
# What a host has for Python, and what is said of it; nothing where modules run.
INTERPRETERS = {
    "fails": ("echo BANNER; exit 1", "does not work (status 1)"),
    "hangs": (f"echo BANNER; sleep {FOR_EVER}", "did not answer within 10 s"),
    "runs-nothing": ("echo BANNER; exit 0", "does not work (status 0)"),
    "no-module": (
        f'case $* in *version_info*) exec {sys.executable} "$@" ;; esac; echo broken; exit 3',
        "runs no module",
    ),
    "banner": (f'echo BANNER; exec {sys.executable} "$@"', None),
    **({"old": (f'exec {OLD[0]} "$@"', "is Python 3.6")} if OLD else {}),
}


def own(flows: dict[str, Any], port: int) -> dict[str, Any]:
    """Return the one listener that stands all the time: others of this machine come and go between the questions."""
    (found,) = (one for one in flows["listeners"] if one["port"] == port)
    return found


def test_every_kind_of_python_is_told_and_the_shell_takes_its_place(tmp_path: Path) -> None:
    hosts: dict[str, dict[str, str]] = {}
    for name, (text, _why) in INTERPRETERS.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        hosts[name] = {"ansible_python_interpreter": str(program)}
    hosts["none"] = {"ansible_python_interpreter": "/nonexistent/python3"}
    hosts["found"] = {}
    for variables in hosts.values():
        variables["ansible_connection"] = "local"
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    gather = {"ringfence.core.linux_facts_info": {"facts_directory": str(tmp_path / "facts")}}
    tasks = [{"ringfence.core.linux_flows_info": {}}, gather]
    play = tmp_path / "play.json"
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-v", "-f8", "-i", str(inventory), str(play)],
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_NOCOLOR": "1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        port = listening.getsockname()[1]
    told: dict[str, list[dict[str, Any]]] = {}
    for found in RESULT.finditer(done.stdout):
        told.setdefault(found[1], []).append(json.JSONDecoder().raw_decode(done.stdout, found.end())[0])
    wanted = {**{name: why for name, (_text, why) in INTERPRETERS.items()}, "none": "there is no Python", "found": None}
    assert told.keys() == wanted.keys(), done.stdout + done.stderr
    for name, why in wanted.items():
        flows, facts = told[name]
        assert flows["read_by"] == ("python" if why is None else "shell"), name
        assert why is None or why in str(flows["unseen"]), name
        assert own(flows, port) == own(told["found"][0], port)
        assert {key: facts["facts"][key] for key in FACTS} == {key: told["found"][1]["facts"][key] for key in FACTS}
        assert why is None or why in str(facts["unseen"]), name
    assert f"sleep {FOR_EVER}" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_program_that_takes_too_long_is_killed_and_one_that_ends_is_not_waited_for(shell: list[str]) -> None:
    text = shared_text("reply", "python").replace("ringfence_main", "")
    began = time.monotonic()
    endless = f"sh -c 'echo x; sleep {FOR_EVER}; sleep {FOR_EVER}'"
    script = f"{text}\nlimited 600 sh -c 'exit 42'; echo $?\nlimited 1 {endless}; echo $?\n"
    done = subprocess.run([*shell, "-s"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["42", "137"], done.stderr
    assert time.monotonic() - began < 300
    assert f"sleep {FOR_EVER}" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        (
            "T os_id alpine\nT os_version_id 3.20.1\nT alpine_version 3.20.3\nT init init\nT nodename ap-1.example",
            {
                "distribution": "Alpine",
                "distribution_version": "3.20.3",
                "distribution_major_version": "3",
                "os_family": "Alpine",
                "service_mgr": "sysvinit",
                "hostname": "ap-1",
                "domain": "example",
            },
        ),
        (
            "T os_id openwrt\nT os_name OpenWrt\nT os_id_like lede openwrt\nT os_version_id 23.05.3\nT init procd",
            {"distribution": "OpenWrt", "os_family": "OpenWrt", "service_mgr": "procd"},
        ),
        (
            "T os_id rhel\nT os_id_like fedora\nT os_version_id 8.10",
            {"distribution": "RedHat", "distribution_major_version": "8", "os_family": "RedHat"},
        ),
        (
            "I eth0 1 52:54:00:00:00:01\n4 eth0 10.0.0.7\n4 eth0:1 10.0.0.8\n6 eth0 fd000000000000000000000000000007\n"
            "A 10.0.0.7",
            {"all_ipv4_addresses": ["10.0.0.7", "10.0.0.8"], "all_ipv6_addresses": ["fd00::7"], "interfaces": ["eth0"]},
        ),
        ("T\nT x\nI\n4\n4 a b\n6 a zz\nA\nA x\nI \x1b[31m 1 \n", {"all_ipv4_addresses": []}),
    ],
)
def test_facts_have_the_names_that_setup_gives_them(lines: str, facts: dict[str, object]) -> None:
    told = shell_answer(f"ringfence:begin facts\n{lines}\nZ\nringfence:end facts\n")
    found = kept({"ansible_facts": shell_facts(told)[0]})
    assert {name: found.get(name) for name in facts} == facts


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.text("TI46AZ _0123456789abcdef.:\x1b\n", max_size=40), max_size=6))
def test_whatever_a_hosts_shell_says_of_itself_is_read_or_refused(lines: list[str]) -> None:
    text = "\n".join(["ringfence:begin facts", *lines, "Z", "ringfence:end facts", ""])
    with suppress(AnswerError):
        kept({"ansible_facts": shell_facts(shell_answer(text))[0]})

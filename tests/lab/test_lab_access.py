"""People and Ansible reach a lab through the files it writes, at once and by real ssh."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ringfence.lab.session import Lab, open_lab
from ringfence.lab.spec import CONTROLLER_4, HostSpec
from ringfence.model.errors import InputError, OutsideError

from tests.lab_fixtures import MakeLab, echo_unit

pytestmark = pytest.mark.lab
LABELS = {"role": "web", "env": "prod"}


def ansible(program: str, lab: Lab, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run an Ansible program with the lab's inventory, outside any project and its settings."""
    command = [Path(sys.executable).with_name(program), "-i", lab.inventory_path, *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=lab.directory)


def test_ansible_uses_a_host_of_the_inventory_as_it_is(namespaces: Lab) -> None:
    done = ansible("ansible", namespaces, "n1", "-m", "setup", "-a", "gather_subset=!all,network")
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads(done.stdout[done.stdout.index("{") :])["ansible_facts"]
    addresses = namespaces.hosts()[0].addresses
    assert facts["ansible_all_ipv4_addresses"] == [addresses[0]]
    assert addresses[1] in facts["ansible_all_ipv6_addresses"]


def test_the_inventory_carries_addresses_and_labels(make_lab: MakeLab) -> None:
    lab = make_lab([HostSpec("web-1", labels=LABELS), HostSpec("plain")], "namespaces")
    shown = json.loads(ansible("ansible-inventory", lab, "--list").stdout)["_meta"]["hostvars"]
    assert shown["web-1"]["ringfence_labels"] == LABELS
    assert shown["web-1"]["ringfence_addresses"] == list(lab.hosts()[0].addresses)
    assert "ringfence_labels" not in shown["plain"]


def test_a_host_is_reached_by_its_name_and_by_its_address_and_shows_the_key_it_was_given(namespaces: Lab) -> None:
    for target in ("n1", namespaces.hosts()[0].addresses[0]):
        done = subprocess.run(["ssh", "-F", namespaces.ssh_config, target, "hostname"], capture_output=True, text=True)
        assert done.stdout == "n1\n", done.stderr
    assert namespaces.run("n1", ["sh", "-c", "echo ${SSH_CONNECTION%% *}"]).stdout == f"{CONTROLLER_4}\n"


def test_input_reaches_the_command_and_words_stay_whole(namespaces: Lab) -> None:
    assert namespaces.run("n1", ["cat"], input="a b\n").stdout == "a b\n"
    assert namespaces.exec("n1", ["cat"], input="a b\n").stdout == "a b\n"
    assert namespaces.run("n1", ["printf", "%s|", "a b", "$HOME"]).stdout == "a b|$HOME|"


def test_hosts_of_any_address_reach_each_other(make_lab: MakeLab) -> None:
    far = HostSpec("far", addresses=("198.51.100.7", "2001:db8:7::7"), units=(echo_unit(),))
    lab = make_lab([far, HostSpec("near")], "namespaces")
    script = "import socket, sys; [socket.create_connection((a, 7000), 3) for a in sys.argv[1:]]"
    assert lab.exec("near", ["python3", "-c", script, *far.addresses]).stderr == ""
    assert lab.run("far", ["true"]).returncode == 0


def test_an_unknown_host_is_named_with_those_that_there_are(namespaces: Lab) -> None:
    with pytest.raises(InputError, match=r"no host 'n9' \(one of n1, n2, n3, n4\)"):
        namespaces.run("n9", ["true"])


def test_a_lab_that_is_not_up_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = open_lab("quiet")
    assert lab.status() == []
    lab.down()
    with pytest.raises(OutsideError, match="lab quiet is not up"):
        lab.run("a", ["true"])
    with pytest.raises(InputError, match="not a valid name for a lab"):
        open_lab("../elsewhere")

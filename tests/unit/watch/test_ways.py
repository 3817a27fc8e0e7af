"""The way to a host is the one that Ansible would take, and its secrets go through the socket alone."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from ringfence.rollout import run_playbook
from ringfence.watch.ways import Way, told_ways

HOSTS = {
    "plain": {"ansible_host": "192.0.2.1", "ansible_user": "ops", "ansible_port": 2222},
    "behind": {"ansible_ssh_common_args": "-J jump.example"},
    "asks": {
        "ansible_password": "ssh-s3cret",
        "ansible_become": True,
        "ansible_become_password": "{{ 'root-' ~ 's3cret' }}",
    },
    "here": {"ansible_connection": "local"},
    "windows": {"ansible_connection": "winrm"},
    "odd": {"ringfence_enforcer": "no_such"},
}


def test_each_host_has_the_connection_that_its_inventory_gives_it(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": HOSTS}}))
    said: list[str] = []
    with told_ways() as (path, ways):
        given = {"ringfence_watch_socket": str(path), "ringfence_enforcers": {"plain": "iptables"}}
        result = run_playbook("watch", [inventory], given, lambda event: said.append(repr(event)), directory=tmp_path)
    assert sorted(ways) == ["asks", "behind", "here", "plain"], result
    assert "winrm" in result.hosts["windows"].reason
    assert "no_such" in result.hosts["odd"].reason

    plain = ways["plain"]
    words = " ".join(plain.command)
    assert plain.command[0].endswith("ssh")
    assert words.index("ControlMaster=no") < words.index("ControlMaster=auto")
    assert "Port=2222" in words
    assert plain.command[-2] == "192.0.2.1"
    assert "exec /bin/sh -s" in plain.command[-1]
    assert "ipset" in plain.script
    assert "ipset" not in ways["behind"].script
    assert "-J" in ways["behind"].command
    assert "jump.example" in ways["behind"].command
    assert ways["here"].command[:2] == ("/bin/sh", "-c")

    asks = ways["asks"]
    assert (asks.password, asks.become) == ("ssh-s3cret", "root-s3cret")
    assert asks.prompt.startswith("[sudo via ansible")
    assert asks.success in asks.command[-1]
    assert "PasswordAuthentication=no" not in " ".join(asks.command)
    assert "s3cret" not in " ".join(asks.command)
    assert "s3cret" not in "".join(said)
    assert (plain.password, plain.become, plain.prompt) == (None, None, "")


@pytest.mark.parametrize(
    "told", [b"x\n", b"{}\n", b'{"command": []}\n', b"[1]\n", b'{"command": [1], "host": "a"}\n', b""]
)
def test_what_is_no_way_is_passed_over(told: bytes) -> None:
    with told_ways() as (path, ways):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.connect(str(path))
            link.sendall(told)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.connect(str(path))
            way = {"host": "a", "command": ["ssh"], "script": "", "prompt": "", "success": ""}
            link.sendall(json.dumps(way).encode() + b"\n")
    assert ways == {"a": Way("a", ("ssh",), "")}

"""What OpenSSH is told of a host, and what --direct refuses by the name of its variable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from ringfence.model.errors import InputError
from ringfence.operations.direct_ssh import ssh_command
from ringfence.sources.ansible_settings import AnsibleSettings

NOTHING = AnsibleSettings(None, {})


def words(attributes: Mapping[str, object], values: Mapping[tuple[str, str], str] | None = None) -> list[str]:
    settings = NOTHING if values is None else AnsibleSettings(Path("/srv/firewall/ansible.cfg"), values)
    return list(ssh_command("web-1", attributes, settings))


def test_the_inventory_says_where_by_whom_and_over_what() -> None:
    found = words(
        {
            "ansible_host": "10.0.0.1",
            "ansible_port": 2222,
            "ansible_user": "admin",
            "ansible_ssh_private_key_file": "/keys/one",
            "ansible_ssh_common_args": "-J jump@10.0.0.9 -o 'UserKnownHostsFile=/a b'",
            "ansible_become": True,
        }
    )
    assert found[-3:] == ["--", "10.0.0.1", "exec sudo -n /bin/sh -s"]
    assert found[found.index("-J") : found.index("-J") + 4] == ["-J", "jump@10.0.0.9", "-o", "UserKnownHostsFile=/a b"]
    for option, value in (("-p", "2222"), ("-l", "admin"), ("-i", "/keys/one")):
        assert found[found.index(option) + 1] == value
    assert found.index("BatchMode=yes") < found.index("-J")


def test_ansible_cfg_says_what_the_inventory_leaves_out() -> None:
    said = {("defaults", "private_key_file"): "keys/id", ("privilege_escalation", "become"): "true"}
    found = words({}, {**said, ("defaults", "remote_user"): "root", ("defaults", "host_key_checking"): "False"})
    assert found[-2:] == ["web-1", "exec /bin/sh -s"]
    assert found[found.index("-i") + 1] == "/srv/firewall/keys/id"
    assert "StrictHostKeyChecking=no" in found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ansible_connection", "winrm"),
        ("ansible_shell_type", "powershell"),
        ("ansible_user", "{{ admin }}"),
        ("ansible_ssh_common_args", "-o 'x"),
        ("ansible_host", "-oProxyCommand=x"),
    ],
)
def test_what_only_ansible_can_do_is_refused(name: str, value: str) -> None:
    with pytest.raises(InputError, match="web-1"):
        words({name: value})


def test_only_sudo_to_root_is_a_way_to_root() -> None:
    for more in ({"ansible_become_method": "su"}, {"ansible_become_user": "db"}):
        with pytest.raises(InputError, match="becomes"):
            words({"ansible_become": "yes", **more})

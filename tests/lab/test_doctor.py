"""The doctor on real hosts: without a packet filter, with a wrong clock, with no way to root, and gone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ringfence.lab.session import Lab

pytestmark = pytest.mark.lab
# Every host of the lab has a view of the file system of its own, so what is mounted over a file is that host's alone.
NO_FILTER = "for one in $(which -a nft ipset); do mount --bind /dev/null $one; done"
WRONG_CLOCK = (
    'cp $(which date) /run/date; printf \'#!/bin/sh\\n/run/date -d "3 days" "$@"\\n\' >/run/wrong; chmod +x /run/wrong;'
    " mount --bind /run/wrong $(readlink -f $(which date))"
)
NO_ROOT = (
    "echo 'ops:x:4711:4711::/tmp:/bin/sh' >>/etc/passwd; chmod 755 /run;"
    " printf '#!/bin/sh\\necho sudo: a password is required >&2\\nexit 1\\n' >/run/sudo; chmod 755 /run/sudo"
)


def test_one_hosts_trouble_costs_its_own_lines_and_every_line_has_a_remedy(namespaces: Lab, tmp_path: Path) -> None:
    for host, broken in (("n1", NO_FILTER), ("n2", WRONG_CLOCK), ("n3", NO_ROOT)):
        done = namespaces.run(host, ["sh", "-c", broken])
        assert done.returncode == 0, done.stderr
    namespaces.switch_off("n4")
    workspace = tmp_path / "ws"
    (workspace / "inventory").mkdir(parents=True)
    (workspace / "inventory/10-lab.yml").write_text(namespaces.inventory_path.read_text())
    login = {"ansible_user": "ops", "ansible_become": True, "ansible_become_exe": "/run/sudo"}
    (workspace / "inventory/20-ops.yml").write_text(json.dumps({"all": {"hosts": {"n3": login}}}))
    (workspace / "ringfence.yml").write_text("control: {from: [192.0.2.0/24]}\n")

    program = [sys.executable, "-m", "ringfence.cli", "doctor", "--json", "--seconds", "30"]
    done = subprocess.run(program, cwd=workspace, text=True, capture_output=True, timeout=900)

    assert done.returncode == 1, done.stderr
    checks = json.loads(done.stdout)["checks"]
    found = {(one["host"], one["name"]): one for one in checks}
    assert found["", "collection"]["status"] == "ok"
    assert all(one["remedy"] for one in checks if one["status"] != "ok")
    assert found["n1", "nft"]["status"] == "fail"
    assert found["n1", "nft"]["detail"].startswith("there is no nft; nor is iptables usable")
    assert found["n1", "clock"]["status"] == "ok"
    assert (found["n2", "clock"]["status"], found["n2", "clock"]["detail"]) == ("fail", "3 days ahead of this machine")
    assert found["n2", "nft"]["status"] == "ok"
    assert found["n3", "ssh"]["detail"] == "logs in as ops"
    assert (found["n3", "root"]["status"], found["n3", "root"]["detail"]) == ("fail", "Missing sudo password")
    assert [name for host, name in found if host == "n4"] == ["ssh"]
    assert found["n4", "ssh"]["status"] == "fail"
    assert found["n1", "control"]["status"] == "fail", "Ansible does not come from 192.0.2.0/24"

"""A lab of a user without any privilege: whole, reachable, with rules of its own, and honest about what it lacks."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.lab import cgroups

from tests.lab.leftovers import seen_from_outside
from tests.lab.strangers import Stranger, made_stranger
from tests.rollout_plans import PlanMaker, Wanted

pytestmark = pytest.mark.lab

WHOLE_LIFE = """
lab.up(HOSTS, "auto", stay=False)
ask = "import socket, sys; [print(socket.create_connection((a, 7000), 2).getpeername()[0]) for a in sys.argv[1:]]"
print(json.dumps({
    "kind": [host.kind for host in lab.status()],
    "root": lab.run("a", ["id", "-u"]).stdout,
    "name": lab.run("b", ["hostname"]).stdout,
    "reached": lab.exec("b", ["python3", "-c", ask, *lab.hosts()[0].addresses]).stdout.split(),
    "addresses": lab.hosts()[0].addresses,
    "rules": lab.run("c", ["sh", "-c", "nft add table inet ringfence; nft list tables"]).stdout,
    "other rules": lab.run("b", ["nft", "list", "tables"]).stdout,
    "restarted": lab.reboot("c"),
    "rules after": lab.run("c", ["nft", "list", "tables"]).stdout,
}))
lab.down()
"""
UNIT_RULE = """
lab.up(HOSTS, "namespaces", stay=False)
RULES = '''
add table inet ringfence
add chain inet ringfence in { type filter hook input priority 0; policy accept; }
add rule inet ringfence in tcp dport 7000 socket cgroupv2 level 2 "system.slice/echo.service" reject
'''
done = lab.exec("a", ["nft", "-f", "-"], input=RULES)
ask = ["python3", "-c", f"import socket; socket.create_connection(({lab.hosts()[0].addresses[0]!r}, 7000), 2)"]
print(json.dumps([done.returncode, done.stderr, "ConnectionRefusedError" in lab.exec("b", ask).stderr]))
lab.down()
"""
REFUSED = """
try:
    lab.up(HOSTS, sys.argv[1], stay=False)
except RingfenceError as error:
    print(json.dumps([str(error), (Path.home() / "lab").exists()]))
"""
KILLED_HALFWAY = """
lab.up(HOSTS, "namespaces", lambda text, _: os.kill(os.getpid(), 9) if text == "c starts" else None)
"""
ROLLED_OUT = """
plan = sys.argv[1]
lab.up(HOSTS, "namespaces", stay=False)
ask = f"import socket; socket.create_connection(({lab.hosts()[0].addresses[0]!r}, 7000), 1)"
seen = {}
for name in ("rollout", "verify", "remove"):
    seen[name] = {
        "said": play(name, plan),
        "reached": lab.exec("b", ["python3", "-c", ask]).returncode == 0,
        "tables": lab.exec("a", ["nft", "list", "tables"]).stdout,
    }
lab.down()
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    """A user made for these tests."""
    with made_stranger() as stranger:
        yield stranger


def test_a_user_without_privileges_has_a_whole_lab_and_nothing_is_left_of_it(stranger: Stranger) -> None:
    before = seen_from_outside()
    done = stranger.run(WHOLE_LIFE)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["kind"] == ["namespaces"] * 3
    assert seen["root"] == "0\n"
    assert seen["name"] == "b\n"
    assert seen["reached"] == seen["addresses"]
    assert seen["rules"] == "table inet ringfence\n"
    assert seen["other rules"] == seen["rules after"] == ""
    stranger.await_end()
    assert not (stranger.home / "lab").exists()
    assert seen_from_outside() == before


def test_a_user_without_privileges_applies_verifies_and_removes(stranger: Stranger) -> None:
    closed = Wanted(allow={None: (1,)})
    plan = PlanMaker(stranger.home).write(dict.fromkeys(("a", "b", "c"), closed), waves=[["a"], ["b", "c"]])
    stranger.owns(stranger.home / "plans", plan)
    done = stranger.run_with_ansible(ROLLED_OUT, str(plan), timeout=600)
    assert done.returncode == 0, done.stderr
    ours_stands = "table inet ringfence\n"
    assert json.loads(done.stdout) == {
        "rollout": {"said": "", "reached": False, "tables": ours_stands},
        "verify": {"said": "", "reached": False, "tables": ours_stands},
        "remove": {"said": "", "reached": True, "tables": ""},
    }
    stranger.await_end()


def test_a_rule_can_name_a_unit_where_a_control_group_is_delegated(stranger: Stranger) -> None:
    own = cgroups.own()
    if own is None or not cgroups.may_divide(own):
        pytest.skip("no writable cgroup2 to delegate")
    group = own / f"{stranger.name}-delegated"
    group.mkdir()
    for path in (group, group / "cgroup.procs", group / "cgroup.threads", group / "cgroup.subtree_control"):
        shutil.chown(path, stranger.name)
    try:
        done = stranger.run(UNIT_RULE, group=group)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [0, "", True]
    finally:
        cgroups.remove(group)


def test_without_a_delegated_control_group_the_lack_of_process_rules_is_said(stranger: Stranger) -> None:
    done = stranger.run("print([str(lack) for lack in probe().processes])")
    assert "no delegated cgroup2" in done.stdout, done.stderr
    assert "systemd-run --user --scope -p Delegate=yes" in done.stdout


def test_machines_are_refused_without_root_and_nothing_is_begun(stranger: Stranger) -> None:
    message, begun = json.loads(stranger.run(REFUSED, "machines").stdout)
    assert "machines boot as root only" in message
    assert not begun


def test_without_subordinate_ids_the_package_and_the_command_are_named(stranger: Stranger) -> None:
    line = next(line for line in Path("/etc/subuid").read_text().splitlines() if line.startswith(f"{stranger.name}:"))
    first, count = map(int, line.split(":")[1:])
    ids = f"{first}-{first + count - 1}"
    subprocess.run(["usermod", "--del-subuids", ids, "--del-subgids", ids, stranger.name], check=True)
    try:
        message, begun = json.loads(stranger.run(REFUSED, "namespaces").stdout)
    finally:
        subprocess.run(["usermod", "--add-subuids", ids, "--add-subgids", ids, stranger.name], check=True)
    assert "sshd cannot drop its privileges" in message
    assert "uidmap" in message
    assert "usermod --add-subuids" in message
    assert not begun


def test_a_lab_whose_user_was_killed_halfway_ends_by_itself(stranger: Stranger) -> None:
    before = seen_from_outside()
    assert stranger.run(KILLED_HALFWAY).returncode != 0
    stranger.await_end()
    assert seen_from_outside() == before
    assert stranger.run("lab.down(); print(lab.directory.exists())").stdout == "False\n"

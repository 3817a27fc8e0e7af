"""Emergencies over bare ssh: what hosts answer, do not answer, and what ssh cannot do."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ringfence.model.assets import Control
from ringfence.operations.direct_runner import PROGRAM, DirectRunner
from ringfence.rollout import Event, Interrupted, PlaybookResult
from ringfence.rollout.cancellation import Cancellation

from tests.unit.estate_factory import asset

LINES = "emergency q-00000001 quarantine 1 0 alice scans\nelement isolated all\n"
# What stands for ssh: it answers by the name of the host, which is its last word but one.
SSH = """#!/bin/sh
while [ $# -gt 2 ]; do shift; done
[ "$1" = slow ] && exec sleep 60
cat >/dev/null
case $1 in
refuses) printf 'ringfence:refused=lockout\\nringfence:reason=it would cut off 10.0.0.1\\n' ;;
gone) echo 'ssh: connect to host gone port 22: No route to host' >&2; exit 255 ;;
rekeyed) sed -n '/^@@@/,$p' "$0" >&2; exit 255 ;;
floods) exec cat /dev/zero ;;
scolds) head -c 9000000 /dev/zero | tr '\\0' x >&2; printf 'ringfence:state=held\\nringfence:changed=yes\\n' ;;
half) printf 'ringfence:state=held\\nringfence:begin emergency\\nemergency q-0000' ;;
escapes) printf 'ringfence:refused=x\\nringfence:reason=\\033]0;owned\\007\\n' ;;
nothing) exit 0 ;;
without) printf 'ringfence:state=held\\nringfence:changed=yes\\n' ;;
esac
exit
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
The fingerprint for the ED25519 key sent by the remote host is
SHA256:ENFsOwGkCNTPeoSuys/kQPFK7q9Vj0+ZjTaPpHwnX3I.
Please contact your system administrator.
Add correct host key in /home/alice/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/alice/.ssh/known_hosts:1
  remove with:
  ssh-keygen -f "/home/alice/.ssh/known_hosts" -R "10.0.0.2"
Host key for 10.0.0.2 has changed and you have requested strict checking.
Host key verification failed.
"""


def asked(directory: Path, hosts: dict[str, dict[str, object]], cancel: Cancellation | None = None) -> PlaybookResult:
    ssh = directory / "ssh"
    ssh.write_text(SSH)
    ssh.chmod(0o755)
    assets = {
        name: replace(asset(name, "10.0.0.2"), attributes={"ansible_ssh_executable": str(ssh), **attributes})
        for name, attributes in hosts.items()
    }
    events: list[Event] = []
    result = DirectRunner(assets, Control(("10.0.0.0/24",)))(
        "quarantine",
        [],
        {"ringfence_emergency": dict.fromkeys(hosts, LINES), "ringfence_enforcers": {}},
        events.append,
        directory=directory,
        limit=(),
        expected=sorted(hosts),
        check=False,
        cancel=cancel or Cancellation(),
    )
    assert len(events) == len([one for one in hosts if one != "windows"])
    return result


def test_each_host_is_told_by_its_own_answer(tmp_path: Path) -> None:
    found = asked(
        tmp_path, {"refuses": {}, "gone": {}, "without": {}, "windows": {"ansible_connection": "winrm"}}
    ).hosts
    assert {name: (one.state, one.ok) for name, one in found.items()} == {
        "refuses": ("refused", False),
        "gone": ("unreachable", False),
        "without": ("held", True),
        "windows": ("refused", False),
    }
    assert found["refuses"].reason == "it would cut off 10.0.0.1"
    assert "No route to host" in found["gone"].reason
    assert found["without"].result["emergencies"] == ""  # its kernel was read to hold nothing
    assert "winrm" in found["windows"].reason


def test_a_changed_host_key_is_the_reason_that_comes_first(tmp_path: Path) -> None:
    found = asked(tmp_path, {"rekeyed": {}}).hosts["rekeyed"]
    assert found.state == "unreachable"
    assert found.reason.startswith("Host key verification failed: the key of 10.0.0.2 has changed. Offending ED25519")
    assert found.reason.endswith('ssh-keygen -f "/home/alice/.ssh/known_hosts" -R "10.0.0.2"')


def test_a_host_that_never_stops_talking_takes_no_memory_of_the_controller(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    found = asked(tmp_path, {name: {} for name in ("floods", "scolds", "half", "escapes", "nothing", "without")}).hosts
    assert {name: (one.state, one.ok) for name, one in found.items()} == {
        "floods": ("unknown", False),
        "scolds": ("held", True),
        "half": ("unknown", False),
        "escapes": ("refused", False),
        "nothing": ("failed", False),
        "without": ("held", True),
    }
    assert "longer than 8 MB" in found["floods"].reason
    assert all(one.reason.isprintable() for one in found.values())
    # the largest process that ended, in KB: without a limit it grows by gigabytes
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 200_000)


def test_where_the_command_was_killed_what_still_tells_hosts_ends_without_a_traceback(tmp_path: Path) -> None:
    job = {"command": ["/bin/sh", "-c", "cat >/dev/null; echo ringfence:state=held"], "enforcer": "nftables"}
    order = {"verb": "release", "at_once": 2, "hosts": {name: {**job, "given": "q-00000001"} for name in "abc"}}
    with subprocess.Popen(
        [sys.executable, "-m", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(json.dumps(order).encode())
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_what_is_cancelled_ends_with_every_ssh(tmp_path: Path) -> None:
    cancel = Cancellation()
    from threading import Timer

    Timer(0.3, cancel.cancel).start()
    with pytest.raises(Interrupted) as stopped:
        asked(tmp_path, {"slow": {}}, cancel)
    assert not stopped.value.result.hosts["slow"].ok


def test_the_isolated_host_is_begun_before_its_peers_which_do_not_wait_for_it_long(tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"
    # the isolated one answers only once a peer has been begun
    ssh.write_text(f"""#!/bin/sh
case "$*" in *"-G -- "*) exit 1 ;; esac
while [ $# -gt 2 ]; do shift; done
echo "$1" >>{tmp_path}/begun
if [ "$1" = zeus ]; then until grep -q ant {tmp_path}/begun; do sleep 0.1; done; fi
printf 'ringfence:state=held\\nringfence:changed=yes\\n'
""")
    ssh.chmod(0o755)
    assets = {
        name: replace(asset(name, "10.0.0.2"), attributes={"ansible_ssh_executable": str(ssh)})
        for name in ("ant", "bee", "zeus")
    }
    refuse = "emergency q-00000001 quarantine 1 0 alice scans\nelement quarantined 10.0.0.9\n"
    found = DirectRunner(assets, None)(
        "quarantine",
        [],
        {"ringfence_emergency": {"ant": refuse, "bee": refuse, "zeus": LINES}, "ringfence_enforcers": {}},
        lambda _event: None,
        directory=tmp_path,
        limit=(),
        expected=["ant", "bee", "zeus"],
        check=False,
        cancel=Cancellation(),
    )
    assert all(one.ok for one in found.hosts.values())
    assert (tmp_path / "begun").read_text().split()[0] == "zeus"

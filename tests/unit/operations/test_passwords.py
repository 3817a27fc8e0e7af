"""Ansible's passwords go through pipes alone: no argument, no environment, no file of a run has them."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from ringfence.operations.passwords import BECOME, VAULT, Passwords
from ringfence.rollout.runs import run_directories

from tests.hostile_host import HostileHost
from tests.unit.cli_shop import ringfence, shop

SECRET = "correct horse battery"
SETTINGS = 'control: {from: [10.0.0.0/24, "fd00::/64"], port: 22}\nwaves: [10]\n'
SHELL = """#!/bin/sh
case $2 in
*"echo ~"* | *"umask 77"* | *"chmod u+"* | "rm -f -r /"*) exec /bin/sh "$@" ;;
*"{sudo}"*) exec /bin/sh "$@" ;;
*) exit 1 ;;
esac
"""
# Asks as sudo does, notes what it was told and runs nothing.
SUDO = """#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in -p) printf %s "$2" >&2; shift ;; *BECOME-SUCCESS-*) said=$1 ;; esac
    shift
done
read -r told
printf %s "$told" >{told}
printf '%s\\n' "$said" | grep -o 'BECOME-SUCCESS-[a-z]*'
exec sleep 600
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def test_everyone_who_reads_gets_the_whole_password_once(tmp_path: Path) -> None:
    with Passwords(SECRET, "vault").offered():
        path = Path(os.environ[BECOME])
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [path.read_text() for _ in range(20)] == [f"{SECRET}\n"] * 20
        assert Path(os.environ[VAULT]).read_text() == "vault\n"

    assert BECOME not in os.environ
    assert VAULT not in os.environ
    assert not path.parent.exists()


def test_readers_that_go_away_take_it_from_nobody(tmp_path: Path) -> None:
    with Passwords(SECRET).offered():
        path = Path(os.environ[BECOME])
        for _ in range(20):
            path.open("rb").close()
        assert path.read_text() == f"{SECRET}\n"


def test_ansible_opens_a_vault_with_it(tmp_path: Path) -> None:
    plain, locked = tmp_path / "plain.yml", tmp_path / "locked.yml"
    plain.write_text("answer: 42\n")
    command = str(Path(sys.executable).with_name("ansible-vault"))
    with Passwords(vault=SECRET).offered():
        subprocess.run([command, "encrypt", "--output", locked, plain], check=True, capture_output=True)
        shown = subprocess.run([command, "view", locked], check=True, capture_output=True, text=True)

    assert "42" not in locked.read_text()
    assert shown.stdout == "answer: 42\n"


def test_vaulted_variables_of_an_inventory_are_opened_with_it(tmp_path: Path) -> None:
    workspace = shop(
        tmp_path / "shop", {"inventory/group_vars/all.yml": "ringfence_labels: {app: shop, env: secret}\n"}
    )
    given = tmp_path / "given"
    given.write_text(f"#!/bin/sh\necho '{SECRET}'\n")
    given.chmod(0o700)
    command = str(Path(sys.executable).with_name("ansible-vault"))
    with Passwords(vault=SECRET).offered():
        subprocess.run(
            [command, "encrypt", workspace / "inventory/group_vars/all.yml"], check=True, capture_output=True
        )

    closed = ringfence(workspace, "check")
    assert closed.exit_code == 2
    assert "--vault-password-file FILE" in closed.output
    for command in ("check", "assets", "plan"):
        opened = ringfence(workspace, command, "--vault-password-file", str(given))
        assert opened.exit_code == 0, opened.output
        assert SECRET not in opened.output


def test_no_password_is_printed_with_the_value(tmp_path: Path) -> None:
    assert SECRET not in repr(Passwords(SECRET, SECRET))


def until(true: object) -> None:
    deadline = time.monotonic() + 240
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.2)


def spread(of: bytes, below: Path, spared: Path) -> list[str]:
    """Return where a text stands: arguments and environments of all processes, and files below a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with suppress(OSError):
                if of in (process / name).read_bytes():
                    found.append(f"{process}/{name}")
    for path in below.rglob("*"):
        with suppress(OSError):
            if path.is_file() and path not in (spared, spared.with_name("told")) and of in path.read_bytes():
                found.append(str(path))
    return found


def test_a_run_becomes_root_with_a_password_that_nothing_keeps(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    told, given = tools / "told", tools / "given"
    for name, text in (
        ("sudo", SUDO.format(told=told)),
        ("shell", SHELL.format(sudo=tools / "sudo")),
        ("given", SECRET),
    ):
        (tools / name).write_text(text)
        (tools / name).chmod(0o600 if name == "given" else 0o755)
    host = HostileHost(
        tmp_path / "host",
        variables={
            "ringfence_addresses": ["10.0.1.1"],
            "vm": {"role": "web"},
            "ansible_shell_executable": str(tools / "shell"),
            "ansible_become": True,
            "ansible_become_exe": str(tools / "sudo"),
            "ansible_become_user": "operator",  # Ansible becomes nobody that it is already
        },
    )
    workspace = shop(tmp_path / "shop", {"ringfence.yml": SETTINGS, "inventory/hosts.yml": host.inventory.read_text()})
    (workspace / "policy/tests/shop.yml").unlink()
    (workspace / "policy/shop.yml").write_text("enforce:\n  - where: any\n    mode: full\n")
    now = {"SOURCE_DATE_EPOCH": str(int(time.time()))}
    assert ringfence(workspace, "plan", "--no-flows", env=now).exit_code == 0

    words = ["apply", "latest", "--become-password-file", str(given), "--workspace", str(workspace)]
    command = subprocess.Popen(
        [sys.executable, "-m", "ringfence.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        until(lambda: told.exists() and told.read_text())
        assert told.read_text() == SECRET
        assert spread(SECRET.encode(), tmp_path, given) == []
    finally:
        command.send_signal(signal.SIGINT)
        said, _ = command.communicate(timeout=240)

    assert command.returncode == 130, said
    assert SECRET not in said
    assert spread(SECRET.encode(), tmp_path, given) == []
    assert len(run_directories(workspace / ".ringfence")) == 1
    assert list((tmp_path / "state/ringfence/runs").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-K"], "--become-password-file FILE"),
        (["-J"], "--vault-password-file FILE"),
        (["-K", "--become-password-file", "given"], "exclude each other"),
        (["--become-password-file", "/nothing/there"], "No such file"),
        (["--vault-password-file", "/dev/null"], "there is no password in it"),
        (["--become-password-file", __file__], "this is longer than a password"),
    ],
)
@pytest.mark.parametrize("command", ["apply latest", "confirm", "rollback", "verify", "info", "flows collect", "plan"])
def test_what_gives_no_password_is_refused_before_anything_is_done(
    tmp_path: Path, command: str, words: list[str], message: str
) -> None:
    refused = ringfence(shop(tmp_path / "shop"), *command.split(), *words)

    assert refused.exit_code == 2, refused.output
    assert message in refused.output

"""Which key exchange ssh tries first where seconds count: what is quick, unless somebody has said another order."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets import quick_key_exchange
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.quick_key_exchange import (
    quick_exchange_of,
    with_quick_exchange,
)

needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh here (openssh-client)")
OLD = "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256,ecdh-sha2-nistp256"
NEW = "mlkem768x25519-sha256,curve25519-sha256"
BETWEEN = "sntrup761x25519-sha512,mlkem768x25519-sha256,curve25519-sha256"


def client(directory: Path, usual: str, effective: str) -> str:
    """Return a client that has an order of its own, and one that its configuration gives it."""
    path = directory / "ssh"
    path.write_text(
        f'#!/bin/sh\n[ "$2" = none ] && kex={usual} || kex={effective}\n'
        'case "$*" in *"-G -- "*) printf "host x\\nkexalgorithms %s\\n" "$kex" ;; *) exit 9 ;; esac\n'
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("usual", "first"),
    [
        (OLD, "curve25519-sha256,ecdh-sha2-nistp256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com"),
        (BETWEEN, "mlkem768x25519-sha256,curve25519-sha256,sntrup761x25519-sha512"),
    ],
)
def test_slow_exchanges_come_last_and_stay(tmp_path: Path, usual: str, first: str) -> None:
    ssh = client(tmp_path, usual, usual)
    command = [ssh, "-l", "root", "--", "db-1", "exec /bin/sh -s"]
    exchange = ["-o", f"KexAlgorithms={first}"]
    assert with_quick_exchange(command) == [ssh, "-l", "root", *exchange, "--", "db-1", "exec /bin/sh -s"]


@pytest.mark.parametrize(
    ("usual", "effective"), [(OLD, "curve25519-sha256"), (OLD, f"diffie-hellman-group1-sha1,{OLD}"), (NEW, NEW)]
)
def test_an_order_that_somebody_gave_or_that_is_quick_is_left(tmp_path: Path, usual: str, effective: str) -> None:
    command = [client(tmp_path, usual, effective), "--", "db-1", "exec /bin/sh -s"]
    assert with_quick_exchange(command) == command


@pytest.mark.parametrize(
    "command", [["/nonexistent/ssh", "--", "a", "b"], ["/bin/false", "--", "a", "b"], ["sh", "-s"]]
)
def test_a_client_that_does_not_tell_is_left(command: list[str]) -> None:
    assert with_quick_exchange(command) == command


def orders(directory: Path, configuration: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[list[str]], int]:
    """Return what threads find for 20 hosts of equal arguments, and how often OpenSSH's client was started for it.

    What that client tries first counts as slow, whichever it is.
    """
    path, file = directory / "ssh", directory / "config"
    path.write_text(f'#!/bin/sh\necho "$*" >>"{directory}/asked"\nexec ssh "$@"\n')
    path.chmod(0o755)
    file.write_text(configuration)
    told = subprocess.run(["ssh", "-F", "none", "-G", "--", "localhost"], capture_output=True, text=True).stdout
    usual = next(line.split()[1] for line in told.splitlines() if line.startswith("kexalgorithms "))
    monkeypatch.setattr(quick_key_exchange, "SLOW", usual.split(",")[0])
    commands = [[str(path), "-F", str(file), "--", f"db-{number}", "true"] for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(with_quick_exchange, commands))
    return [each[3:-3] for each in found], len((directory / "asked").read_text().splitlines())


@needs_ssh
def test_a_client_is_asked_once_for_hosts_that_its_files_cannot_tell_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "more").write_text("Host db-3\n  Port 2222\nMatch host db-4\n  User root\n")
    found, starts = orders(tmp_path, f"LogLevel QUIET\nInclude {tmp_path}/more\nHost db-1\n  User x\n", monkeypatch)
    assert found[0][1].startswith("KexAlgorithms=")
    assert all(each == found[0] for each in found)
    assert starts == 2


@needs_ssh
@pytest.mark.parametrize("how", ["Host db-7\n {}", 'Match host db-7\n "{}', "Host db-7\n Include DIRECTORY/own"])
def test_the_order_of_one_host_is_found_among_hosts_of_equal_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    own = "kexalgorithms" + ('"' if '"' in how else " =") + " curve25519-sha256"
    (tmp_path / "own").write_text(own)
    found, _ = orders(tmp_path, how.format(own).replace("DIRECTORY", str(tmp_path)) + "\n", monkeypatch)
    assert found[7] == []
    assert found[0][1].startswith("KexAlgorithms=")
    assert all(each == found[0] for number, each in enumerate(found) if number != 7)


class Connection:
    """Ansible's own connection over OpenSSH, as far as its options go."""

    transport = "ssh"

    def __init__(self, client: str, become: dict[str, str] | None = None, **options: object) -> None:
        self.become = None if become is None else SimpleNamespace(get_option=become.get)
        self._options = {"ssh_executable": client, "host": "db-1", **options}

    def get_option(self, name: str) -> object:
        return self._options.get(name)


def test_a_connection_of_ansible_tries_slow_exchanges_last(tmp_path: Path) -> None:
    path = client(tmp_path, OLD, OLD)
    connection = Connection(path, {}, ssh_args="-o Compression=yes -F 'a file'", port=2222, remote_user="root")
    found = quick_exchange_of(connection)
    assert found.startswith("-o KexAlgorithms=curve25519-sha256,")
    assert found.endswith(",sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com")


def test_a_connection_of_ansible_is_left_where_a_password_goes_over_it_or_an_order_is_given(tmp_path: Path) -> None:
    path = client(tmp_path, OLD, OLD)
    assert quick_exchange_of(Connection(path, password="x")) == ""
    assert quick_exchange_of(Connection(path, {"become_pass": "x"})) == ""
    assert quick_exchange_of(Connection(client(tmp_path, OLD, "curve25519-sha256"))) == ""
    other = Connection(path)
    other.transport = "winrm"
    assert quick_exchange_of(other) == ""

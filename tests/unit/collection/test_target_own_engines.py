"""A target asks its own engines: one that runs nothing here, or is another by name, keeps nobody waiting."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what root runs is told apart")
PODMAN = "case $1 in ps) echo 0a ;; inspect) echo /web 10.88.0.2 bridge ;; *) exit 1 ;; esac"
GONE = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"
SHELLS = ("dash", "busybox sh")


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return str(request.param).split()


def program(directory: Path, name: str, text: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def told(shell: list[str], directory: Path, words: str = "containers_now || echo nobody knows") -> list[str]:
    """Return what functions of the script print where these programs stand before all others."""
    apart = (
        f"runs={directory}\nPATH={directory}:$PATH\nhave() {{ case $1 in docker | podman) [ -e {directory}/$1 ] ;; "
        '*) command -v "$1" >/dev/null ;; esac; }\n'
    )
    environment = {
        "PATH": os.environ["PATH"], "DOCKER_HOST": "ssh://elsewhere", "DOCKER_CONTEXT": "elsewhere",
        "CONTAINER_HOST": "ssh://elsewhere",
    }  # fmt: skip
    done = subprocess.run(
        [*shell, "-s"], input=script() + apart + words, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.split("\n")[:-1]


@pytest.fixture
def shim(tmp_path: Path) -> subprocess.Popen[bytes]:
    """A process by the name of what keeps a container of Docker."""
    path = tmp_path / "containerd-shim-runc-v2"
    shutil.copy(shutil.which("sleep") or "", path)
    return subprocess.Popen([path, "100"])


def test_docker_that_runs_nothing_here_keeps_no_container_of_podman_from_its_rules(
    shell: list[str], tmp_path: Path
) -> None:
    program(tmp_path, "docker", GONE)
    program(tmp_path, "podman", PODMAN)
    assert told(shell, tmp_path) == ["web 10.88.0.2"]


def test_docker_that_does_not_answer_is_waited_for_where_something_of_it_runs(
    shell: list[str], tmp_path: Path, shim: subprocess.Popen[bytes]
) -> None:
    program(tmp_path, "docker", GONE)
    program(tmp_path, "podman", PODMAN)
    try:
        assert told(shell, tmp_path) == ["nobody knows"]
    finally:
        shim.kill()
        shim.wait()


@pytest.mark.parametrize("how", ["link", "script"])
def test_podman_by_the_name_of_docker_is_one_engine(shell: list[str], tmp_path: Path, how: str) -> None:
    program(tmp_path, "podman", PODMAN)
    if how == "link":
        (tmp_path / "docker").symlink_to(tmp_path / "podman")
    else:
        program(tmp_path, "docker", 'exec /usr/bin/podman "$@"')
    assert told(shell, tmp_path, "engines") == ["podman"]
    (tmp_path / "docker").unlink()
    program(tmp_path, "docker", GONE)
    assert told(shell, tmp_path, "engines") == ["docker", "podman"]


def test_engines_elsewhere_that_a_context_or_the_environment_names_are_not_asked(
    shell: list[str], tmp_path: Path
) -> None:
    says = 'echo "/$1 $DOCKER_HOST ${DOCKER_CONTEXT-here} ${CONTAINER_HOST-here}"'
    for name in ("docker", "podman"):
        program(tmp_path, name, says.replace("$1", name))
    words = "for one in $(engines); do $one ps 2>&1; done"
    assert told(shell, tmp_path, words) == [
        f"/{name} unix:///var/run/docker.sock here here" for name in ("docker", "podman")
    ]


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_that_gets_another_name_is_looked_at_again(shell: list[str], tmp_path: Path, engine: str) -> None:
    program(tmp_path, engine, 'echo "$@"')
    again, asked = told(shell, tmp_path, f"follow_engine {engine} | head -n 2")
    assert again == "again"
    assert "--filter event=rename" in asked


def test_a_name_that_two_engines_have_is_nobodys(shell: list[str], tmp_path: Path) -> None:
    program(tmp_path, "podman", PODMAN)
    program(
        tmp_path,
        "docker",
        "case $1 in ps) echo 0b ;; *) echo /web 172.17.0.9 bridge; echo /db 172.17.0.3 bridge ;; esac",
    )
    assert told(shell, tmp_path) == ["db 172.17.0.3"]


def test_an_address_that_is_missing_is_none_however_the_engine_says_so(shell: list[str], tmp_path: Path) -> None:
    """Docker 29 has a type for addresses, whose empty value is printed in words."""
    program(tmp_path, "docker", "case $1 in ps) echo 0b ;; *) echo '/web 172.17.0.2 invalid IP bridge' ;; esac")
    assert told(shell, tmp_path) == ["web 172.17.0.2"]

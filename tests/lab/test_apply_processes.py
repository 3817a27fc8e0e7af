"""Units at their real depth: exactly one element through restarts, crashes and whatever else happens to a service."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ringfence.lab.session import Lab

from tests.lab.rollouts import ECHO, Rollouts, Wanted, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.machines]
# nft 0.9.8 of bullseye cannot match units; the plan refuses them there by name.
RELEASES = ("bookworm", "trixie")
ECHO_ONLY = Wanted(allow={"echo.service": (ECHO,)})
ANSWER = "import socket; s = {socket}; [s.accept()[0].sendall(b'x') for _ in iter(int, 1)]"


def listener(port: int | str) -> str:
    """Return the command of a service that listens itself."""
    answer = ANSWER.format(socket=f"socket.create_server(('', {port}))")
    return f'/usr/bin/python3 -c "{answer}"'


@pytest.fixture
def rollouts(machines: Lab, tmp_path: Path) -> Iterator[Rollouts]:
    one = Rollouts(machines, tmp_path)
    yield one
    one.clear()
    for release in RELEASES:
        assert one.remains(release) == ""


def elements(rollouts: Rollouts, host: str) -> list[str]:
    """Return the cgroups in the maps of units on the way in."""
    listing = rollouts.sh(host, "nft -nn list table inet ringfence")
    return [word.strip('",') for word in listing.split() if word.strip('",').endswith((".service", ".socket"))]


def install(rollouts: Rollouts, host: str, name: str, text: str) -> None:
    rollouts.lab.exec(host, ["sh", "-c", f"cat >/etc/systemd/system/{name}"], input=text)
    rollouts.sh(host, "systemctl daemon-reload")


def uninstall(rollouts: Rollouts, host: str, *names: str) -> None:
    for name in names:
        rollouts.sh(host, f"systemctl stop {name}; rm -f /etc/systemd/system/{name}")
    rollouts.sh(host, "systemctl daemon-reload; systemctl reset-failed")


def test_a_unit_is_allowed_and_its_neighbour_denied(rollouts: Rollouts) -> None:
    plan = rollouts.apply(dict.fromkeys(RELEASES, ECHO_ONLY))
    assert rollouts.playbook_drift(plan) == {}
    for host in RELEASES:
        rollouts.answers(host)
        rollouts.sh(host, "systemctl stop echo.service")
        unit = f"[Service]\nExecStart={listener(ECHO)}\n"
        install(rollouts, host, "neighbour.service", unit)
        rollouts.sh(host, "systemctl start neighbour.service")
        assert not rollouts.reaches(host)
        uninstall(rollouts, host, "neighbour.service")
        rollouts.sh(host, "systemctl start echo.service")
        rollouts.answers(host)
    assert rollouts.drift(plan) == {}


def test_a_unit_has_exactly_one_element_through_a_hundred_restarts_and_crashes(rollouts: Rollouts) -> None:
    plan = rollouts.hold(dict.fromkeys(RELEASES, ECHO_ONLY))

    def restarts(host: str) -> None:
        unlimited = "printf '[Unit]\\nStartLimitIntervalSec=0\\n' >/run/systemd/system/echo.service.d/unlimited.conf"
        rollouts.sh(host, f"mkdir -p /run/systemd/system/echo.service.d; {unlimited}; systemctl daemon-reload")
        rollouts.sh(host, "for i in $(seq 100); do systemctl restart echo.service; done", timeout=120)
        assert elements(rollouts, host) == ["system.slice/echo.service"]
        rollouts.sh(
            host,
            "mkdir -p /run/systemd/system/echo.service.d; printf '[Service]\\nRestart=always\\nRestartSec=0\\n'"
            " >/run/systemd/system/echo.service.d/always.conf; systemctl daemon-reload",
        )
        for _ in range(3):
            before = rollouts.sh(host, "systemctl show -p MainPID --value echo.service")
            rollouts.sh(host, "systemctl kill -s KILL echo.service")
            wait_until(
                lambda before=before: (
                    rollouts.sh(host, "systemctl show -p MainPID --value echo.service") not in (before, "0\n")
                ),
                5,
            )
        rollouts.answers(host)
        assert elements(rollouts, host) == ["system.slice/echo.service"]
        rollouts.sh(host, "rm -r /run/systemd/system/echo.service.d; systemctl daemon-reload")
        rollouts.sh(host, "systemctl stop echo.service")
        assert elements(rollouts, host) == []
        rollouts.sh(host, "systemctl start echo.service")
        rollouts.answers(host)

    with ThreadPoolExecutor() as threads:
        list(threads.map(restarts, RELEASES))
    assert rollouts.drift(plan) == {}


def test_a_service_starts_also_when_the_table_is_gone(rollouts: Rollouts) -> None:
    rollouts.hold(dict.fromkeys(RELEASES, ECHO_ONLY))
    for host in RELEASES:
        rollouts.sh(host, "nft delete table inet ringfence; systemctl reset-failed; systemctl restart echo.service")
        assert rollouts.sh(host, "systemctl is-active echo.service") == "active\n"
        rollouts.answers(host)


def test_a_unit_that_does_not_run_yet_and_an_instance_of_a_template_are_followed(rollouts: Rollouts) -> None:
    for host in RELEASES:
        unit = f"[Service]\nSlice=system-deep-est.slice\nExecStart={listener('%i')}\n"
        install(rollouts, host, "late@.service", unit)
    wanted = Wanted(allow={"late@7001.service": (7001,), "never.service": (7002,)})
    plan = rollouts.hold(dict.fromkeys(RELEASES, wanted))
    for host in RELEASES:
        assert elements(rollouts, host) == []
        rollouts.sh(host, "systemctl start late@7001.service late@7003.service")
        rollouts.answers(host, 7001)
        path = "system.slice/system-deep.slice/system-deep-est.slice/late@7001.service"
        assert elements(rollouts, host) == [path]
        assert not rollouts.reaches(host, 7003)
    assert rollouts.drift(plan) == {}
    for host in RELEASES:
        uninstall(rollouts, host, "late@7001.service", "late@7003.service", "late@.service")


def test_units_whose_names_systemd_escapes_are_followed_through_restarts(rollouts: Rollouts) -> None:
    r"""`systemd-escape` writes what no name may hold as \xNN; the directory of a template's instances has it too."""
    names = {r"odd\x2dname.service": 7001, r"late\x2dones@a\x20b.service": 7002, "memory.service": 7003}
    for host in RELEASES:
        for name, port in names.items():
            text = f"[Service]\nExecStart={listener(port)}\n"
            install(rollouts, host, f"'{name.replace('@a' + chr(92) + 'x20b', '@')}'", text)
            rollouts.sh(host, f"systemctl start '{name}'")
    plan = rollouts.hold(dict.fromkeys(RELEASES, Wanted(allow={name: (port,) for name, port in names.items()})))
    for host in RELEASES:
        for name, port in names.items():
            rollouts.answers(host, port)
            rollouts.sh(host, f"systemctl restart '{name}'")
            rollouts.answers(host, port)
        assert len(elements(rollouts, host)) == len(names)
    assert rollouts.drift(plan) == {}
    for host in RELEASES:
        for name in names:
            rollouts.sh(host, f"systemctl stop '{name}'")
        assert elements(rollouts, host) == []
        rollouts.sh(
            host, r"rm -f /etc/systemd/system/odd* /etc/systemd/system/late* /etc/systemd/system/memory.service"
        )
        rollouts.sh(host, "systemctl daemon-reload; systemctl reset-failed")


def test_a_listener_that_a_socket_unit_opened_is_found(rollouts: Rollouts) -> None:
    for host in RELEASES:
        install(rollouts, host, "woken.socket", "[Socket]\nListenStream=7005\nAccept=yes\n")
        install(rollouts, host, "woken@.service", "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n")
        rollouts.sh(host, "systemctl start woken.socket")
        install(rollouts, host, "held.socket", "[Socket]\nListenStream=7006\n")
        answer = ANSWER.format(socket="socket.socket(fileno=3)")
        serve = f'/usr/bin/python3 -c "{answer}"'
        install(rollouts, host, "held.service", f"[Service]\nExecStart={serve}\n")
        rollouts.sh(host, "systemctl start held.socket")
    plan = rollouts.hold(dict.fromkeys(RELEASES, Wanted(allow={"held.service": (7006,)})))
    for host in RELEASES:
        rollouts.answers(host, 7006)
        assert not rollouts.reaches(host, 7005)
        rollouts.sh(host, "systemctl stop held.service; systemctl restart held.socket")
        rollouts.answers(host, 7006)
    assert rollouts.drift(plan) == {}
    for host in RELEASES:
        uninstall(rollouts, host, "held.socket", "held.service", "woken.socket", "woken@.service")


def test_units_are_enforced_again_after_a_reboot_and_after_the_distributions_service(rollouts: Rollouts) -> None:
    plan = rollouts.hold(dict.fromkeys(RELEASES, ECHO_ONLY))
    for host in RELEASES:
        rollouts.sh(host, "systemctl restart nftables.service")
        rollouts.answers(host)
        rollouts.sh(host, "systemctl stop nftables.service")
        rollouts.answers(host)
    rollouts.reboot(RELEASES)
    for host in RELEASES:
        rollouts.answers(host)
    assert rollouts.drift(plan) == {}


def test_an_element_of_no_planned_process_is_drift_and_so_is_a_missing_one(rollouts: Rollouts) -> None:
    plan = rollouts.hold({"trixie": ECHO_ONLY})
    rollouts.sh("trixie", "nft 'add element inet ringfence units_in_2 { \"system.slice/ssh.service\" : goto in_u0 }'")
    (told,) = rollouts.drift(plan)["trixie"]
    assert "system.slice/ssh.service" in told
    rollouts.sh("trixie", "nft flush map inet ringfence units_in_2")
    (told,) = rollouts.drift(plan)["trixie"]
    assert "echo.service is running" in told
    assert "do not apply" in told

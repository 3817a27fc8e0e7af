"""What a host answers to the doctor is judged value by value, and a hostile answer is a closed, short shape."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.doctor_answer import (
    KEYS,
    MOST_LETTERS,
    MOST_VALUES,
    answer_of,
    doctor_script,
    last_words,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.doctor import Check, Status, host_checks
from ringfence.doctor.hosts import unreached
from ringfence.enforcers import enforcer
from ringfence.model.assets import Control

from tests.examples import examples

CONTROL = Control(("10.9.0.0/24",))
WELL: dict[str, list[str]] = {
    "uid": ["0"],
    "login": ["root"],
    "time": ["1000"],
    "system": ["Linux"],
    "kernel": ["6.1.0-13-amd64"],
    "came_from": ["10.9.0.1"],
    "nft": ["1.0.6"],
    "nft_works": ["yes"],
    "cgroup2": ["yes"],
    "systemd": ["252"],
    "has": ["sha256sum", "awk", "sed", "tail", "wc", "flock", "ss", "getent"],
    "writable": ["/var/lib", "/run"],
    "room": ["/var/lib 1000000", "/run 1000000"],
    "python": ["3.11"],
    "complete": ["yes"],
}


EITHER = ("nftables", "iptables")
WITH_IPTABLES: dict[str, object] = {
    "iptables": ["1.8.9"],
    "iptables_works": ["yes"],
    "ipset": ["7.17"],
    "ipset_works": ["yes"],
    "has": [*WELL["has"], "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"],
}


def judged(
    changed: dict[str, object] | None = None, enforcers: tuple[str, ...] = EITHER, **result: object
) -> dict[str, Check]:
    values = {key: value for key, value in {**WELL, **(changed or {})}.items() if value is not None}
    answer = {"login": values, "root": values, "refused": "", "words": "", "clock": [999.5, 1000.5], **result}
    return {check.name: check for check in host_checks("web-1", answer, CONTROL, [*map(enforcer, enforcers)])}


def test_a_host_that_has_everything_is_well() -> None:
    checks = judged()
    assert {check.status for check in checks.values()} == {Status.OK}
    assert {check.host for check in checks.values()} == {"web-1"}
    assert checks["control"].detail == "Ansible comes from 10.9.0.1"


@pytest.mark.parametrize(
    ("changed", "name", "status", "detail"),
    [
        ({"nft": None}, "nft", Status.FAIL, "there is no nft"),
        ({"nft": None, "iptables": ["1.8.9"]}, "nft", Status.FAIL, "there is no nft; nor is iptables usable"),
        ({"nft": ["0.8.2"]}, "nft", Status.FAIL, "nft 0.8.2 is older than 0.9.3"),
        ({**WITH_IPTABLES, "nft": None}, "nft", Status.WARN, "there is no nft, so iptables is taken"),
        ({**WITH_IPTABLES, "nft": ["0.8.2"]}, "nft", Status.WARN, "older than 0.9.3, so iptables is taken"),
        ({**WITH_IPTABLES, "nft": None, "ipset": ["6.11"]}, "nft", Status.FAIL, "nor is iptables usable"),
        ({**WITH_IPTABLES, "nft_works": ["no"]}, "nft", Status.FAIL, "cannot list"),
        ({"nft_works": ["no"], "nft_said": ["Operation not permitted"]}, "nft", Status.FAIL, "Operation not permitted"),
        ({"kernel": ["4.19.0"]}, "kernel", Status.WARN, "4.19.0"),
        ({"cgroup2": ["no"]}, "kernel", Status.WARN, "without cgroup2"),
        ({"systemd": None}, "systemd", Status.WARN, "there is none"),
        ({"has": ["awk", "sed", "tail", "ss"]}, "tools", Status.FAIL, "no sha256sum, wc"),
        ({"has": ["sha256sum", "awk", "sed", "tail", "wc"]}, "tools", Status.WARN, "no flock, ss"),
        ({"writable": ["/run"]}, "/var/lib", Status.FAIL, "cannot be written"),
        ({"room": ["/var/lib 10", "/run 1000000"]}, "/var/lib", Status.FAIL, "0 MiB"),
        ({"room": ["/var/lib 1000000", "/run 51200"]}, "/run", Status.WARN, "50 MiB"),
        ({"room": ["/var/lib lots"]}, "/var/lib", Status.WARN, "not told"),
        ({"firewall": ["docker", "ufw", "x"]}, "firewalls", Status.WARN, "ufw, docker filter too"),
        ({"came_from": ["192.0.2.1"]}, "control", Status.FAIL, "192.0.2.1, which lies outside 10.9.0.0/24"),
        ({"time": ["900"]}, "clock", Status.WARN, "100 s behind"),
        ({"time": ["9000"]}, "clock", Status.FAIL, "2 h ahead of"),
        ({"time": ["x"]}, "clock", Status.WARN, "does not tell its time"),
        ({"system": ["FreeBSD"]}, "system", Status.FAIL, "it is FreeBSD, not Linux"),
        ({"complete": None}, "ssh", Status.FAIL, "no POSIX shell"),
    ],
)
def test_what_a_host_lacks_is_told_with_a_remedy(
    changed: dict[str, object], name: str, status: Status, detail: str
) -> None:
    check = judged(changed)[name]
    assert check.status is status
    assert detail in check.detail
    assert check.remedy


@pytest.mark.parametrize(("python", "why"), [(None, "no Python that works"), (["3.6"], "Python 3.6 is too old")])
def test_a_host_without_python_is_told_that_its_shell_takes_its_place(python: list[str] | None, why: str) -> None:
    check = judged({"python": python})["flows"]
    assert (check.status, why in check.detail, "the shell reads" in check.detail) == (Status.OK, True, True)


@pytest.mark.parametrize(
    ("changed", "name", "detail"),
    [
        ({"iptables": None}, "iptables", "there is no iptables"),
        ({"ipset": None}, "ipset", "there is no ipset"),
        ({"ipset": ["6.11"]}, "ipset", "ipset 6.11 is older than 6.38"),
        ({"iptables": ["1.4.7"]}, "iptables", "iptables 1.4.7 is older than 1.4.21"),
        ({"has": WELL["has"]}, "iptables", "there is no iptables-save, iptables-restore"),
        ({"ipset_works": ["no"], "ipset_said": ["Kernel error"]}, "ipset", "Kernel error"),
    ],
)
def test_a_host_of_iptables_is_asked_for_both_of_its_programs_and_not_for_nft(
    changed: dict[str, object], name: str, detail: str
) -> None:
    checks = judged({**WITH_IPTABLES, "nft": None, **changed}, ("iptables",))
    assert [one.name for one in checks.values() if one.status is not Status.OK] == [name]
    assert "nft" not in checks
    assert (checks[name].status, bool(checks[name].remedy)) == (Status.FAIL, True)
    assert detail in checks[name].detail


def test_a_host_of_iptables_that_has_both_programs_is_well() -> None:
    checks = judged({**WITH_IPTABLES, "nft": None, "kernel": ["4.9.0"]}, ("iptables",))
    assert {check.status for check in checks.values()} == {Status.OK}
    assert (checks["iptables"].detail, checks["ipset"].detail) == ("1.8.9", "7.17")


def test_a_host_that_refuses_root_is_still_looked_at() -> None:
    checks = judged({"uid": ["1000"], "login": ["ops"]}, root={}, refused="sudo: a password is required")
    assert (checks["ssh"].detail, checks["root"].status) == ("logs in as ops", Status.FAIL)
    assert checks["root"].detail == "sudo: a password is required"
    checks = judged(
        {"uid": ["1000"], "login": ["ops"]}, root={}, refused="sudo: sorry, you must have a tty to run sudo"
    )
    assert "Defaults:ops !requiretty" in (checks["root"].remedy or "")
    assert checks["nft"].status is Status.OK
    less = {"uid": ["1000"], "nft_works": ["no"], "writable": []}
    checks = judged(less, root={}, refused="no")
    assert {checks[name].detail for name in ("nft", "/var/lib", "/run")} == {"told to root alone"}
    assert [name for name, check in checks.items() if check.status is Status.FAIL] == ["root"]


def test_an_unreached_host_is_one_line() -> None:
    check = unreached("web-1", "ssh: connect to host\nweb-1 port 22: No route to host" + "x" * 5000)
    assert check.detail.startswith("ssh: connect to host web-1 port 22")
    assert len(check.detail) <= 300


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(KEYS)), inner, max_size=8),
    max_leaves=20,
)


@settings(deadline=None, max_examples=examples(200))
@given(st.dictionaries(st.sampled_from(["login", "root", "refused", "words", "clock"]), JUNK), JUNK)
def test_whatever_a_host_answers_ends_in_short_lines(result: dict[str, object], login: object) -> None:
    well = login if isinstance(login, dict) else {}
    for answer in (result, {**result, "login": {**WELL, **well}, "root": {**WELL, **well}}):
        for check in host_checks("web-1", answer, CONTROL, [*map(enforcer, EITHER)]):
            assert len(check.detail) < 600
            assert check.remedy or check.status is Status.OK


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.sampled_from(["ringfence:uid=0", "ringfence:ansible_facts=x", "ringfence:has=\x1b[2J"]) | st.text()))
def test_an_answer_keeps_known_keys_and_printable_values_alone(lines: list[str]) -> None:
    answer = answer_of("\n".join(lines * 30))
    assert answer.keys() <= KEYS
    for values in answer.values():
        assert len(values) <= MOST_VALUES
        assert all(len(value) <= MOST_LETTERS and value.isprintable() for value in values)
    assert last_words("\n".join(lines)).isprintable()


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash --posix"])
def test_the_look_is_read_by_every_shell_and_ends(shell: str) -> None:
    try:
        done = subprocess.run(
            [*shell.split(), "-s"], input=doctor_script(), capture_output=True, timeout=120, check=False
        )
    except FileNotFoundError:
        pytest.skip(f"no {shell} here")
    answer = answer_of(done.stdout.decode())
    assert answer["complete"] == ["yes"]
    assert answer["system"] == ["Linux"]
    assert (done.returncode, done.stderr) == (0, b"")
    # behind what a login printed without an end of line
    assert answer_of(f"Welcome {done.stdout.decode()}") == answer

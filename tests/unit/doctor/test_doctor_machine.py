"""The doctor's look at this machine and at a workspace, and the command that prints it."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import pytest
from ringfence.doctor import Check, Status, controller_checks, workspace_checks
from ringfence.doctor.controller import LIBRARIES, sources_named
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Control
from ringfence.model.errors import InputError, Place

from tests.unit.cli_shop import data, ringfence, shop

ROOT = Path(__file__).resolve().parents[3]
HERE = Control(("127.0.0.0/8", "::1"))


def named(checks: object) -> dict[str, Check]:
    return {check.name: check for check in checks}  # type: ignore[attr-defined]  # an iterable of checks


def test_this_machine_has_what_the_tests_run_with() -> None:
    checks = named(controller_checks(None))
    assert {checks[name].status for name in ("python", "ansible", "collection")} == {Status.OK}


def test_programs_that_are_missing_are_told_with_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = named(controller_checks(None))
    assert (checks["ssh"].status, checks["git"].status) == (Status.FAIL, Status.WARN)
    assert "openssh-client" in checks["ssh"].remedy


def test_an_ansible_of_another_python_is_judged_by_what_it_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "ansible-playbook"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "elsewhere/python"))
    for core, python, status in (
        ("2.17.1", "3.11.2", Status.FAIL),
        ("2.20.0", "3.11.2", Status.FAIL),
        ("nonsense", "", Status.FAIL),
    ):
        program.write_text(f"#!/bin/sh\necho 'ansible-playbook [core {core}]'\necho '  python version = {python}'\n")
        program.chmod(0o755)
        check = named(controller_checks(None))["ansible"]
        assert check.status is status
        assert check.remedy


def test_a_source_whose_library_is_missing_is_told_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, {"inventory/20-kvm.yml": "plugin: ringfence.core.libvirt\n"})
    assert sources_named(tmp_path) == {"libvirt"}
    monkeypatch.setitem(LIBRARIES, "libvirt", ("no_such_module", "libvirt"))
    check = named(controller_checks(tmp_path))["library"]
    assert check.status is Status.FAIL
    assert "libvirt-dev pkg-config gcc python3-dev" in check.remedy


def test_all_extras_install_without_a_compiler() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "libvirt" not in extras["all"][0]
    assert "libvirt" in extras


def test_a_workspace_is_looked_at_without_a_host(tmp_path: Path) -> None:
    shop(tmp_path)
    near = Asset("near", (point_of("127.0.0.2"),), attributes={"ansible_host": "127.0.0.2"})
    checks = named(workspace_checks(tmp_path, [], HERE, [near]))
    assert {check.status for name, check in checks.items() if name != "disk"} == {Status.OK}
    (tmp_path / ".ringfence").mkdir()
    for mode, status in ((0o700, Status.OK), (0o755, Status.WARN), (0o777, Status.FAIL)):
        (tmp_path / ".ringfence").chmod(mode)
        check = named(workspace_checks(tmp_path, [], HERE, [near]))["state"]
        assert check.status is status
        assert bool(check.remedy) == (status is not Status.OK)
    (tmp_path / ".ringfence").chmod(0o700)
    (tmp_path / ".ringfence/facts").mkdir(mode=0o755)
    assert named(workspace_checks(tmp_path, [], HERE, [near]))["state"].status is Status.OK


def test_a_control_path_that_this_machine_does_not_come_from_is_told(tmp_path: Path) -> None:
    near = Asset("near", (point_of("127.0.0.2"),), attributes={"ansible_host": "127.0.0.2"})
    outside = named(workspace_checks(tmp_path, [], Control(("192.0.2.0/24",)), [near]))["control"]
    assert outside.status is Status.WARN
    assert "this machine reaches near from 127.0.0.1" in outside.detail
    assert named(workspace_checks(tmp_path, [], None, [near]))["control"].status is Status.FAIL


@pytest.mark.parametrize("way", ["-o ProxyJump=gw", "-J gw", "-F ssh.conf", "-o ControlMaster=no -F ssh.conf"])
def test_the_address_of_this_machine_says_nothing_where_another_one_may_stand_before_the_host(
    tmp_path: Path, way: str
) -> None:
    behind = Asset("far", (), attributes={"ansible_host": "127.0.0.1", "ansible_ssh_common_args": way})
    check = named(workspace_checks(tmp_path, [], Control(("192.0.2.0/24",)), [behind]))["control"]
    assert check.status is Status.OK


def test_errors_of_the_files_are_one_line_with_their_place(tmp_path: Path) -> None:
    errors = [InputError("no", Place("policy/a.yml", 3, 1)), InputError("nor this")]
    check = named(workspace_checks(tmp_path, errors, HERE, []))["workspace"]
    assert (check.status, check.detail) == (Status.FAIL, "policy/a.yml:3:1: no, and 1 more")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    shop(tmp_path)
    (tmp_path / "policy/shop.yml").chmod(0)
    assert "policy/shop.yml" in named(workspace_checks(tmp_path, [], HERE, []))["files"].detail


def test_the_command_prints_a_line_a_check_and_ends_with_what_it_means(tmp_path: Path) -> None:
    shop(tmp_path, {"inventory/hosts.yml": "all: {hosts: {web-1: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n"})
    told = data(tmp_path, "doctor", status=3)
    assert isinstance(told, dict)
    assert told["ok"] is False
    failed = [check for check in told["checks"] if check["status"] == "fail"]
    assert [(check["host"], check["name"]) for check in failed] == [("web-1", "ssh")]
    assert "Connection refused" in failed[0]["detail"]
    assert all(check["remedy"] for check in told["checks"] if check["status"] != "ok")

    printed = ringfence(tmp_path, "doctor", "--no-hosts")
    assert printed.exit_code == 0, printed.output
    assert "ok    python: " in printed.output
    assert " ok, " in printed.output.splitlines()[-1]
    assert ringfence(tmp_path, "doctor", "--limit", "web-2").exit_code == 2


def test_outside_a_workspace_this_machine_is_still_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    broken = shop(tmp_path / "broken", {"policy/shop.yml": "rules: [\n"})
    told = data(broken, "doctor", "--no-hosts", status=1)
    assert isinstance(told, dict)
    by_name = {check["name"]: check for check in told["checks"]}
    assert (by_name["python"]["status"], by_name["workspace"]["status"]) == ("ok", "fail")
    assert by_name["workspace"]["remedy"] == "ringfence check"

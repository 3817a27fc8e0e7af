"""Jump hosts that ssh is given outside of the inventory are named, and only where they lead to workloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.model.problems import Problem
from ringfence.sources.unread_proxies import unread_proxies

HOSTS = {"web-1": ("web-1.shop.example",), "db-1": ("10.1.0.12",)}


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_SSH_ARGS", "ANSIBLE_SSH_COMMON_ARGS", "ANSIBLE_SSH_EXTRA_ARGS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "ssh").mkdir()
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    return tmp_path / "ssh" / "config"


def warned(ssh: Path, text: str) -> list[Problem]:
    ssh.write_text(text)
    return unread_proxies(ssh.parent.parent, HOSTS, ssh)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Host *.shop.example\n  ProxyJump bastion\n", 2),
        ("host=WEB-1.*\nproxycommand=ssh -W %h:%p bastion\n", 2),
        ("ProxyJump bastion\nHost other\n", 1),
        ("Match exec true\n\tProxyJump bastion\n", 2),
        ('Host "10.1.0.?? !10.1.0.11"\n# a comment\nProxyJump "bastion"\n', 3),
    ],
)
def test_a_proxy_of_the_users_configuration_is_named_with_its_line(ssh: Path, text: str, line: int) -> None:
    (problem,) = warned(ssh, text)
    assert problem.place is not None
    assert (problem.place.file, problem.place.line) == (str(ssh), line)
    assert "the plan does not check the way" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Host elsewhere\n  ProxyJump bastion\n",
        "Host *\n  ProxyJump none\n",
        "Host * !web-1.* !10.1.0.12\n  ProxyJump bastion\n",
        "Host *\n# ProxyJump bastion\n",
    ],
)
def test_what_leads_to_no_workload_is_not_said(ssh: Path, text: str) -> None:
    assert warned(ssh, text) == []


def test_included_files_count_and_a_circle_ends(ssh: Path) -> None:
    (ssh.parent / "more.conf").write_text("Include config\nHost db-1 10.*\nProxyJump bastion\n")
    problems = warned(ssh, "Include *.conf\n")
    assert [str(one.place) for one in problems] == [f"{ssh.parent / 'more.conf'}:3"]


@pytest.mark.parametrize(
    "words", ["-o ProxyJump=bastion", "-J bastion", "-o ProxyCommand='ssh -W %h:%p b'", "-F other"]
)
def test_a_proxy_of_ansibles_settings_is_named(ssh: Path, words: str) -> None:
    (ssh.parent.parent / "ansible.cfg").write_text(f"[ssh_connection]\nssh_args = -C {words}\n")
    (problem,) = warned(ssh, "")
    assert "'ssh_args' in " in problem.message


def test_the_environment_overrides_the_file(ssh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_SSH_COMMON_ARGS", "-J bastion")
    (problem,) = warned(ssh, "")
    assert problem.message.startswith("$ANSIBLE_SSH_COMMON_ARGS gives ssh a proxy")
    assert unread_proxies(ssh.parent.parent, {}, ssh) == []

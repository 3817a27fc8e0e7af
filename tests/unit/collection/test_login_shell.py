"""A host whose login shell runs nothing of Ansible's is no unreachable host: its own words are told."""

from __future__ import annotations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.module_action import ModuleAction


def refused(status: int, stderr: str = "", stdout: str = "") -> str:
    action = object.__new__(ModuleAction)
    action._last = {"rc": status, "stderr": stderr, "stdout": stdout}
    failure = action._refused_by_shell()
    return str(failure) if failure else ""


@pytest.mark.parametrize(
    ("status", "stderr", "stdout", "words"),
    [
        (127, "fish: Unsupported use of '&&'.\n", "", "(status 127: fish: Unsupported use of '&&'.)"),
        (1, "", "This account is currently not available.\n", "(status 1: This account is currently not available.)"),
        (1, "", "", "(status 1: no output)"),
    ],
)
def test_a_shell_that_refuses_the_first_command_is_quoted(status: int, stderr: str, stdout: str, words: str) -> None:
    assert words in refused(status, stderr, stdout)
    assert "\x1b" not in refused(status, "\x1b[2J", stdout)


@pytest.mark.parametrize("status", [0, 5, 255])
def test_ssh_and_its_password_are_no_matter_of_the_shell(status: int) -> None:
    assert refused(status) == ""


def test_a_host_that_ran_no_command_is_unreachable() -> None:
    assert object.__new__(ModuleAction)._refused_by_shell() is None

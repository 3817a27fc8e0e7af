"""A workspace: a directory's parts in one pass, its errors together, its policy's digest."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from policy_text import written
from ringfence import workspace
from ringfence.model.errors import InputError, InputErrors
from ringfence.model.rules import Settings

RULES = "rules:\n  - {from: any, to: any, allow: any}\n"


def test_a_directory_becomes_its_parts(tmp_path: Path) -> None:
    written(tmp_path, "valid_days: 3\n", "ringfence.yml")
    written(tmp_path, "labels:\n  - env: tags.env\n", "labels.yml")
    written(tmp_path, "", "inventory/10-hosts.yml")
    written(tmp_path, RULES, "policy/b.yml")
    written(tmp_path, f"services: {{grpc: tcp/9000}}\n{RULES}", "policy/a/z.yaml")
    written(tmp_path, "{", "policy/.hidden.yml")
    written(tmp_path, "{", "policy/notes.txt")
    found = workspace.load(tmp_path)
    assert found.settings.valid_days == 3
    assert [rule.place.file for rule in found.policy.rules] == ["policy/a/z.yaml", "policy/b.yml"]
    assert [rule.key for rule in found.label_rules] == ["env"]
    assert found.inventory_paths == (tmp_path / "inventory",)
    assert list(found.definitions.services) == ["grpc"]
    assert found.plans == tmp_path / "plans"


def test_every_part_has_a_default(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    found = workspace.load(tmp_path)
    assert (found.settings, found.policy.rules, found.label_rules) == (Settings(), (), ())


def test_errors_of_all_files_come_together(tmp_path: Path) -> None:
    written(tmp_path, "tier: x\n", "ringfence.yml")
    written(tmp_path, "labels: 7\n", "labels.yml")
    written(tmp_path, "rules: 7\n", "policy/a.yml")
    with pytest.raises(InputErrors) as caught:
        workspace.load(tmp_path)
    assert [str(error.place) for error in caught.value.errors] == [
        "labels.yml:1:9",
        "policy/a.yml:1:8",
        "ringfence.yml:1:1",
    ]


def test_a_link_to_nowhere_and_a_pipe_are_told_and_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "a.yml").symlink_to("nowhere.yml")
    os.mkfifo(tmp_path / "policy" / "b.yml")
    with pytest.raises(InputErrors) as caught:
        workspace.load(tmp_path)
    assert [error.message for error in caught.value.errors] == [
        "cannot be read: No such file or directory",
        "is no regular file",
    ]


def test_a_directory_that_is_no_workspace_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no workspace") as caught:
        workspace.load(tmp_path)
    assert caught.value.remedy == "go to a workspace, or make one with 'ringfence init'"


def test_the_digest_changes_with_what_is_written_and_with_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path, RULES, "policy/a.yml")
    first = workspace.load(tmp_path).policy_digest
    path.touch()
    written(tmp_path, "labels: []\n", "labels.yml")
    assert workspace.load(tmp_path).policy_digest == first
    written(tmp_path, f"{RULES}\n", "policy/a.yml")
    second = workspace.load(tmp_path).policy_digest
    written(tmp_path, "waves: [3]\n", "ringfence.yml")
    assert len({first, second, workspace.load(tmp_path).policy_digest}) == 3


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user without privileges for a while: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("closed", ["policy", "policy/tests"])
def test_a_directory_that_cannot_be_read_is_an_error_and_not_a_policy_without_its_rules(closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "policy/tests").mkdir(parents=True)
        (root / "ringfence.yml").touch()
        (root / closed).chmod(0o000)
        with nobody(), pytest.raises(InputErrors, match=f"{closed}: cannot be read: Permission denied"):
            workspace.load(root)
        (root / closed).chmod(0o755)

"""A workspace: a directory's parts in one pass, its errors together, its policy's digest."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ringfence import workspace
from ringfence.model.errors import InputError, InputErrors
from ringfence.model.rules import Settings

from tests.unit.language.policy_text import written

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
        "is not a regular file",
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


def names_read(root: Path) -> list[str]:
    """Return the files that the rules of a workspace's policy stand in."""
    return [rule.place.file for rule in workspace.load(root).policy.rules]


def warnings_of(root: Path) -> list[str]:
    """Return file and message of the warnings about files that are not read."""
    return [f"{problem.place}: {problem.message}" for problem in workspace.load(root).problems]


def test_the_policy_behind_links_is_read_wherever_it_lies(tmp_path: Path) -> None:
    written(tmp_path, RULES, "guard/deny.yml")
    written(tmp_path, RULES, "guard/more/deny.yml")
    written(tmp_path, RULES, "single.yml")
    written(tmp_path, RULES, "ws/policy/b.yml")
    root = tmp_path / "ws"
    (root / "policy/a").symlink_to("../../guard")
    (root / "policy/c.yml").symlink_to("../../single.yml")
    assert names_read(root) == ["policy/a/deny.yml", "policy/a/more/deny.yml", "policy/b.yml", "policy/c.yml"]
    assert warnings_of(root) == []


def test_a_policy_folder_that_is_a_link_itself_is_read(tmp_path: Path) -> None:
    written(tmp_path, RULES, "guard/a.yml")
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws/policy").symlink_to("../guard")
    assert names_read(tmp_path / "ws") == ["policy/a.yml"]


def test_the_digest_covers_what_lies_behind_links(tmp_path: Path) -> None:
    written(tmp_path, RULES, "guard/a.yml")
    (tmp_path / "ws/policy").mkdir(parents=True)
    (tmp_path / "ws/policy/shared").symlink_to("../../guard")
    first = workspace.load(tmp_path / "ws").policy_digest
    written(tmp_path, f"{RULES}# more\n", "guard/a.yml")
    assert workspace.load(tmp_path / "ws").policy_digest != first


def test_links_in_a_circle_end_and_each_file_is_read_once(tmp_path: Path) -> None:
    written(tmp_path, RULES, "policy/a/one.yml")
    (tmp_path / "policy/a/back").symlink_to("..")
    (tmp_path / "policy/a/self").symlink_to(".")
    (tmp_path / "policy/b").symlink_to("a")
    (tmp_path / "policy/a/two.yml").symlink_to("one.yml")
    (tmp_path / "policy/0.yml").hardlink_to(tmp_path / "policy/a/one.yml")
    assert names_read(tmp_path) == ["policy/0.yml"]
    assert warnings_of(tmp_path) == [
        "policy/a/back: is 'policy' again: it is read once",
        "policy/a/one.yml: is 'policy/0.yml' again: it is read once",
        "policy/a/self: is 'policy/a' again: it is read once",
        "policy/a/two.yml: is 'policy/0.yml' again: it is read once",
        "policy/b: is 'policy/a' again: it is read once",
    ]


@pytest.mark.parametrize("target", ["..", "../..", "/"])
def test_a_link_to_what_holds_the_policy_is_refused(tmp_path: Path, target: str) -> None:
    written(tmp_path, RULES, "policy/a.yml")
    (tmp_path / "policy/up").symlink_to(target)
    with pytest.raises(InputErrors, match="policy/up: leads to a folder in which this policy lies"):
        workspace.load(tmp_path)


def test_a_link_to_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/shared").symlink_to("../../guard")
    with pytest.raises(InputErrors, match="policy/shared: leads nowhere: No such file or directory"):
        workspace.load(tmp_path)
    (tmp_path / "policy/shared").unlink()
    (tmp_path / "policy/shared").symlink_to("shared")
    with pytest.raises(InputErrors, match="policy/shared: leads nowhere: Too many levels"):
        workspace.load(tmp_path)


def test_a_policy_that_is_mounted_as_a_config_map_is_read_once(tmp_path: Path) -> None:
    """Kubernetes links every file through a hidden folder that it replaces as a whole."""
    written(tmp_path, RULES, "policy/..2026_11_24/a.yml")
    (tmp_path / "policy/..data").symlink_to("..2026_11_24")
    (tmp_path / "policy/a.yml").symlink_to("..data/a.yml")
    assert names_read(tmp_path) == ["policy/a.yml"]
    assert warnings_of(tmp_path) == []


def test_the_endings_of_policy_files_are_read_in_any_case(tmp_path: Path) -> None:
    for name in ("DENY.YML", "a.Yaml", "b.YAML"):
        written(tmp_path, RULES, f"policy/{name}")
    assert names_read(tmp_path) == ["policy/DENY.YML", "policy/a.Yaml", "policy/b.YAML"]


def test_what_looks_like_a_policy_file_and_is_not_read_is_named(tmp_path: Path) -> None:
    unread = ["deny.json", "deny.yml.bak", "deny.yaml~", "#deny.yml#", "deny.yml.j2", "deny.YML.old", "deny.yml-2026"]
    hidden = [".deny.yml", ".off/deny.yaml"]
    for name in [*unread, *hidden]:
        written(tmp_path, "{", f"policy/{name}")
    for name in ["README.md", "notes.txt", ".gitkeep", ".a.yml.swp", ".#deny.yml", ".git/config"]:
        written(tmp_path, "{", f"policy/{name}")
    said = warnings_of(tmp_path)
    assert sorted(said) == sorted(
        [f"policy/{name}: is not read: its name ends neither in .yml nor in .yaml" for name in unread]
        + [f"policy/{name}: is not read: it is hidden by a dot" for name in hidden]
    )


def told(directory: Path) -> dict[str, str]:
    return {str(problem.place): problem.message for problem in workspace.load(directory).problems}


@pytest.mark.parametrize("name", ["deny", "20-deny.conf", "deny.toml", "team/default", ".deny"])
def test_a_file_that_says_what_a_policy_says_is_named_whatever_its_own_name_is(tmp_path: Path, name: str) -> None:
    written(tmp_path, RULES, "policy/a.yml")
    written(tmp_path, f"# ours\n{RULES}", f"policy/{name}")
    written(tmp_path, f"An example:\n{RULES}", "policy/README.md")
    written(tmp_path, "all: rules\n", "policy/notes.txt")
    (found,) = told(tmp_path).items()
    assert found[0] == f"policy/{name}"
    assert found[1].startswith("is not read: ")


@pytest.mark.parametrize("name", ["policies", "Policy", "policy.d", "policy.yml", "Policies.yaml"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_policy_under_another_name_than_the_folders_is_told(tmp_path: Path, name: str, beside: bool) -> None:
    (tmp_path / "ringfence.yml").touch()
    written(tmp_path, RULES, f"{name}/a.yml" if "yml" not in name and "yaml" not in name else name)
    if beside:
        written(tmp_path, RULES, "policy/a.yml")
    assert told(tmp_path) == {name: "is not read: the policy is what lies in policy/"}


def test_a_workspace_without_a_policy_says_that_no_rule_is_read(tmp_path: Path) -> None:
    (tmp_path / "ringfence.yml").touch()
    assert told(tmp_path) == {"policy": "there is none: no rule is read"}


def test_a_policy_file_that_lost_what_was_in_it_is_told(tmp_path: Path) -> None:
    written(tmp_path, RULES, "policy/a.yml")
    written(tmp_path, "", "policy/guardrails.yml")
    written(tmp_path, "# nothing yet\n", "policy/later.yml")
    assert told(tmp_path) == {"policy/guardrails.yml": "is empty: it says nothing"}


def test_pipes_sockets_and_devices_are_refused_by_name_and_nothing_waits_for_them(tmp_path: Path) -> None:
    (tmp_path / "policy/tests").mkdir(parents=True)
    for name in ("policy/tests/a.YML", "ringfence.yml", "labels.yml"):
        os.mkfifo(tmp_path / name)
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket is short
        try:
            listening.bind("policy/s.yml")
        finally:
            os.chdir(here)
        (tmp_path / "policy/null.yaml").symlink_to("/dev/null")
        with pytest.raises(InputErrors) as caught:
            workspace.load(tmp_path)
    assert [str(error) for error in caught.value.errors] == [
        f"{name}: is not a regular file (write a file here)"
        for name in ("labels.yml", "policy/null.yaml", "policy/s.yml", "policy/tests/a.YML", "ringfence.yml")
    ]


@pytest.mark.parametrize("name", ["ringfence.yaml", "Ringfence.yml", "labels.yaml", "LABELS.YML"])
def test_settings_and_labels_under_a_name_that_is_not_read_are_an_error(tmp_path: Path, name: str) -> None:
    meant = f"{name.partition('.')[0].lower()}.yml"
    (tmp_path / "policy").mkdir()
    written(tmp_path, "{}", name)
    with pytest.raises(InputErrors, match=f"{name}: is not read: the file is called {meant}"):
        workspace.load(tmp_path)
    written(tmp_path, "", meant)
    assert warnings_of(tmp_path) == [f"{name}: is not read: the file is called {meant}"]


@pytest.mark.parametrize("name", [b"\xff.yml", b"a\nb.yaml", b"\x1b[31m/deny.yml"])
def test_a_policy_file_whose_name_is_no_text_is_refused(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / "policy" / os.fsdecode(name)
    path.parent.mkdir(parents=True)
    path.write_text(RULES)
    with pytest.raises(InputErrors, match="its name is not text in UTF-8") as caught:
        workspace.load(tmp_path)
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_read_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / os.fsdecode(b"\xff.yml.bak")).touch()
    assert all(said.isprintable() for said in warnings_of(tmp_path))

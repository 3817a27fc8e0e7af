"""The kept answer of an inventory counts only while nothing that it depends on has changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.files import locked
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.claims import Claim, Claims
from ringfence.sources.inventory_state import InventoryState, inventory_state
from ringfence.sources.survey_cache import keep_survey, kept_survey, rest_on
from ringfence.sources.surveys import Survey

CONTROL = {"HOME": "/nonexistent", "PATH": "/usr/bin"}
TABLE = "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n"
SURVEY = Survey(
    Snapshot(
        (
            Asset("db-1", (1 << 33, 1 << 34), {"role": Label("db", "labels.yml:3", told="db-1")}, claimed=(7,)),
            Asset("web-1", (5,), attributes={"groups": ["ü"], "n": 1.5}, also=("w",)),
        ),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    ),
    (Problem(Severity.WARNING, "odd", Place("hosts.csv", 3, 1), "look"), Problem(Severity.WARNING, "odder")),
    told=(Problem(Severity.WARNING, "odd", Place("hosts.csv", 3, 1), "look"),),
    claims=Claims((Claim("db-1", "10.0.0.1"),), (Claim("db-1", "10.0.0.2"),), ((Claim("a", "10.0.0.3"), "b"),), True),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace whose inventory is one table."""
    for name in ("inventory/group_vars", "group_vars"):
        (tmp_path / name).mkdir(parents=True)
    files = {"inventory/10-table.yml": TABLE, "hosts.csv": "name\nweb-1\n", "group_vars/all.yml": "a: 1\n"}
    for name, text in {**files, "ansible.cfg": "[defaults]\n", "labels.yml": "labels: []\n"}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def state(workspace: Path, **variables: str) -> InventoryState:
    """Return the state of the workspace's inventory."""
    environment = {**CONTROL, **variables}
    return inventory_state([workspace / "inventory"], workspace, environment, [workspace / "labels.yml"])


def test_a_table_is_static_and_its_state_repeats(workspace: Path) -> None:
    assert state(workspace) == state(workspace)
    assert state(workspace).dynamic == ()


def _linked(workspace: Path) -> None:
    (workspace / "other.csv").write_text("name\nweb-1\n")
    (workspace / "hosts.csv").unlink()
    (workspace / "hosts.csv").symlink_to("other.csv")


CHANGES: dict[str, Callable[[Path], object]] = {
    "the table": lambda w: (w / "hosts.csv").write_text("name\nweb-2\n"),
    "the table as a link": _linked,
    "the table goes": lambda w: (w / "hosts.csv").unlink(),
    "a source comes": lambda w: (w / "inventory/20-more.yml").write_text("all:\n"),
    "a source gets another name": lambda w: (w / "inventory/10-table.yml").rename(w / "inventory/11-table.yml"),
    "variables": lambda w: (w / "group_vars/all.yml").write_text("a: 2\n"),
    "variables beside the source": lambda w: (w / "inventory/group_vars/web.yml").write_text("a: 2\n"),
    "ansible.cfg": lambda w: (w / "ansible.cfg").write_text("[defaults]\nhash_behaviour=merge\n"),
    "label rules": lambda w: (w / "labels.yml").unlink(),
    "an empty folder": lambda w: (w / "inventory/empty").mkdir(),
    "facts": lambda w: (w / ".ringfence/facts").mkdir(parents=True) or (w / ".ringfence/facts/web-1").write_text("{}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_changes_the_state(workspace: Path, change: str) -> None:
    before = state(workspace)
    CHANGES[change](workspace)
    assert state(workspace).files != before.files


@pytest.mark.parametrize("name", ["ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_INVENTORY_ENABLED", "HOME", "PATH"])
def test_variables_that_ansible_looks_at_change_the_state(workspace: Path, name: str) -> None:
    assert state(workspace, **{name: "/other"}).files != state(workspace).files


def test_other_variables_change_only_what_dynamic_sources_depend_on(workspace: Path) -> None:
    one, other = state(workspace), state(workspace, AWS_PROFILE="b", COLUMNS="80")
    assert (one.files, one.environment != other.environment) == (other.files, True)
    assert state(workspace, COLUMNS="80") == one


@pytest.mark.parametrize(
    "text",
    [
        "plugin: ringfence.core.aws\n",
        "plugin: amazon.aws.aws_ec2\n",
        '{"plugin": "netbox.netbox.nb_inventory"}\n',
        "plugin: constructed\ncompose: {a: lookup('env', 'X')}\n",
        "plugin: ringfence.core.onprem\ntable: [../hosts.csv]\ncache: true\n",
        "plugin: ringfence.core.onprem\ntable: ~/hosts.csv\n",
        "#!/bin/sh\n",
        "plugin: [\n",
    ],
)
def test_what_may_answer_otherwise_without_a_change_is_dynamic(workspace: Path, text: str) -> None:
    (workspace / "inventory/50.yml").write_text(text)
    assert state(workspace).dynamic == ("inventory/50.yml",)


def test_programs_and_plug_ins_of_others_are_dynamic(workspace: Path) -> None:
    script = workspace / "inventory/50"
    script.write_bytes(b"\x7fELF")
    script.chmod(0o755)
    assert state(workspace).dynamic == ("inventory/50",)
    script.unlink()
    assert state(workspace, ANSIBLE_INVENTORY_PLUGINS="/plugins").dynamic
    (workspace / "ansible.cfg").write_text("[defaults]\nvars_plugins = mine\n")
    assert state(workspace).dynamic == ("vars_plugins",)


STATE = InventoryState("f", "e")


def test_a_kept_answer_is_whole(tmp_path: Path) -> None:
    path = tmp_path / ".ringfence/survey.json"
    keep_survey(path, SURVEY, STATE, "before", 1000.0)
    known = kept_survey(path, STATE, "before", 1090.0, 0)
    assert known is not None
    assert (known.survey, known.age) == (SURVEY, 90.0)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("other", "before", "now"),
    [(replace(STATE, files="g"), "b", 1001.0), (STATE, "c", 1001.0), (STATE, "b", 999.0)],
    ids=["files", "snapshot", "a clock that went backwards"],
)
def test_it_counts_for_its_own_state_alone(tmp_path: Path, other: InventoryState, before: str, now: float) -> None:
    keep_survey(tmp_path / "k", SURVEY, STATE, "b", 1000.0)
    assert kept_survey(tmp_path / "k", other, before, now, 0) is None


def test_a_dynamic_answer_counts_for_a_while_in_the_same_environment(tmp_path: Path) -> None:
    keep_survey(tmp_path / "k", SURVEY, replace(STATE, dynamic=("aws.yml",)), "b", 1000.0)
    assert kept_survey(tmp_path / "k", STATE, "b", 1599.0, 600) is not None
    assert kept_survey(tmp_path / "k", STATE, "b", 1600.0, 600) is None
    assert kept_survey(tmp_path / "k", STATE, "b", 1000.0, 0) is None
    assert kept_survey(tmp_path / "k", replace(STATE, environment="x"), "b", 1001.0, 600) is None


def test_a_damaged_or_open_file_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "k"
    keep_survey(path, SURVEY, STATE, "b", 1000.0)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-40], whole.replace(b"web-1", b"web-2"), b"[]\n{}\n", b"{}\n", b"\xff" * 9):
        path.write_bytes(damaged)
        assert kept_survey(path, STATE, "b", 1001.0, 0) is None
    path.write_bytes(whole)
    path.chmod(0o622)
    assert kept_survey(path, STATE, "b", 1001.0, 0) is None
    path.chmod(0o600)
    assert kept_survey(path, STATE, "b", 1001.0, 0) is not None
    (tmp_path / "link").symlink_to(path)
    assert kept_survey(tmp_path / "link", STATE, "b", 1001.0, 0) is None
    os.mkfifo(tmp_path / "pipe")
    assert kept_survey(tmp_path / "pipe", STATE, "b", 1001.0, 0) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_file_of_another_user_is_no_answer(tmp_path: Path) -> None:
    keep_survey(tmp_path / "k", SURVEY, STATE, "b", 1000.0)
    os.chown(tmp_path / "k", 12345, 12345)
    assert kept_survey(tmp_path / "k", STATE, "b", 1001.0, 0) is None


def test_an_answer_with_errors_or_a_silent_source_is_not_kept_and_drops_the_last(tmp_path: Path) -> None:
    path = tmp_path / "k"
    error = Problem(Severity.ERROR, "wrong")
    for bad in (replace(SURVEY, problems=(error,)), replace(SURVEY, silent=(Problem(Severity.WARNING, "silent"),))):
        keep_survey(path, SURVEY, STATE, "b", 1000.0)
        keep_survey(path, bad, STATE, "b", 1001.0)
        assert not path.exists()


def test_an_answer_goes_on_to_count_beside_the_snapshot_that_was_made_of_it(tmp_path: Path) -> None:
    keep_survey(tmp_path / "k", SURVEY, STATE, "b", 1000.0)
    rest_on(tmp_path / "k", 999.0, "other")
    assert kept_survey(tmp_path / "k", STATE, "b", 1001.0, 0) is not None
    rest_on(tmp_path / "k", 1000.0, "new")
    assert kept_survey(tmp_path / "k", STATE, "new", 1001.0, 0) is not None


def test_an_answer_that_another_command_keeps_meanwhile_is_not_put_back_to_the_older_one(tmp_path: Path) -> None:
    keep_survey(tmp_path / "other", SURVEY, STATE, "b", 2000.0)
    keep_survey(tmp_path / "k", SURVEY, STATE, "b", 1000.0)
    resting = threading.Thread(target=rest_on, args=(tmp_path / "k", 1000.0, "new"))
    with locked(tmp_path / "k"):
        resting.start()
        resting.join(0.2)
        assert resting.is_alive()
        (tmp_path / "other").replace(tmp_path / "k")
    resting.join(10)
    kept = kept_survey(tmp_path / "k", STATE, "b", 2001.0, 0)
    assert (kept and kept.age) == 1.0


def test_nothing_is_made_where_no_answer_is_kept(tmp_path: Path) -> None:
    rest_on(tmp_path / "none" / "k", 1000.0, "new")
    assert list(tmp_path.iterdir()) == []

"""The files of a commit are read beside the work tree, and what cannot be read is said with its way out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ringfence.estate.revisions import at_revision
from ringfence.model.errors import InputError, OutsideError

RULE = "rules:\n  - {name: web to api, from: {role: web}, to: {role: api}, allow: %s}\n"


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-C", str(directory), "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace in a folder of its repository, with two commits."""
    directory = tmp_path / "clone/shop net"
    (directory / "policy").mkdir(parents=True)
    git(tmp_path / "clone", "init", "--quiet")
    for port, subject in ((80, "first"), (443, "second")):
        (directory / "ringfence.yml").write_text("waves: [1]\n")
        (directory / "policy/shop.yml").write_text(RULE % f"tcp/{port}")
        git(directory, "add", ".")
        git(directory, "commit", "--quiet", "-m", subject)
    return directory


def test_a_revision_says_what_its_files_said_and_nothing_else_changes(workspace: Path) -> None:
    (workspace / "policy/shop.yml").write_text(RULE % "tcp/8443")
    (workspace / "policy/new.yml").write_text(RULE % "tcp/1")
    git(workspace, "add", "policy/new.yml")
    before = git(workspace, "status", "--porcelain"), (workspace / "policy/shop.yml").stat().st_mtime_ns
    then, revision = at_revision(workspace, "HEAD~1")
    assert [rule.services.v4.intervals for rule in then.policy.rules] == [((6 << 16 | 80, 6 << 16 | 80),)]
    assert (revision.subject, revision.commit) == ("first", git(workspace, "rev-parse", "HEAD~1").strip())
    assert revision.uncommitted == ("policy/new.yml", "policy/shop.yml")
    assert (git(workspace, "status", "--porcelain"), (workspace / "policy/shop.yml").stat().st_mtime_ns) == before
    assert at_revision(workspace, "HEAD")[0].policy.rules[0].id == then.policy.rules[0].id


def test_files_that_git_ignores_count_as_not_committed(workspace: Path) -> None:
    (workspace / ".gitignore").write_text("policy/local.yml\n")
    (workspace / "policy/local.yml").write_text(RULE % "tcp/1")
    assert at_revision(workspace, "HEAD")[1].uncommitted == ("policy/local.yml",)


def test_errors_in_a_revision_name_it_with_the_file(workspace: Path) -> None:
    (workspace / "policy/shop.yml").write_text("rules:\n  - {from: any, to: any}\n")
    git(workspace, "commit", "--quiet", "-am", "broken")
    with pytest.raises(InputError, match=r"^HEAD:policy/shop.yml:2:5: a rule needs an action"):
        at_revision(workspace, "HEAD")


@pytest.mark.parametrize("name", ["nowhere", "--help", "HEAD~9", "HEAD:policy"])
def test_an_unknown_revision_is_an_error(workspace: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"no revision '{name}'"):
        at_revision(workspace, name)


def test_a_shallow_clone_says_that_it_is_shallow(workspace: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{workspace.parent}", "shallow")
    shallow = tmp_path / "shallow/shop net"
    assert at_revision(shallow, "HEAD")[1].subject == "second"
    with pytest.raises(InputError, match=r"it is shallow.*git fetch --unshallow"):
        at_revision(shallow, "HEAD~1")


def test_a_revision_from_before_the_workspace_is_said_to_have_none(workspace: Path) -> None:
    git(workspace, "mv", "../shop net", "../moved")
    git(workspace.parent, "commit", "--quiet", "-m", "moved")
    with pytest.raises(InputError, match="at HEAD~1 there is no workspace in moved/"):
        at_revision(workspace.parent / "moved", "HEAD~1")


def test_a_link_out_of_the_revision_is_an_error_and_one_inside_is_followed(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yml").write_text(RULE % "tcp/1")
    (workspace / "policy/linked.yml").symlink_to("shop.yml")
    git(workspace, "add", ".")
    git(workspace, "commit", "--quiet", "-m", "link inside")
    assert len(at_revision(workspace, "HEAD")[0].policy.rules) == 1
    (workspace / "policy/out.yml").symlink_to(tmp_path / "secret.yml")
    git(workspace, "add", ".")
    git(workspace, "commit", "--quiet", "-m", "link out")
    with pytest.raises(InputError, match=r"HEAD:policy/out\.yml: is a link out of the files of this revision"):
        at_revision(workspace, "HEAD")


def test_no_repository_and_no_git_are_said_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"not a git repository.*git init"):
        at_revision(tmp_path, "HEAD")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutsideError, match=r"git cannot be run.*install git"):
        at_revision(tmp_path, "HEAD")


def test_a_hooks_environment_does_not_lead_to_another_repository(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other/.git/index"))
    assert at_revision(workspace, "HEAD")[1].subject == "second"
    assert not os.path.lexists(tmp_path / "other/.git/index")


def test_no_program_that_a_repository_names_runs(workspace: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\ntouch "{tmp_path}/ran-$1"\n')
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "post-checkout"):
        (hooks / hook).symlink_to(program)
    tree = git(workspace, "rev-parse", "HEAD^{tree}").strip()
    signed = tmp_path / "signed"
    who = "a <a@example.org> 1 +0000"
    signed.write_text(f"tree {tree}\nauthor {who}\ncommitter {who}\ngpgsig -----BEGIN PGP SIGNATURE-----\n\nsigned\n")
    commit = git(workspace, "hash-object", "-t", "commit", "-w", str(signed)).strip()
    for name, value in {
        "core.fsmonitor": str(program),
        "core.hooksPath": str(hooks),
        "gpg.program": str(program),
        "log.showSignature": "true",
    }.items():
        git(workspace, "config", name, value)
    assert at_revision(workspace, commit)[1].subject == "signed"
    assert list(tmp_path.glob("ran-*")) == []


def test_a_repository_that_stands_as_plain_files_in_a_clone_is_not_asked(workspace: Path, tmp_path: Path) -> None:
    inner = workspace / "inner"
    git(workspace, "init", "--quiet", "--bare", str(inner))
    with (inner / "config").open("a") as file:
        file.write(f'[core]\nbare = false\nworktree = {inner}\nfsmonitor = "touch {tmp_path}/ran;"\n')
    with pytest.raises(InputError, match="bareRepository"):
        at_revision(inner, "HEAD")

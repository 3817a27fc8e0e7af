"""What a workspace's files say is kept, in the user's cache, for as long as not a byte of them changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ringfence import workspace
from ringfence.estate import file_cache
from ringfence.estate.file_cache import cache_directory, read_or_kept
from ringfence.language.reports import Reports
from ringfence.model.errors import InputErrors

from tests.unit.language.policy_text import written

SETTINGS = """\
control: {from: [10.255.0.0/24, fd00::/8]}
realms: {plant: {sees: [default]}}
waves: {sizes: [1, 5], canary: {env: test}}
identity: {prefer: [aws]}
"""
LABELS = """\
labels:
  - env: tags.Environment
    map: {production: prod}
  - role: db
    when: contains(name, 'db')
"""
POLICY = """\
selectors: {shop: {app: shop}}
services: {api: [tcp/8443, "udp/1-9", icmp]}
lists: {office: [198.51.100.0/24]}
scope: {not: {app: [old, "1"]}}
tier: guardrail
rules:
  - name: all of it
    from: [{selector: shop}, {list: office}, unknown, internet, {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, {asset: a}]
    to: {role: db, env: {exists: true}, process: {unit: db.service}}
    allow: [api, postgresql]
    at: to
    log: true
  - {from: {any: [{role: a}, {all: [{role: b}]}]}, to: {fqdn: api.example.org}, deny: any, priority: 7}
---
enforce: [{where: {app: shop}, mode: {inbound: full, outbound: selective}, cut: true}, {where: any, mode: observe}]
tests: [{name: works, from: {role: web}, to: {role: db}, service: tcp/1, expect: allow}]
invariants: [{name: closed, to: {role: db}, from: unknown, expect: deny}]
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace with everything that files can say; its cache is empty, and nobody else's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = tmp_path / "shop"
    written(directory, SETTINGS, "ringfence.yml")
    written(directory, LABELS, "labels.yml")
    written(directory, POLICY, "policy/shop.yml")
    return directory


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the directories whose files were read, and not taken from the cache."""
    found: list[Path] = []
    read = file_cache.read_files

    def counted(directory: Path, files: Sequence[Path], reports: Reports) -> workspace.Said:
        found.append(directory)
        return read(directory, files, reports)

    monkeypatch.setattr(file_cache, "read_files", counted)
    return found


def kept_file() -> Path:
    """Return the one file of the cache."""
    (path,) = cache_directory().iterdir()
    return path


def test_what_is_kept_says_what_the_files_say(root: Path, readings: list[Path]) -> None:
    said = workspace.load(root)
    assert workspace.load(root, read_or_kept) == said
    assert workspace.load(root, read_or_kept) == said
    assert len(readings) == 1
    assert kept_file().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["ringfence.yml", "labels.yml", "policy/shop.yml", "policy/new.yml"])
def test_a_byte_more_is_read_anew(root: Path, readings: list[Path], name: str) -> None:
    workspace.load(root, read_or_kept)
    with (root / name).open("a") as file:
        file.write("\n")
    assert workspace.load(root, read_or_kept).policy == workspace.load(root).policy
    assert len(readings) == 2


def test_files_that_change_while_they_are_read_are_not_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = file_cache.read_files

    def meanwhile(directory: Path, files: Sequence[Path], reports: Reports) -> workspace.Said:
        text = files[0].read_text()
        files[0].write_text("rules: []\n")
        said = read(directory, files, reports)
        files[0].write_text(text)
        return said

    with monkeypatch.context() as patched:
        patched.setattr(file_cache, "read_files", meanwhile)
        workspace.load(root, read_or_kept)
    assert not cache_directory().exists() or not list(cache_directory().iterdir())


def test_what_is_wrong_is_told_each_time(root: Path) -> None:
    written(root, "rules: 7\n", "policy/wrong.yml")
    for _ in range(2):
        with pytest.raises(InputErrors):
            workspace.load(root, read_or_kept)


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\n", b"\xff\xfe", b"nonsense\n[1]"],
    ids=["empty", "one line", "no text", "another digest"],
)
def test_a_damaged_cache_is_read_anew(root: Path, readings: list[Path], damaged: bytes) -> None:
    said = workspace.load(root, read_or_kept)
    kept_file().write_bytes(damaged)
    assert workspace.load(root, read_or_kept) == said
    assert workspace.load(root, read_or_kept) == said
    assert len(readings) == 2


def test_a_cache_cut_short_or_open_to_others_does_not_count(root: Path, readings: list[Path]) -> None:
    said = workspace.load(root, read_or_kept)
    whole = kept_file().read_bytes()
    kept_file().write_bytes(whole[:-5])
    assert workspace.load(root, read_or_kept) == said
    kept_file().chmod(0o666)
    assert workspace.load(root, read_or_kept) == said
    assert len(readings) == 3


def test_another_program_reads_anew(root: Path, readings: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.load(root, read_or_kept)
    monkeypatch.setattr(file_cache, "_software", lambda: iter(["a newer one"]))
    workspace.load(root, read_or_kept)
    assert len(readings) == 2


def test_a_cache_that_cannot_be_written_is_none(root: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands where the cache would be")
    assert workspace.load(root, read_or_kept) == workspace.load(root)


def test_only_the_last_workspaces_are_kept(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_cache, "MOST", 2)
    for number in range(4):
        written(tmp_path / f"w{number}", "valid_days: 3\n", "ringfence.yml")
        workspace.load(tmp_path / f"w{number}", read_or_kept)
    assert len(list(cache_directory().iterdir())) == 2

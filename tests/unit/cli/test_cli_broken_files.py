"""Files of a workspace broken in every way: an error with its place and the way out, no traceback, nothing hostile."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ringfence.model.errors import OutsideError
from ringfence.plan.host_records import Held, read_state, write_state

from tests.unit.cli_shop import ringfence, shop

Break = Callable[[Path], object]
HOSTILE = '"\\e[31mred\\e]0;owned\\a": 1\n'
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + step)}: &{chr(98 + step)} [{','.join([f'*{chr(97 + step)}'] * 9)}]\n" for step in range(9)
)
TABLE = "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n"
# The file, what is in it, what is said: its place first.
OWN_FILES = {
    "a list for a mapping": (b"- 1\n", ":1:1: error: "),
    "a word for a mapping": (b"hello\n", "not the word 'hello'"),
    "a tab": (b"rules:\n\t- name: x\n", ":2:1: error: a tab where YAML wants spaces\n  → indent with spaces"),
    "aliases that multiply": (BOMB.encode(), "error: more than 2000000 values, aliases counted"),
    "an alias of itself": (b"rules: &a [*a]\n", "the alias '*a' stands inside what it names"),
    "binary data": (bytes(range(256)), "is not UTF-8"),
    "Latin-1": ("rules:\n  - name: Büro\n".encode("latin-1"), ":2:12: error: the byte 0xfc is not UTF-8"),
    "UTF-16": ("rules: []\n".encode("utf-16"), ":1:1: error: the byte 0xff is not UTF-8"),
    "terminal commands": (HOSTILE.encode(), "'\\x1b[31mred\\x1b]0;owned\\x07' is not a key"),
    "a key twice": (b"rules: []\nrules: []\n", ":2:1: error: the key 'rules' stands twice"),
    "too deep": (b"rules: " + b"[" * 5000 + b"]" * 5000, "nested deeper than 40 levels"),
    "a foreign tag": (b"rules: !!python/object/apply:os.system ['touch owned']\n", "has no meaning here"),
    "one long word": (b"x" * 200_000, "not the word 'xxx"),
    "an end in the middle": (b"rules: [\n", "this is not valid YAML"),
}
ELSEWHERE: dict[str, tuple[Break, str]] = {
    "settings that are a directory": (
        lambda at: replaced(at / "ringfence.yml").mkdir(),
        "ringfence.yml: error: is not a regular file",
    ),
    "settings that are a pipe": (lambda at: os.mkfifo(replaced(at / "ringfence.yml")), "is not a regular file"),
    "label rules that are a link to nowhere": (
        lambda at: replaced(at / "labels.yml").symlink_to("nowhere"),
        "labels.yml: error: cannot be read: No such file",
    ),
    "a policy larger than memory": (
        lambda at: sparse(replaced(at / "policy/shop.yml")),
        "policy/shop.yml: error: the file is larger than 16 MiB",
    ),
    "settings larger than memory": (lambda at: sparse(replaced(at / "ringfence.yml")), "is larger than 16 MiB"),
    "an inventory larger than memory": (
        lambda at: sparse(replaced(at / "inventory/hosts.yml")),
        "inventory/hosts.yml: error: is larger than 256 MiB",
    ),
    "a link to itself": (
        lambda at: replaced(at / "policy/shop.yml").symlink_to("shop.yml"),
        "policy/shop.yml: error: cannot be read: Too many levels of symbolic links",
    ),
    "a policy that is a file": (
        lambda at: (shutil.rmtree(at / "policy"), (at / "policy").write_text("x")),
        "policy: error: is not a directory",
    ),
    "a name with terminal commands": (
        lambda at: (at / "policy/\x1b[31m.yml").write_text("rules: [\n"),
        "policy/\\x1b[31m.yml:2:1: error:",
    ),
    "a name of two lines": (lambda at: (at / "policy/a\nb.yml").write_text("rules: [\n"), "policy/a\\nb.yml:2:1: "),
    "an inventory in Latin-1": (
        lambda at: (at / "inventory/hosts.yml").write_bytes("all: {hosts: {Büro: {}}}\n".encode("latin-1")),
        "→ save the file as UTF-8",
    ),
    "an inventory that is a list": (
        lambda at: (at / "inventory/hosts.yml").write_text("- 1\n"),
        "inventory/hosts.yml: error: the inventory cannot be parsed: YAML inventory has invalid structure",
    ),
    "an inventory with nothing in it": (
        lambda at: replaced(at / "inventory/hosts.yml"),
        "inventory: error: Ansible finds no inventory here",
    ),
    "a link to an inventory that is gone": (
        lambda at: (at / "inventory/20-hosts.yml").symlink_to("nowhere.yml"),
        "inventory/20-hosts.yml: error: leads nowhere",
    ),
    "settings of Ansible without a section": (
        lambda at: (at / "ansible.cfg").write_text("[defaults\nx\n"),
        "ansible.cfg:1: error: ",
    ),
    "a table in Latin-1": (
        lambda at: table(at, "name,addresses\nBüro,10.0.0.1\n".encode("latin-1")),
        "hosts.csv:2: error: this is no UTF-8 (save the table as UTF-8)",
    ),
    "a table that is not there": (
        lambda at: (at / "inventory/30-table.yml").write_text(TABLE),
        "hosts.csv: error: the table cannot be read: No such file or directory",
    ),
    "a table without the column of names": (
        lambda at: table(at, b"nime,addresses\nweb-1,10.0.0.1\n"),
        "hosts.csv:1: error: the table has no column 'name' (did you mean 'nime'?",
    ),
    "a table that is a directory": (
        lambda at: ((at / "inventory/30-table.yml").write_text(TABLE), (at / "hosts.csv").mkdir()),
        "hosts.csv: error: the table cannot be read: it is a directory",
    ),
    "a table that is not a table": (
        lambda at: table(at, b"PK\x03\x04"),
        "hosts.csv: error: this is a workbook and no CSV",
    ),
}


def replaced(path: Path) -> Path:
    """Remove a file and return its path, free for something else."""
    path.unlink()
    return path


def table(workspace: Path, content: bytes) -> None:
    """Give the workspace a table of hosts."""
    (workspace / "inventory/30-table.yml").write_text(TABLE)
    (workspace / "hosts.csv").write_bytes(content)


def sparse(path: Path) -> None:
    """Make a file of 64 GiB that takes no room on the disk."""
    path.touch()
    os.truncate(path, 64 << 30)


def harmless(output: str) -> bool:
    """Return whether an output commands no terminal and is short enough to read."""
    return not any(character in output for character in "\x1b\x07\x00") and len(output) < 4000


@pytest.mark.parametrize("file", ["ringfence.yml", "labels.yml", "policy/shop.yml"])
@pytest.mark.parametrize("broken", OWN_FILES)
def test_a_broken_file_of_ours_is_an_error_with_its_place(tmp_path: Path, file: str, broken: str) -> None:
    content, said = OWN_FILES[broken]
    (shop(tmp_path) / file).write_bytes(content)

    result = ringfence(tmp_path, "check")

    assert result.exit_code == 2, result.output
    assert result.output.startswith(file)
    assert said in result.output
    assert harmless(result.output)


@pytest.mark.parametrize("broken", ELSEWHERE)
def test_what_is_broken_elsewhere_is_named_with_its_file(tmp_path: Path, broken: str) -> None:
    damage, said = ELSEWHERE[broken]
    damage(shop(tmp_path))

    result = ringfence(tmp_path, "check")

    assert result.exit_code == 2, result.output
    assert said in result.output
    assert harmless(result.output)


def test_a_row_too_long_for_a_table_is_left_out_and_told(tmp_path: Path) -> None:
    table(shop(tmp_path), b"name,addresses\n" + b"x" * 10_000_000 + b",10.0.0.1\n")

    result = ringfence(tmp_path, "check")

    assert result.exit_code == 0, result.output
    assert (
        "hosts.csv:2: warning: this row is left out: it is not valid CSV: field larger than field limit (131072)"
        in result.output
    )


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b""], ids=["a byte order mark", "none"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_editors_of_other_systems_may_write_policies(tmp_path: Path, before: bytes, end: str) -> None:
    path = shop(tmp_path) / "policy/shop.yml"
    path.write_bytes(before + path.read_text().replace("\n", end).encode())

    assert "2 rules, 4 assets: 0 errors" in ringfence(tmp_path, "check").output


@pytest.mark.parametrize(
    "words",
    [
        ("flows", "read", "none.csv"),
        ("flows", "read", "few.csv"),
        ("flows", "add", "none.csv"),
        ("simulate", "--flows", "none.csv"),
        ("simulate", "--flows", "few.csv"),
        ("plan", "--flows", "none.csv"),
        ("schema", "--output", "few.csv/schemas"),
        ("assets", "keep", "--output", "few.csv/assets.json"),
        ("init", "few.csv/net"),
        ("show", "none"),
        ("render", "none"),
    ],
    ids=" ".join,
)
def test_a_file_that_somebody_named_and_that_is_wrong_is_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(shop(tmp_path))
    (tmp_path / "few.csv").write_text("client,server\n10.0.0.1,10.0.0.2\n")

    result = ringfence(tmp_path, *words)

    assert result.exit_code == 2, result.output
    assert harmless(result.output)


@pytest.mark.parametrize("file", ["state.json", "claims.json", "snapshots/20260101T000000Z.json"])
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a directory", "a link to itself", "larger than memory"])
def test_what_we_keep_is_read_only_from_a_file_that_ends(tmp_path: Path, file: str, kind: str) -> None:
    path = shop(tmp_path) / ".ringfence" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a directory":
        path.mkdir()
    elif kind == "larger than memory":
        sparse(path)
    else:
        path.symlink_to("/dev/zero" if kind == "a device" else path.name)

    result = ringfence(tmp_path, "plan", "--no-flows")

    assert result.exit_code == 2, result.output
    assert f"{file}: error: " in result.output
    assert harmless(result.output)


def test_a_disk_that_takes_no_record_of_hosts_leaves_the_one_that_is_there(tmp_path: Path) -> None:
    held = {"web-1": Held(ruleset="a" * 64, seen="2026-11-24T07:00:00Z")}
    write_state(tmp_path, held)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(OutsideError, match="cannot be written down: File too large"):
            write_state(tmp_path, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_state(tmp_path) == held
    assert [path.name for path in (tmp_path / ".ringfence").iterdir()] == ["state.json"]

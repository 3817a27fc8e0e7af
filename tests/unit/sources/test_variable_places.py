"""Where a variable of a host is written, as its user finds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.sources.variable_places import place_of_variable

NAME = "ringfence_nftables"


def place(base: Path, host: str = "gw-1", groups: tuple[str, ...] = ("routers",), key: str = "forwards") -> str:
    """Return where the key of a host's variable stands, as it is shown."""
    return str(place_of_variable(NAME, key, host, groups, (Path("inventory"),), base))


def write(base: Path, file: str, text: str) -> None:
    """Write a file of the inventory."""
    path = base / "inventory" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_host_comes_before_its_groups_and_these_before_all(tmp_path: Path) -> None:
    write(tmp_path, "hosts.yml", "all:\n  hosts:\n    gw-1:\n    gw-2:\n")
    assert place(tmp_path) == "None"
    write(tmp_path, "group_vars/all.yml", f"{NAME}: {{forwards: 7}}\n")
    assert place(tmp_path) == "inventory/group_vars/all.yml:1"
    write(tmp_path, "group_vars/routers/x.yml", f"a: 1\n{NAME}: {{forwards: 7}}\n")
    assert place(tmp_path) == "inventory/group_vars/routers/x.yml:2"
    assert place(tmp_path, groups=()) == "inventory/group_vars/all.yml:1"
    write(tmp_path, "host_vars/gw-1.yaml", f"# {NAME}: none\n{NAME}:\n  bridged: true\n  forwards: 7\n")
    assert place(tmp_path) == "inventory/host_vars/gw-1.yaml:4"
    assert place(tmp_path, key="") == "inventory/host_vars/gw-1.yaml:2"
    assert place(tmp_path, host="gw-11") == "inventory/group_vars/routers/x.yml:2"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"all:\n  hosts:\n    gw-1:\n      {NAME}:\n        forwards: 1\n", 5),
        (f"all:\n  hosts:\n    gw-2: {{{NAME}: {{forwards: 1}}}}\n    gw-1: {{{NAME}: {{forwards: 1}}}}\n", 4),
        (f"[routers]\ngw-2 {NAME}='{{}}'\ngw-1 {NAME}='{{\"forwards\": 1}}'\n", 3),
    ],
)
def test_one_of_several_hosts_in_a_file_is_found_by_its_name(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path, "hosts", text)
    assert place(tmp_path) == f"inventory/hosts:{line}"


def test_files_that_tell_two_places_tell_none(tmp_path: Path) -> None:
    write(tmp_path, "group_vars/a.yml", f"{NAME}: {{forwards: 7}}\n")
    write(tmp_path, "group_vars/b.yml", f"{NAME}: {{forwards: 7}}\n")
    assert place(tmp_path, groups=("a", "b")) == "None"
    assert place(tmp_path, groups=("a",)) == "inventory/group_vars/a.yml:1"

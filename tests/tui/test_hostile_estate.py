"""An estate whose files hold what commands a terminal or a toolkit: every screen, dialog and list shows it as text."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.examples import FULL
from tests.tui.map_estate import FILES, drawn
from tests.tui.terminal import Terminal
from tests.tui.written_bytes import copied, foreign

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
COMMANDS = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202eevil\u2066\u200b\u2028"
MARKUP = "[@click=app.bell]ring[/][true, false]b[/]"
LONG = "长" * 5_000 + "x" * 5_000
NAMES = (f"a{COMMANDS}", MARKUP, "=1+1", "数据库" * 9, f"long{LONG}")
# Each: the keys that lead somewhere, and what is done there.
WALK = (
    "j j j j enter esc y : role enter",  # overview, the palette
    "2 j enter esc j enter esc / = ctrl+u a esc space j space L tab esc esc y",
    "3 l j enter esc d tab tab l p f esc esc v j l v - - e y",
    "tab n esc 4 j j e esc esc t n y S j x esc 5 b b j f f x enter esc y 6 y",
    ": history enter y : verify enter y : check j enter y ctrl+o esc 1",
)
BROKEN = "j enter esc 2 3 4 j e esc esc 5 6 : check enter j enter"


def hostile(directory: Path) -> None:
    """Write the estate: names of hosts, labels, rules, files, comments, and errors that repeat them."""
    hosts = {
        name[:99].replace("[", "{"): {
            "ansible_host": f"10.0.5.{number}",
            "vm": {"role": name, "env": NAMES[number % len(NAMES)]},
        }
        for number, name in enumerate(NAMES, 1)
    }
    group = "\n".join(f"        {line}" for line in json.dumps(hosts).splitlines())
    # the policy itself refuses what commands a terminal: see the test of broken files
    rules = [
        {"name": f"{name} rule", "from": {"role": "web"}, "to": {"role": name}, "allow": "tcp/443"}
        for name in NAMES[1:]
    ]
    flows = "".join(
        f"10.0.5.{number},10.0.1.4,5432,tcp,3,answered,2026-11-24T06:00:00Z\n" for number in range(1, len(NAMES) + 1)
    )
    drawn(
        directory,
        {
            "inventory/hosts.yml": f"{FILES['inventory/hosts.yml']}    hostile:\n      hosts:\n{group}\n",
            f"policy/{MARKUP.replace('/', '_')}.yml": json.dumps({"scope": {"app": "shop"}, "rules": rules}),
            "flows.csv": FILES["flows.csv"] + flows,
        },
    )


@pytest.mark.parametrize(
    "one",
    [NAMES[0], "\x07", "\x9b2J", "\x1b]52;x;YQ==\x07", "\x1b]0;a\x1b\\", "\x1bc", "\x1bPq\x1b\\", "\x00"],
    ids=ascii,
)
def test_what_is_not_the_applications_is_found(one: str) -> None:
    assert foreign(f"\x1b[?25l\x1b[0;1mab{one}c\x1b[K".encode())


@pytest.mark.parametrize("size", [(80, 24), (160, 50)] if FULL else [(100, 30)], ids=str)
def test_every_screen_shows_a_hostile_estate_as_text(tmp_path: Path, size: tuple[int, int]) -> None:
    hostile(tmp_path)
    with Terminal(RINGFENCE, size, cwd=tmp_path, env={"XDG_STATE_HOME": str(tmp_path.parent / "state")}) as terminal:
        terminal.wait_for("covered")
        for keys in WALK:
            for key in keys.split():
                terminal.press(key)
                terminal.settle(0.2 if key == "esc" else 0.06)
                assert terminal.status is None, (keys, key, terminal.written[-3000:].decode(errors="replace"))
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
    assert not foreign(terminal.written)
    for one in copied(terminal.written):
        assert one.isprintable(), one
    assert b"Traceback" not in terminal.written
    assert b"fault of Ringfence" not in terminal.written
    assert b"click=app.bell" in terminal.written


def test_broken_files_with_hostile_names_are_told_as_text(tmp_path: Path) -> None:
    hostile(tmp_path)
    (tmp_path / "policy" / f"{MARKUP.replace('/', '_')}\u202e\x1b[31m.yml").write_text(
        json.dumps({"rules": [{"name": f"{COMMANDS}{MARKUP}", f"{COMMANDS}{MARKUP}": 1}]})
    )
    (tmp_path / "labels.yml").write_text(json.dumps({"labels": [{MARKUP + COMMANDS: "vm.role"}]}))
    with Terminal(RINGFENCE, cwd=tmp_path, env={"XDG_STATE_HOME": str(tmp_path.parent / "state")}) as terminal:
        terminal.wait_for("9 errors")
        for key in BROKEN.split():
            terminal.press(key)
            terminal.settle(0.2 if key == "esc" else 0.06)
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
    assert not foreign(terminal.written)
    for one in copied(terminal.written):
        assert one.isprintable(), one
    assert b"Traceback" not in terminal.written
    assert b"fault of Ringfence" not in terminal.written

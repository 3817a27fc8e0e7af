"""The application over a terminal: the overview, assets found and labelled, the help, read-only, a lost engine."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.tui.terminal import Terminal
from tests.unit.cli_shop import shop

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
HOSTILE = """\
all:
  vars: {ringfence_labels: {app: shop, env: prod}}
  hosts:
    web-1: {ansible_host: 10.0.1.1, vm: {role: "[true, false]b[/]"}}
    web-2: {ansible_host: 10.0.1.3, vm: {role: "[@click=app.bell]web[/]"}}
    "db\\u202e\\u009b2Jx": {ansible_host: 10.0.1.2, vm: {role: db}}
"""


def engines_of(pid: int) -> list[int]:
    """Return the engine processes that a process began."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if "ringfence_tui.engine" in Path(f"/proc/{child}/cmdline").read_text()]


def test_from_the_overview_to_a_label_that_is_written(tmp_path: Path) -> None:
    shop(tmp_path)
    with Terminal(RINGFENCE, (100, 30), cwd=tmp_path) as terminal:
        terminal.wait_for("covered      4 of 4")
        assert "a  look at the assets" in terminal.text()
        terminal.press("a")
        terminal.wait_for(">api-1")
        terminal.press("/", "role=we")
        terminal.wait_for("2 of 4")
        terminal.press("tab", "enter")
        terminal.wait_for(">web-1")
        terminal.press("space")
        terminal.wait_for("1 marked")
        terminal.press("L")
        terminal.wait_for("key=value")
        terminal.press("tier=front", "enter")
        shown = terminal.wait_for("write it into labels.yml")
        assert "1 of 1 marked assets get it" in shown
        assert "tier" not in (tmp_path / "labels.yml").read_text()
        terminal.press("enter")
        terminal.wait_for("written into labels.yml")
        assert "tier: front" in (tmp_path / "labels.yml").read_text()
        terminal.press(":", "overview")
        terminal.wait_for("Go to Overview")
        terminal.press("enter")
        terminal.wait_for("NEXT")
        terminal.press("?")
        terminal.wait_for("Keys of Overview")
        terminal.press("esc")
        terminal.wait_for(lambda shown: "Keys of" not in shown)
        terminal.press("q")
        assert terminal.wait_end() == 0


def test_read_only_writes_nothing_and_says_so(tmp_path: Path) -> None:
    shop(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with Terminal([*RINGFENCE, "--read-only"], cwd=tmp_path) as terminal:
        terminal.wait_for("read-only")
        terminal.press("2")
        terminal.wait_for(">api-1")
        terminal.press("L")
        terminal.wait_for("cannot write labels.yml")
        for key, said in (("3", "groups"), ("5", "by category"), ("4", "RULE"), ("1", "covered      4 of 4")):
            terminal.press(key)
            terminal.wait_for(said)
        terminal.press("q")
        terminal.wait_end()
    assert sorted(tmp_path.rglob("*")) == before, "nor what only saves time"


def test_a_lost_engine_is_told_and_the_next_question_begins_another(tmp_path: Path) -> None:
    shop(tmp_path)
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        terminal.wait_for("covered      4 of 4")
        (engine,) = engines_of(terminal.pid)
        os.kill(engine, signal.SIGKILL)
        terminal.wait_for("the engine ended (signal 9)")
        terminal.press("2")
        terminal.wait_for(">api-1")
        assert engines_of(terminal.pid) != [engine]


def test_hostile_names_are_text(tmp_path: Path) -> None:
    shop(tmp_path, {"inventory/hosts.yml": HOSTILE})
    with Terminal(RINGFENCE, (120, 30), cwd=tmp_path) as terminal:
        terminal.wait_for("ASSETS")
        terminal.press("2")
        terminal.wait_for("db\\u202e\\x9b2Jx")
        for text in ("[true, false]b[/]", "[@click=app.bell]web[/]"):
            terminal.press("down")
            terminal.wait_for(lambda shown, text=text: text in "".join(shown.splitlines()[15:]))
        assert "\u202e".encode() not in terminal.written
        assert "\x9b".encode() not in terminal.written
        terminal.press("q")
        assert terminal.wait_end() == 0


def test_a_broken_workspace_opens_and_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    shop(tmp_path, {"policy/shop.yml": "rules:\n  - {from: any, to: any, allov: any}\n"})
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        shown = terminal.wait_for("policy/shop.yml:2")
        assert "not known" in shown
        terminal.press("c")
        terminal.wait_for("Check")
        terminal.wait_for("'allov' is not a key of a rule")


def test_without_a_workspace_a_new_one_is_begun(tmp_path: Path) -> None:
    with Terminal(RINGFENCE, cwd=tmp_path) as terminal:
        terminal.wait_for("Begin a new workspace")
        terminal.press("n")
        terminal.wait_for("managed from")
        terminal.press("enter", "10.9.0.0/24", "enter")
        terminal.wait_for("NEXT")
    assert "10.9.0.0/24" in (tmp_path / "shop-net/ringfence.yml").read_text()


def test_what_lies_over_a_screen_is_seen_in_a_smaller_terminal_too(tmp_path: Path) -> None:
    with Terminal(RINGFENCE, (200, 60), cwd=shop(tmp_path)) as terminal:
        terminal.wait_for("NEXT")
        terminal.press(":")
        terminal.wait_for("esc leaves")
        terminal.resize(100, 30)
        terminal.wait_for("esc leaves")


def test_a_click_beside_a_question_neither_reaches_what_is_below_nor_takes_the_keys_from_it(tmp_path: Path) -> None:
    shop(tmp_path)
    with Terminal(RINGFENCE, (100, 30), cwd=tmp_path) as terminal:
        terminal.wait_for("covered      4 of 4")
        terminal.press("4")
        terminal.wait_for("web to api")
        terminal.press("e")
        terminal.wait_for("ctrl+s into the draft")
        terminal.press("#", "esc")
        terminal.wait_for("leave without it")
        terminal.click(20, 3)
        terminal.settle()
        terminal.press("enter")
        terminal.wait_for(lambda shown: "leave without it" not in shown and "ctrl+s into the draft" not in shown)
        terminal.press("q")
        assert terminal.wait_end() == 0

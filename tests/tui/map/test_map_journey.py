"""From an edge to the simulated draft in at most four keys, on a terminal, and what the commands say of it then."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.tui.map_estate import CLOCK, FLOWS, GUARDRAILS, POLICY, drawn
from tests.tui.terminal import Terminal
from tests.unit.cli_shop import data, ringfence

RINGFENCE = [sys.executable, "-m", "ringfence.cli"]
DEV, DB = {"app": "shop", "env": "dev", "role": "api"}, {"app": "shop", "env": "prod", "role": "db"}
NAME = "dev api never reaches prod db"


@pytest.fixture
def directory(tmp_path):
    """Return an estate in git, so that what was written can be compared."""
    drawn(tmp_path)
    for words in (
        ["init", "-q"],
        ["add", "policy"],
        ["-c", "user.name=k", "-c", "user.email=k@k", "commit", "-qm", "k"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def opened(terminal: Terminal) -> None:
    """Go to the map, with the cursor on the cell from the dev hosts to the production database."""
    terminal.wait_for("ASSETS")
    terminal.press("3")
    terminal.wait_for("prod shop web")
    terminal.press("g", "home", "l", "l", "l", "l")
    terminal.wait_for(lambda text: " dev shop api  to  prod shop db " in text and "'any host to databases'" in text)


def row_of(terminal: Terminal, name: str) -> str:
    """Return the line of the matrix of a group."""
    return next((line for line in terminal.screen() if re.match(rf" +\d+ {name}", line)), "")


def pair(directory) -> dict[str, object]:
    """Return what `simulate --json` says of the cell."""
    return next(one for one in data(directory, "simulate")["by_labels"] if (one["from"], one["to"]) == (DEV, DB))


def test_two_keys_make_a_draft_and_one_takes_it_back(directory):
    with Terminal(RINGFENCE, (120, 40), cwd=directory, env=CLOCK) as terminal:
        opened(terminal)
        assert row_of(terminal, "dev  shop api").endswith("·  +2*!1*│·  +2*·  │·  ·")
        terminal.press("d")
        sheet = terminal.wait_for("decides   1 of 1 flow   newly denied 1   newly allowed 0")
        assert "policy/guardrails.yml, tier guardrail" in sheet
        assert "bites     1 of 1 host   tests 1/1" in sheet
        terminal.press("enter")
        shown = terminal.wait_for(lambda text: "x2*" in text and f"draft  x 1  '{NAME}' policy/guardrails.yml:" in text)
        assert "draft 1 *" in shown
        assert "held   ~ 1" in shown
        assert "files  + 1  'any host to databases' policy/shop.yml:8" in shown
        assert (directory / "policy/guardrails.yml").read_text() == GUARDRAILS, "the draft is not in the files"
        assert pair(directory)["newly_denied"]["flows"] == 0, "the files say what they said"
        terminal.press("u")
        terminal.wait_for(lambda text: "x2*" not in text and "the draft is empty" in text)
        terminal.press("ctrl+r")
        terminal.wait_for("x2*")
        terminal.press("w")
        terminal.wait_for(f"policy/guardrails.yml  add '{NAME}'")
        terminal.press("enter")
        terminal.wait_for("written: policy/guardrails.yml")
        terminal.wait_for(f"files draft       x 1  '{NAME}' policy/guardrails.yml:")
    assert pair(directory)["newly_denied"] == {"flows": 1, "connections": 52}
    changed = subprocess.run(
        ["git", "diff", "-U0", "policy"], cwd=directory, capture_output=True, text=True, check=True
    )
    lines = [line for line in changed.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert lines == [
        f"+  - name: {NAME}",
        "+    from: {env: dev, app: shop, role: api}",
        "+    to: {env: prod, app: shop, role: db}",
        "+    deny: tcp/5432",
    ]
    answer = data(directory, "explain", "dev-api-1", "db-1", "tcp/5432")
    assert (answer["verdict"], answer["sides"][1]["rule"]) == ("deny", NAME)


def test_a_rule_that_would_decide_nothing_says_who_stands_before_it(directory):
    with Terminal(RINGFENCE, (80, 24), cwd=directory, env=CLOCK) as terminal:
        opened(terminal)
        terminal.press("a")
        sheet = terminal.wait_for("decides   0 of 1 flow")
        assert "'any host to databases'" in sheet
        terminal.press("esc")
        terminal.wait_for(lambda text: "effect on" not in text)
        assert "x2*" not in terminal.text()


def test_broken_files_are_told_and_flows_that_came_since_are_seen(directory):
    (directory / "policy/shop.yml").write_text("rules: [\n")
    with Terminal(RINGFENCE, (80, 24), cwd=directory, env=CLOCK) as terminal:
        terminal.wait_for("1 Overview")
        terminal.press("3")
        shown = terminal.wait_for("no picture: what is wrong stands below")
        assert "policy/shop.yml:" in terminal.wait_for("✗"), shown
        (directory / "policy/shop.yml").write_text(POLICY)
        terminal.press("1")
        terminal.wait_for("ASSETS")
        terminal.press("3")
        terminal.wait_for("8 groups")
        more = "10.0.1.4,10.0.2.3,99,tcp,5,answered,2026-11-24T06:00:00Z"
        (directory / "more.csv").write_text(f"{FLOWS.splitlines()[0]}\n{more}\n")
        assert ringfence(directory, "flows", "add", str(directory / "more.csv")).exit_code == 0
        terminal.press("1")
        terminal.wait_for("ASSETS")
        terminal.press("3")
        terminal.wait_for(lambda _: "x1*" in row_of(terminal, "prod shop db"))


def test_a_draft_that_was_made_elsewhere_is_on_the_map_when_it_is_opened_again(directory):
    with Terminal(RINGFENCE, (80, 24), cwd=directory, env=CLOCK) as terminal:
        opened(terminal)
        terminal.press("d", "enter")
        terminal.wait_for("x2*")
    with Terminal(RINGFENCE, (80, 24), cwd=directory, env=CLOCK) as terminal:
        opened(terminal)
        assert "x2*" in row_of(terminal, "dev  shop api")
        assert "draft 1 *" in terminal.text()

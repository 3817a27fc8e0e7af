"""Twenty explanations of a drawn estate, as a person reads them on a terminal, say what the command says."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.map.test_map_equals_engine import estate
from tests.tui.map_estate import CLOCK, POLICY
from tests.tui.terminal import Terminal
from tests.unit.cli_shop import data

EVERY = 20
WIDTH, HALF = 120, 60
HEAD, SIDES = 3, 5


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, dict[tuple[str, str, int], tuple[str, ...]], Terminal]]:
    """Return the estate, what the terminal shows of twenty connections, and the terminal."""
    directory = tmp_path_factory.mktemp("estate")
    asked = random.Random(5).sample(estate(directory), EVERY)
    with Terminal([sys.executable, "-m", "ringfence.cli"], (WIDTH, 40), cwd=directory, env=CLOCK) as terminal:
        terminal.wait_for("ASSETS")
        terminal.press("2")
        terminal.wait_for("prod-web-1")
        terminal.press("e")
        terminal.wait_for("enter answers")
        shown = {}
        for number, (client, server, port) in enumerate(asked):
            if number:
                terminal.press("tab")
            for word in (client, server):
                terminal.press("end", "ctrl+u", word, "tab")
            terminal.press("end", "ctrl+u", f"tcp/{port}", "enter")
            ends = f" {client}, outbound", f" {server}, inbound", f" tcp/{port}"
            terminal.wait_for(lambda text, ends=ends: _shows(text.splitlines(), *ends))
            terminal.settle()
            shown[client, server, port] = terminal.screen()
        yield directory, shown, terminal


def _shows(lines: list[str], client: str, server: str, service: str) -> bool:
    text = "\n".join(lines[SIDES:])
    answered = lines[HEAD].endswith(service) and "held ~" in lines[HEAD + 1]
    return answered and client in text and server in text and " kernel " in text


def test_they_have_the_verdicts_rules_places_and_modes_of_the_command(told: Any) -> None:
    directory, shown, _ = told
    assert len(shown) == EVERY
    for (client, server, port), screen in shown.items():
        (answer,) = data(directory, "explain", client, server, f"tcp/{port}")["answers"]
        verdict = "DENIED" if answer["verdict"] == "deny" else "ALLOWED"
        assert verdict in screen[HEAD], screen
        body = screen[SIDES:]
        for place, side in enumerate(answer["sides"]):
            column = "\n".join(line.ljust(WIDTH)[place * HALF : (place + 1) * HALF] for line in body)
            assert f"{side['verdict']}  {side['rule']}" in column, (side, screen)
            assert f"mode   {side['mode']}" in column, (side, screen)
            assert side["place"] in column, (side, screen)
        if answer["nearest"]:
            assert f"'{answer['nearest']['rule']}' {answer['nearest']['place']}" in "\n".join(body), screen


def test_a_broken_file_is_named_with_its_place_and_the_rest_works(told: Any) -> None:
    directory, _, terminal = told
    (directory / "policy/shop.yml").write_text(POLICY.replace("    to: {role: api}", "    too: {role: api}"))
    terminal.press("r")
    terminal.wait_for("policy/shop.yml:")
    terminal.press("4")
    text = terminal.wait_for(lambda text: "nobody logs into databases" in text and "error" in text)
    assert "policy/shop.yml:" in text
    terminal.press("2")
    terminal.wait_for("prod-web-1")
    terminal.press("q")
    assert terminal.wait_end() == 0
    assert b"Traceback" not in terminal.written

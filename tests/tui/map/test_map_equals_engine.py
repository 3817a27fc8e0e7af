"""All cells of a drawn estate, as a person reads them on a terminal, say what the commands say; together, all of it."""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from ringfence.model.picture import Sign
from ringfence.presenting.map.words import MEANINGS

from tests.tui.map_estate import CLOCK, drawn
from tests.tui.terminal import Terminal
from tests.unit.cli_shop import data

ROLES, ENVS = ("web", "api", "db"), ("prod", "dev")
PORTS = (8443, 5432, 22)
CELL = re.compile(r"([x!?~+])\s([\d,]+)")
LEAST = 20  # cells
EXPLAINED = 5  # cells, each flow of them


def estate(directory: Path) -> list[tuple[str, str, int]]:
    """Write an estate with drawn flows; return them by client, server and port."""
    draw = random.Random(7)
    hosts = {f"{env}-{role}-{n}": (env, role) for env in ENVS for role in ROLES for n in (1, 2)}
    address = {name: f"10.0.1.{number}" for number, name in enumerate(hosts, 10)}
    lines = [
        f"    {name}: {{ansible_host: {address[name]}, vm: {{env: {env}, role: {role}}}}}"
        for name, (env, role) in hosts.items()
    ]
    inventory = "all:\n  vars: {ringfence_labels: {app: shop}}\n  hosts:\n" + "\n".join(lines) + "\n"
    flows = {(draw.choice([*hosts]), draw.choice([*hosts]), draw.choice(PORTS)) for _ in range(140)}
    kept = sorted(flow for flow in flows if flow[0] != flow[1])
    rows = [
        f"{address[client]},{address[server]},{port},tcp,{draw.randint(1, 5000)},answered,2026-11-24T06:00:00Z"
        for client, server, port in kept
    ]
    head = "client,server,port,protocol,connections,outcome,first_seen\n"
    drawn(directory, {"inventory/hosts.yml": inventory, "flows.csv": head + "\n".join(rows) + "\n"})
    return kept


def name(labels: dict[str, str]) -> str:
    """Return what the map calls the labels of an entry of `simulate --json`."""
    return " ".join(labels[key] for key in ("env", "app", "role"))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return the estate, its flows, what `simulate --json` says of each pair of groups, and what the terminal shows."""
    directory = tmp_path_factory.mktemp("estate")
    flows = estate(directory)
    simulated = data(directory, "simulate", "--since", "7d")["by_labels"]
    pairs = {(name(row["from"]), name(row["to"])): row for row in simulated}
    with Terminal([sys.executable, "-m", "ringfence.cli"], (120, 40), cwd=directory, env=CLOCK) as terminal:
        terminal.wait_for("ASSETS")
        terminal.press("3")
        terminal.wait_for("prod shop web")
        groups = [
            words for words in (re.match(r"\s+(\d+) (\w+ +\w+ +\w+)", line) for line in terminal.screen()) if words
        ]
        places = {" ".join(found[2].split()): int(found[1]) - 1 for found in groups}
        terminal.press("g", "home")
        shown, row, column = {}, 0, 0
        for client, server in sorted(pairs, key=lambda pair: (places[pair[0]], places[pair[1]])):
            down, right = places[client] - row, places[server] - column
            terminal.press(*["j" if down > 0 else "k"] * abs(down), *["l" if right > 0 else "h"] * abs(right))
            row, column = places[client], places[server]
            terminal.wait_for(lambda text, ends=f" {client}  to  {server} ": ends in text and " process" in text)
            shown[client, server] = terminal.screen()
    return directory, flows, pairs, shown


def strip(screen, state):
    """Return the numbers that the strip has for a state, by sign."""
    line = next(line for line in screen if re.match(rf" (\w+ )*{state}\b", line) and CELL.search(line))
    found = line.split("'")[0]
    return {sign: int(number.replace(",", "")) for sign, number in CELL.findall(found)}


def test_cells_have_the_numbers_of_simulate(told):
    _, _, pairs, shown = told
    assert len(shown) == len(pairs) >= LEAST
    for pair, screen in shown.items():
        row, found = pairs[pair], strip(screen, "files")
        every = {
            kind: row[kind]["flows"] for kind in ("still_allowed", "newly_allowed", "newly_denied", "still_denied")
        }
        assert sum(found.values()) == sum(every.values()), (pair, screen)
        assert found.get("x", 0) == every["newly_denied"] + every["still_denied"], pair
        assert found.get("!", 0) == row["would_be_denied"]["flows"], pair


def test_cells_have_the_verdicts_of_explain(told):
    directory, flows, _, shown = told
    for pair, screen in list(shown.items())[:: len(shown) // EXPLAINED]:
        counted: Counter[str] = Counter()
        for client, server, port in flows:
            if (_group(client), _group(server)) == pair:
                counted[_sign(data(directory, "explain", client, server, f"tcp/{port}"))] += 1
        assert strip(screen, "files") == counted, (pair, screen)


def test_the_cells_sum_to_the_totals_of_the_window(told):
    directory, flows, _, shown = told
    totals = data(directory, "map", "--since", "7d")["totals"]
    for state in ("held", "files"):
        summed = sum((Counter(strip(screen, state)) for screen in shown.values()), Counter())
        assert {MEANINGS[Sign(sign)].replace(" ", "_"): flows for sign, flows in summed.items()} == {
            word: count["flows"] for word, count in totals[state].items()
        }
        assert sum(summed.values()) == len(flows)


def test_the_heading_counts_the_groups_that_have_traffic(told):
    _, _, pairs, shown = told
    assert f"{len({end for pair in pairs for end in pair})} groups" in next(iter(shown.values()))[1]


def _group(host: str) -> str:
    env, role, _ = host.split("-")
    return f"{env} shop {role}"


def _sign(answer) -> str:
    if answer["verdict"] == "deny":
        return "x"
    if any(side["would_deny"] for side in answer["sides"]):
        return "!"
    return "~" if all(side["rule"] == "default" for side in answer["sides"]) else "+"

"""With `--json` a command that fails prints its errors as data, and nobody has to read what is written for people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli_shop import ringfence, shop

EMERGENCIES = [
    ("quarantine", "10.0.0.999", "--because", "scans", "--yes"),
    ("quarantine", "web-1", "--yes"),
    ("quarantine", "web-1", "--because", "scans"),
    ("quarantine",),
    ("release", "q-00000000"),
    ("end", "web-1"),
    ("allow-for", "2x", "web-1", "db-1", "tcp/5432", "--because", "index"),
    ("allow-for", "2h", "web-1"),
    ("request", "2h", "web-1", "nobody", "tcp/5432", "--because", "index"),
    ("approve", "p-00000000", "--key", "/nowhere"),
    ("grant", "p-00000000"),
    ("emergencies", "nobody"),
]


@pytest.mark.parametrize("words", EMERGENCIES, ids=lambda words: " ".join(words[:2]))
def test_an_emergency_command_that_fails_prints_its_errors_as_data(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = ringfence(shop(tmp_path), *words, "--json")
    told = json.loads(done.stdout)
    assert (told["ok"], told["exit_status"], done.exit_code) == (False, 2, 2)
    for one in told["errors"]:
        assert one["message"] in done.stderr
        assert set(one) == {"message", "place", "remedy"}


def test_a_no_to_the_question_is_data_too(tmp_path: Path) -> None:
    done = ringfence(shop(tmp_path), "quarantine", "web-1", "--because", "scans", "--json", given="n\n")
    assert (json.loads(done.stdout), done.exit_code) == ({"ok": False, "declined": True}, 1)


def test_without_json_nothing_of_it_is_on_standard_output(tmp_path: Path) -> None:
    assert ringfence(shop(tmp_path), "release", "q-00000000").stdout == ""

"""Hosts whose names look the same are shown as possibly one machine, with the places of both."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence.model.identity import Identity
from ringfence.model.rules import Settings
from ringfence.sources.alike_names import TOLD, groups_alike
from ringfence.sources.inventory import survey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "plugin: ringfence.core.onprem\ntable: ../hosts.csv\n"


def told(directory: Path, files: dict[str, str], settings: Settings | None = None) -> list[str]:
    """Return what a survey of an inventory of these files says of names that look the same."""
    for name, text in files.items():
        path = directory / "inventory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = survey([Path("inventory")], [], settings or Settings(), now=NOW, directory=directory, facts={})
    return [one.message for one in found.problems if "look the same" in one.message]


@pytest.mark.parametrize("other", ["WEB-1", "web-1.", "w\uff45b-1", "w\u0435b-1"])
def test_two_rows_of_a_table_whose_names_look_the_same_are_told_with_both_lines(tmp_path: Path, other: str) -> None:
    rows = f"name,addresses\nweb-1,10.0.0.1\ndb-1,10.0.0.2\n{other},10.0.0.3\n"
    (message,) = told(tmp_path, {"../hosts.csv": rows, "30.yml": TABLE})
    assert "(hosts.csv:2)" in message
    assert "(hosts.csv:4)" in message
    assert "are they one machine?" in message


def test_hosts_of_two_sources_whose_names_look_the_same_are_told_with_both_sources(tmp_path: Path) -> None:
    files = {
        "../hosts.csv": "name,addresses\nweb-1,10.0.0.1\n",
        "30.yml": TABLE,
        "10.ini": "WEB-1 ansible_host=10.0.0.2\n",
    }
    (message,) = told(tmp_path, files)
    assert "'WEB-1' (inventory/10.ini:1)" in message
    assert "'web-1' (inventory/30.yml)" in message


def test_names_that_differ_in_how_accents_are_composed_look_the_same(tmp_path: Path) -> None:
    assert len(told(tmp_path, {"10.ini": "caf\u00e9 ansible_host=10.0.0.1\ncafe\u0301 ansible_host=10.0.0.2\n"})) == 1


def test_names_that_a_person_says_are_two_machines_are_not_told(tmp_path: Path) -> None:
    settings = Settings(identity=Identity(different=(("WEB-1", "web-1"),)))
    assert told(tmp_path, {"10.ini": "web-1 ansible_host=10.0.0.1\nWEB-1 ansible_host=10.0.0.2\n"}, settings) == []


def test_a_source_that_is_there_twice_in_capitals_is_counted_and_does_not_flood(tmp_path: Path) -> None:
    lines = [
        f"{name}-{number} ansible_host=10.0.{at}.{number}\n" for at, name in enumerate("aA") for number in range(30)
    ]
    messages = told(tmp_path, {"10.ini": "".join(lines)})
    assert len(messages) == TOLD + 1
    assert messages[-1].startswith("10 more names")


def test_names_of_other_letters_are_not_alike() -> None:
    assert groups_alike(["web-1", "web-2", "web-1.corp.example"]) == []

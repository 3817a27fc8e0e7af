"""What Ansible cannot parse is placed at its file and line, also where its words name neither."""

from pathlib import Path

import pytest
from ringfence.model.errors import Place
from ringfence.sources.parse_places import broken_at

YAML = "YAML parsing failed: While parsing a flow sequence did not find expected ',' or ']'."


@pytest.mark.parametrize(
    ("file", "text", "message", "said", "expected"),
    [
        ("a.ini", "x ansible_host=10.0.0.1\ny foo\n", "Expected key=value, got: foo", "a.ini", ("a.ini", 2)),
        ("c.yml", "compose:\n  y: nosuch.var\n", "Could not set y: 'nosuch' is undefined", "c.yml", ("c.yml", 2)),
        ("a.json", '{"all": {"hosts": ]}\n', YAML, "a.json", ("a.json", 1)),
        ("group_vars/all.yml", "k: !vault x\na: [1\n", YAML, None, ("group_vars/all.yml", 3)),
        ("host_vars/w/v.yml", "a: [1\n", YAML, None, ("host_vars/w/v.yml", 2)),
        ("a.ini", "x\n", "nothing that stands there", "a.ini", ("a.ini", 0)),
    ],
)
def test_a_broken_file_is_placed_by_what_is_said_and_by_what_stands_in_it(
    tmp_path: Path, file: str, text: str, message: str, said: str | None, expected: tuple[str, int]
) -> None:
    path = tmp_path / "inventory" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    place = broken_at(message, Place(f"inventory/{said}") if said else None, [Path("inventory")], tmp_path)
    assert place is not None
    assert (place.file, place.line) == (f"inventory/{expected[0]}", expected[1])


def test_a_file_that_only_the_words_name_is_the_place(tmp_path: Path) -> None:
    file = tmp_path / "inventory" / "group_vars" / "all.yml"
    file.parent.mkdir(parents=True)
    file.write_text("- a\n")
    place = broken_at(f"Could not process '{file}': expected dicts", None, [Path("inventory")], tmp_path)
    assert place == Place("inventory/group_vars/all.yml")

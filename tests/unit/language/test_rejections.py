"""What a person rejected, as a file: read with the place of every fault, written behind what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.language.definitions import Definitions
from ringfence.language.rejections import add_rejections, read_rejections
from ringfence.model.errors import InputErrors

REJECTED = {
    "id": "3a0a2f6d",
    "from": {"app": "shop", "role": "web"},
    "to": {"role": "db"},
    "allow": ["postgresql"],
    "because": "a report: it's done",
    "date": "2026-11-24",
}


def test_what_was_written_is_read_and_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "suggestions.yml"
    path.write_text("# ours\nrejected:\n  - {from: {role: api}, to: {role: db}, allow: ssh} # never\n")

    add_rejections(path, [REJECTED])
    first, second = read_rejections(path, Definitions(), tmp_path)

    assert path.read_text().startswith(
        "# ours\nrejected:\n  - {from: {role: api}, to: {role: db}, allow: ssh} # never\n"
    )
    assert (first.because, second.id, second.because) == ("", "3a0a2f6d", "a report: it's done")


def test_where_there_is_no_file_nothing_is_rejected(tmp_path: Path) -> None:
    assert read_rejections(tmp_path / "suggestions.yml", Definitions(), tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rejected:\n  - {from: {role: web}, allow: ssh}\n", "suggestions.yml:2:5: this rejection lacks to"),
        ("refused: []\n", "suggestions.yml:1:1: 'refused' is not a key"),
        ("rejected:\n  - {from: {role: web}, to: {role: db}, allow: shh}\n", "suggestions.yml:2:48: 'shh'"),
        ("rejected:\n  - web to db\n", "suggestions.yml:2:5: this is not a rejection"),
        ("rejected: []\n---\n- 1\n", "suggestions.yml:3:1: this is not a mapping"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "suggestions.yml").write_text(text)

    with pytest.raises(InputErrors) as found:
        read_rejections(tmp_path / "suggestions.yml", Definitions(), tmp_path)

    assert said in f"{found.value.errors[0].place}: {found.value.errors[0].message}"


def test_the_first_of_all_begins_the_file_also_where_the_list_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "suggestions.yml"
    for text in (None, "rejected:\n", "rejected: []\n"):
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        add_rejections(path, [REJECTED])
        assert len(read_rejections(path, Definitions(), tmp_path)) == 1

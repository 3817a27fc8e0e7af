"""Questions are answered from what the inventory said last while that holds, and say how old it is."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli_shop import data, ringfence, shop


def test_a_question_says_how_old_the_answer_is_until_a_file_changes_or_somebody_wants_a_fresh_one(
    tmp_path: Path,
) -> None:
    directory = shop(tmp_path)
    first = ringfence(directory, "lint")
    assert "the inventory answered" not in first.stderr
    second = ringfence(directory, "lint")
    assert "ago (--fresh asks it again)" in second.stderr
    assert (second.stdout, second.exit_code) == (first.stdout, first.exit_code)
    assert data(directory, "explain", "web-1", "db-1", "tcp/1")["inventory_age"] >= 0
    assert "inventory_age" not in data(directory, "explain", "web-1", "db-1", "tcp/1", "--fresh")
    assert "inventory answered" not in ringfence(directory, "check").stderr

    table = next(path for path in (directory / "inventory").iterdir() if path.is_file() and "web-1" in path.read_text())
    table.write_text(table.read_text().replace("web-1", "web-9"))
    changed = ringfence(directory, "assets", "--json")
    assert "web-9" in changed.stdout
    assert "inventory answered" not in changed.stderr


def test_a_plan_that_keeps_a_snapshot_leaves_the_answer_standing(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    assert ringfence(directory, "assets", "keep").exit_code == 0
    assert "inventory answered" in ringfence(directory, "assets").stderr

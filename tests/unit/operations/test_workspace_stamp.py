"""When what an application keeps of a workspace is out of date."""

from __future__ import annotations

from pathlib import Path

from ringfence.operations.workspace_stamp import workspace_stamp


def test_a_line_more_in_a_plans_journal_and_the_record_of_hosts_are_news(tmp_path: Path) -> None:
    plan = tmp_path / "plans/0715fe98431f"
    plan.mkdir(parents=True)
    journal = plan / "journal.jsonl"
    journal.write_text("one host has confirmed\n")
    before = workspace_stamp(tmp_path)
    with journal.open("a") as file:
        file.write("another one has\n")
    confirmed = workspace_stamp(tmp_path)
    (tmp_path / ".ringfence").mkdir()
    (tmp_path / ".ringfence/state.json").write_text("{}")

    assert len({before, confirmed, workspace_stamp(tmp_path)}) == 3

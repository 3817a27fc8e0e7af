"""`plans`, `snapshots` and `runs`: listed; before something is forgotten it is shown, and a person asked."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli_shop import NOW, data, ringfence, shop


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A shop with three plans and three snapshots, a day apart."""
    made = shop(tmp_path / "shop")
    for day, name in enumerate(("web-8", "web-9", "web-10")):
        hosts = made / "inventory/hosts.yml"
        hosts.write_text(
            hosts.read_text().replace("    web-1:", f"    {name}: {{ansible_host: 10.0.1.1{day}}}\n    web-1:")
        )
        time = str(int(NOW) + day * 86400)
        assert ringfence(made, "plan", "--no-flows", env={"SOURCE_DATE_EPOCH": time}).exit_code == 0
    return made


def listed(workspace: Path, what: str) -> list[dict[str, object]]:
    found = data(workspace, what)
    assert isinstance(found, list)
    return found


def test_plans_and_snapshots_are_listed_the_newest_last(workspace: Path) -> None:
    plans, snapshots = listed(workspace, "plans"), listed(workspace, "snapshots")

    assert [(one["number"], one["hosts"], one["signed"]) for one in plans] == [
        (1, 5, False),
        (2, 6, False),
        (3, 7, False),
    ]
    assert [one["assets"] for one in snapshots] == [5, 6, 7]
    assert data(workspace, "assets", "snapshots") == snapshots
    assert str(plans[0]["id"]) in ringfence(workspace, "plans").output


def test_without_a_terminal_nothing_is_forgotten_and_the_option_is_named(workspace: Path) -> None:
    first = str(listed(workspace, "plans")[0]["id"])

    refused = ringfence(workspace, "plans", "forget", "--keep", "1")

    assert refused.exit_code == 2
    assert f"- {first}  2026-11-24 07:00 UTC" in refused.output
    assert "2 plans to forget" in refused.output
    assert "--yes" in refused.output
    assert len(listed(workspace, "plans")) == 3


def test_with_yes_what_was_chosen_goes_and_the_data_say_what(workspace: Path) -> None:
    ids = [one["id"] for one in listed(workspace, "plans")]

    done = data(workspace, "plans", "forget", "--keep", "0", "--yes")

    assert isinstance(done, dict)
    assert [one["id"] for one in done["forgotten"]] == ids[:2]
    assert [(one["id"], one["why"]) for one in done["kept"]] == [(ids[2], "it is the newest")]
    assert done["bytes"] == sum(one["bytes"] for one in done["forgotten"]) > 0
    assert [one["id"] for one in listed(workspace, "plans")] == ids[2:]


def test_snapshots_stay_as_long_as_their_plans(workspace: Path) -> None:
    kept = ringfence(workspace, "snapshots", "forget", "--keep", "1", "--yes")
    assert "0 snapshots forgotten" in kept.output
    assert kept.output.count("was made from it") == 2

    ringfence(workspace, "plans", "forget", "--keep", "1", "--yes")
    assert "2 snapshots forgotten" in ringfence(workspace, "snapshots", "forget", "--keep", "1", "--yes").output
    assert len(listed(workspace, "snapshots")) == 1
    assert ringfence(workspace, "check").exit_code == 0


def test_a_named_plan_that_is_needed_stays_and_the_answer_is_no(workspace: Path) -> None:
    newest = str(listed(workspace, "plans")[-1]["id"])

    refused = ringfence(workspace, "plans", "forget", newest[:6])

    assert refused.exit_code == 1
    assert f"= {newest} stays: it is the newest" in refused.output


def test_what_says_nothing_is_wrong_input(workspace: Path) -> None:
    for group in ("plans", "snapshots", "runs"):
        refused = ringfence(workspace, group, "forget")
        assert refused.exit_code == 2
        assert f"nothing says which {group} to forget" in refused.output
    assert listed(workspace, "runs") == []


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", 1), (b"n\n", 3)])
def test_on_a_terminal_a_person_is_asked(workspace: Path, answer: bytes, left: int) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    words = ["plans", "forget", "--keep", "1", "--workspace", str(workspace)]
    done = subprocess.run(
        [sys.executable, "-m", "ringfence.cli", *words],
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    os.close(ours)
    os.close(theirs)

    assert "Forget 2 plans (" in done.stderr
    assert len(listed(workspace, "plans")) == left

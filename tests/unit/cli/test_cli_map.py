"""`ringfence map` on a small shop: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import re
import stat
from io import StringIO
from pathlib import Path

import pytest

from tests.unit.cli_shop import data, ringfence, shop, write


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = shop(tmp_path_factory.mktemp("shop"))
    assert ringfence(made, "flows", "add", str(made / "flows.csv")).exit_code == 0
    return made


def test_the_matrix_shows_what_becomes_of_the_kept_flows(directory: Path) -> None:
    lines = ringfence(directory, "map").stdout.splitlines()
    assert lines[3].split() == ["3", "prod/shop/web", "+2*", "x1*", "·"]
    assert "files (what the files say): 2 flows, 14 connections" in lines
    assert "held (what hosts enforce): ~ 2" in lines


def test_another_state_and_other_groups_can_be_asked_for(directory: Path) -> None:
    lines = ringfence(directory, "map", "--by", "env", "--state", "held").stdout.splitlines()
    assert lines[1].split() == ["1", "prod", "~2"]


def test_the_data_has_what_the_matrix_shows(directory: Path) -> None:
    found = data(directory, "map")
    assert isinstance(found, dict)
    assert found["totals"]["files"] == {
        "allowed": {"flows": 1, "connections": 10},
        "denied": {"flows": 1, "connections": 4},
    }
    services = [one["services"][0]["service"] for one in found["edges"]]
    assert sorted(services) == ["tcp/5432", "tcp/8443"]


def test_files_are_whole_the_same_twice_and_for_their_owner_alone(directory: Path, tmp_path: Path) -> None:
    for kind in ("html", "svg", "mermaid", "csv"):
        texts = []
        for name in ("one", "two"):
            file = tmp_path / f"{name}.{kind}"
            assert ringfence(directory, "map", f"--{kind}", str(file)).exit_code == 0
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            texts.append(file.read_text("utf-8"))
        assert texts[0] == texts[1]
        assert "db-1" in texts[0] if kind == "html" else "db" in texts[0]


def test_mermaid_and_csv_are_printed_where_no_file_is_named(directory: Path) -> None:
    assert ringfence(directory, "map", "--mermaid").stdout.startswith("flowchart LR\n")
    rows = list(csv.DictReader(StringIO(ringfence(directory, "map", "--csv").stdout)))
    assert {one["sign"] for one in rows} == {"allowed", "denied", "undecided"}


def test_the_page_has_the_steps_of_the_window(directory: Path, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    assert ringfence(directory, "map", "--html", str(file), "--since", "4h", "--steps", "4").exit_code == 0
    text = file.read_text("utf-8")
    assert text.count('"since":"2026-11-24T0') == 5
    assert '"since":"2026-11-24T06:00:00Z","until":"2026-11-24T07:00:00Z"' in text


def test_the_draft_stands_beside_held_and_files(directory: Path) -> None:
    empty = ringfence(directory, "map", "--state", "draft")
    assert (empty.exit_code, "the draft is empty" in empty.stderr) == (2, True)
    assert ringfence(directory, "draft", "add", "role=web", "role=db", "postgresql", "--allow").exit_code == 0
    try:
        found = ringfence(directory, "map", "--state", "draft").stdout
        steps = ringfence(directory, "map", "--state", "draft", "--html", "-", "--since", "4h", "--steps", "2").stdout
    finally:
        ringfence(directory, "draft", "drop")
    assert "draft (the files with the draft): 2 flows, 14 connections" in found
    assert "files (what the files say): x 1, + 1" in found
    assert "  x  " not in found
    assert '["draft","the files with the draft"]],"state":2' in steps


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--html", "a.html", "--svg", "a.svg"), "--html and --svg: give one of them"),
        (("--csv", "a.csv", "--json"), "--csv and --json: give one of them"),
        (("--steps", "3"), "--steps is for the page"),
        (("--by", "env,rol"), "no asset has a label 'rol'"),
        (("--flows", "flows.csv", "--html", "a.html", "--steps", "3"), "have no span of time"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(
    directory: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(directory)
    found = ringfence(directory, "map", *options)
    assert (found.exit_code, said in found.stderr) == (2, True), found.stderr
    assert not list(directory.glob("a.*"))


def test_flows_that_cannot_be_read_are_counted(directory: Path) -> None:
    write(directory, "broken.csv", "client,server,port,protocol\n10.0.1.1,10.0.1.3,8443,tcp\nx,y,z,tcp\n")
    found = ringfence(directory, "map", "--flows", str(directory / "broken.csv"))
    assert found.exit_code == 2
    assert "1 flow could not be read and is left out" in found.stderr


def test_a_window_without_flows_says_so(directory: Path) -> None:
    shown = ringfence(directory, "map", "--since", "1m").stdout
    assert re.match(r"no flow was seen since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", shown)


def test_many_assets_are_put_together_by_their_labels(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.cli.map.TOGETHER", {"": 1, "svg": 1})
    few = [line for line in ringfence(directory, "map", "--by", "asset").stdout.splitlines() if " web" in line]
    assert few
    assert "env &gt; app &gt; role" in ringfence(directory, "map", "--by", "asset", "--svg", "-").stdout

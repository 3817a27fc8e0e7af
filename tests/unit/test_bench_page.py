"""The page of the benchmarks: what is measured anew takes the place of what was there, and nothing else is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import report


def figures(name: str, seconds: float) -> dict[str, object]:
    return {
        "name": name,
        "subject": f"What {name} does.",
        "machine": "a machine",
        "seconds": seconds,
        "peer": 2.0,
        "unit": "CPU seconds",
        "ratio": seconds / 2,
        "table": [["way", "CPU, s"], ["ours", str(seconds)]],
        "targets": [["at most", seconds, 1.5, seconds <= 1.5]],
        "remarks": ["Nothing was hidden."],
    }


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(report, "PAGE", tmp_path / "benchmarks.md")
    return tmp_path / "benchmarks.md"


def kept(page: Path) -> dict[str, float]:
    lines = [line for line in page.read_text().splitlines() if line.startswith(report.KEPT)]
    found = [json.loads(line.removeprefix(report.KEPT).removesuffix(" -->")) for line in lines]
    return {one["name"]: one["seconds"] for one in found}


def test_a_benchmark_measured_alone_leaves_the_others_figures_on_the_page(page: Path) -> None:
    report.page([figures("compile", 1.0), figures("verify", 1.25)])
    report.page([figures("verify", 1.75)])
    assert kept(page) == {"compile": 1.0, "verify": 1.75}
    assert "- met: at most: 1.0 (target 1.5)" in page.read_text()
    assert "- **missed**: at most: 1.75 (target 1.5)" in page.read_text()


def test_the_published_page_is_what_its_figures_give() -> None:
    published = report.PAGE.read_text()
    sections = [line.removeprefix("## ") for line in published.splitlines() if line.startswith("## ")]
    assert sections == list(kept(report.PAGE))

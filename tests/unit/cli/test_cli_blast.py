"""`ringfence blast` from one asset of the shop, on which nothing is enforced yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli_shop import data, ringfence, shop


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop"))


def test_what_is_open_now_is_said_and_the_draft_is_beside_it(workspace: Path) -> None:
    words = ringfence(workspace, "blast", "api-1").output
    assert "reaches 3 of 3 other assets (3 over 1 hop)" in words
    assert "3 of these count as open: nothing is enforced there" in words
    assert "it would reach 1 of 3 other assets (1 over 1 hop): 0 new, 2 lost" in words
    found: Any = data(workspace, "blast", "api-1", "--by", "role")
    assert [(one["labels"], one["services"]) for one in found["draft"]["groups"]] == [({"role": "db"}, ["tcp/5432"])]
    assert found["services_lost"][0]["count"] == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("wb-1",), "did you mean 'web-1'?"),
        (("role=web",), "'role=web' chooses 2 assets"),
        (("any",), "name one asset"),
        (("internet",), "ringfence reach --from internet"),
        (("web-1", "--by", "colour"), "no asset has a label 'colour'"),
        (("web-1", "--service", "tpc/1"), "tpc"),
    ],
)
def test_wrong_words_are_told_with_the_way_out(workspace: Path, words: tuple[str, ...], error: str) -> None:
    told = ringfence(workspace, "blast", *words)
    assert told.exit_code == 2
    assert error in told.stderr

"""Labelling marked assets: the rule, what it would do, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.label_by_hand import label_rule_for, preview_label, write_label

from tests.unit.cli_shop import shop


def test_a_preview_counts_and_writing_gives_exactly_that(tmp_path: Path) -> None:
    estate = Estate(shop(tmp_path))
    before = (tmp_path / "labels.yml").read_text()

    found = preview_label(estate, ["web-1"], "role=api", FlowSelection(since="7d"))

    assert (found.touched, found.replaced) == (("web-1",), 1)
    assert found.tables
    assert (tmp_path / "labels.yml").read_text() == before
    write_label(estate, ["web-1"], "role=api")
    assert (tmp_path / "labels.yml").read_text().startswith(before)
    labels = {asset.name: asset.label_values()["role"] for asset in Estate(tmp_path).snapshot.assets}
    assert labels == {"api-1": "api", "db-1": "db", "web-1": "api", "web-2": "web"}


def test_a_label_that_no_asset_has_comes_behind_every_other_rule(tmp_path: Path) -> None:
    estate = Estate(shop(tmp_path))

    assert label_rule_for(estate, ["db-1"], "tier=front end")["priority"] == 300
    write_label(estate, ["db-1"], "tier=front end")
    assert Estate(tmp_path).snapshot.named()["db-1"].label_values()["tier"] == "front end"


@pytest.mark.parametrize(
    ("names", "label", "said"),
    [
        (["web-1"], "env=dev", "the inventory itself gives env"),
        (["web-1"], "role", "is not a valid label"),
        (["web-9"], "role=db", "there is no asset web-9"),
        ([], "role=db", "no asset is marked"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, names: list[str], label: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        label_rule_for(Estate(shop(tmp_path)), names, label)

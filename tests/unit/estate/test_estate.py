"""A loaded workspace: what a reload tells, what stays where it fails, and reading by several threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from ringfence.estate import Estate, Listener
from ringfence.model.errors import InputErrors

from tests.unit.cli_shop import FILES, NOW, shop, write


class Working(Listener):
    """Keeps what was worked on."""

    def __init__(self) -> None:
        self.on: list[str] = []

    @contextmanager
    def working(self, on: str) -> Iterator[None]:
        """Keep a step."""
        self.on.append(on)
        yield


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    return shop(tmp_path)


def test_a_reload_tells_what_changed_and_values_that_were_given_out_stay(directory: Path) -> None:
    estate = Estate(directory)
    before, table = estate.snapshot, estate.compilation.tables["db-1"]
    write(directory, "policy/shop.yml", FILES["policy/shop.yml"].replace("tcp/8443", "tcp/8444"))
    write(directory, "inventory/more.yml", "all: {hosts: {db-2: {ansible_host: 10.0.1.5, vm: {role: db}}}}\n")

    changed = estate.reload()

    assert changed
    assert (changed.policy, changed.label_rules, changed.settings) == (True, False, False)
    assert (changed.assets.added, changed.assets.removed) == (("db-2",), ())
    assert "db-2" in estate.snapshot.named()
    assert "db-2" not in before.named()
    assert estate.compilation.tables["db-1"] is not table
    assert not estate.reload()


def test_a_reload_of_broken_files_fails_and_what_was_loaded_stays(directory: Path) -> None:
    estate = Estate(directory)
    policy, snapshot = estate.workspace.policy, estate.snapshot
    write(directory, "policy/shop.yml", "rules: nonsense\n")

    with pytest.raises(InputErrors):
        estate.reload()

    assert estate.workspace.policy is policy
    assert estate.snapshot is snapshot


def test_several_threads_that_read_load_each_part_once(directory: Path) -> None:
    working = Working()
    estate = Estate(directory, working)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: estate.compiled(full=number % 2 == 0), range(8)))

    assert len({id(one) for one in found}) == 2
    assert sorted(working.on) == [
        "asking the inventory",
        "compiling the policy",
        "compiling the policy",
        "reading the workspace",
    ]


def test_a_fresh_survey_asks_the_inventory_again_and_forgets_the_tables_made_of_the_last(directory: Path) -> None:
    estate = Estate(directory)
    assert "db-2" not in estate.compilation.tables
    write(directory, "inventory/more.yml", "all: {hosts: {db-2: {ansible_host: 10.0.1.5, vm: {role: db}}}}\n")
    assert "db-2" not in estate.survey().snapshot.named()

    assert "db-2" in estate.survey(fresh=True).snapshot.named()
    assert "db-2" in estate.compilation.tables

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


@pytest.mark.parametrize(
    ("file", "before", "after", "hosts"),
    [
        ("policy/shop.yml", "tcp/8443", "tcp/8444", ("api-1", "web-1", "web-2")),
        ("policy/shop.yml", "# nothing", "", ()),
        (
            "policy/shop.yml",
            "allow: postgresql",
            "allow: postgresql\n  - {from: {role: db}, to: {role: api}, allow: udp}",
            ("api-1", "db-1"),
        ),
        ("inventory/hosts.yml", "vm: {role: api}", "vm: {role: web}", ("api-1", "db-1", "web-1", "web-2")),
        ("inventory/hosts.yml", "10.0.1.2,", "10.0.1.9,", ("api-1", "db-1", "web-1", "web-2")),
        ("ringfence.yml", "port: 22", "port: 2222", ("api-1", "db-1", "web-1", "web-2")),
    ],
)
def test_a_reload_names_the_hosts_whose_tables_differ_and_gives_those_of_a_new_estate(
    directory: Path, file: str, before: str, after: str, hosts: tuple[str, ...]
) -> None:
    estate = Estate(directory)
    tables = dict(estate.compiled().tables)
    estate.compiled(full=True)
    write(directory, file, FILES[file].replace(before, after) + "# read again\n")

    changed = estate.reload()

    fresh = Estate(directory)
    for full in (False, True):
        assert {name: table.digest for name, table in estate.compiled(full=full).tables.items()} == {
            name: table.digest for name, table in fresh.compiled(full=full).tables.items()
        }
    assert bool(changed.tables) == bool(hosts)
    assert set(changed.tables or ()) <= set(hosts)
    assert changed.tables == tuple(
        name for name in sorted(tables) if fresh.compiled().tables[name].digest != tables[name].digest
    )


def test_a_reload_makes_no_tables_that_nobody_asked_for(directory: Path) -> None:
    working = Working()
    estate = Estate(directory, working)

    assert estate.reload().tables is None
    assert "compiling the policy" not in working.on


def test_a_question_about_some_hosts_compiles_their_tables_alone(directory: Path) -> None:
    estate = Estate(directory)
    some = estate.compiled(only=["db-1"])
    assert set(some.tables) == {"db-1"}
    whole = estate.compiled()
    assert some.tables["db-1"].digest == whole.tables["db-1"].digest
    assert estate.compiled(only=["db-1"]) is whole

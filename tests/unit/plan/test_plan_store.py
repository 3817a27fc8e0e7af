"""Plans on disk: found by their first digits, read with every check, signed by people."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import (
    PlanError,
    check_signature,
    load_plan,
)
from ringfence.model.errors import InputError, Place
from ringfence.plan import Held, find, next_sequence, read, read_state, sign, verify_files, write
from ringfence.plan.host_records import STATE_FILE, believed_sequence, write_state
from ringfence.plan.store import Head, heads, highest_planned, table_text

from tests.unit.plan.plan_estates import compilation, draft, rule


def test_a_plan_that_was_written_is_read_back(tmp_path: Path) -> None:
    made = draft()

    directory = write(made, tmp_path)

    assert directory.name == made.plan.digest[:12]
    assert read(directory) == made.plan
    verify_files(directory, made.plan)
    assert write(made, tmp_path) == directory
    assert [path.name for path in tmp_path.iterdir()] == [directory.name]


def test_a_changed_plan_is_not_read(tmp_path: Path) -> None:
    directory = write(draft(), tmp_path)
    path = directory / "plan.json"
    path.write_text(path.read_text().replace('"sequence": 1', '"sequence": 7'))

    with pytest.raises(InputError, match="not what its directory is named after"):
        read(directory)


def test_a_plan_with_a_key_too_many_is_not_read(tmp_path: Path) -> None:
    directory = write(draft(), tmp_path)
    path = directory / "plan.json"
    path.write_text(path.read_text().replace('"sequence": 1', '"extra": 1, "sequence": 1'))

    with pytest.raises(InputError, match="extra"):
        read(directory)


@pytest.mark.parametrize("junk", [b"", b"{", b"\xff\xfe", b"[1]", b"null"])
def test_junk_is_no_plan(tmp_path: Path, junk: bytes) -> None:
    directory = write(draft(), tmp_path)
    (directory / "plan.json").write_bytes(junk)

    with pytest.raises(InputError, match="this is not a valid plan"):
        read(directory)


def test_a_damaged_plan_names_the_way_out_and_that_way_works(tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    damaged = write(draft(), plans)
    (damaged / "plan.json").write_bytes(b"{")

    with pytest.raises(InputError) as told:
        next_sequence(plans)

    assert told.value.place == Place(str(damaged / "plan.json"))
    assert "move its directory away" in str(told.value.remedy)
    damaged.rename(tmp_path / "moved")
    assert next_sequence(plans, held=4) == 5


@pytest.mark.parametrize("spoil", ["emptied", "swapped"])
def test_a_plan_whose_directory_lost_it_is_not_passed_over(tmp_path: Path, spoil: str) -> None:
    plans, elsewhere = tmp_path / "plans", tmp_path / "elsewhere"
    directory = write(draft(), plans)
    elsewhere.mkdir()
    if spoil == "emptied":
        (directory / "plan.json").unlink()
    else:
        shutil.rmtree(directory)
        directory.symlink_to(elsewhere)

    with pytest.raises(InputError, match="there is no plan here"):
        list(heads(plans))


def test_a_changed_or_missing_file_is_found(tmp_path: Path) -> None:
    made = draft()
    directory = write(made, tmp_path)
    ruleset = directory / "rulesets" / f"{made.plan.hosts['web-1'].ruleset}.nft"
    ruleset.write_text(ruleset.read_text() + "\n")

    with pytest.raises(InputError, match="was changed"):
        verify_files(directory, made.plan)
    ruleset.unlink()
    with pytest.raises(InputError, match="is missing"):
        verify_files(directory, made.plan)


def test_a_plan_is_found_by_its_first_digits_by_its_path_and_as_the_latest(tmp_path: Path) -> None:
    first = write(draft(), tmp_path)
    second = write(draft(sequence=2), tmp_path)

    assert find(tmp_path, first.name[:5]) == first
    assert find(tmp_path, read(second).digest) == second
    assert find(tmp_path, str(first)) == first
    assert find(tmp_path, "latest") == second
    with pytest.raises(InputError, match="no plan begins with 'zz'"):
        find(tmp_path, "zz")
    with pytest.raises(InputError, match="begins 2 plans"):
        find(tmp_path, "")


def test_no_plan_is_the_latest_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no plan"):
        find(tmp_path, "latest")


def test_sequences_grow_past_plans_and_past_what_hosts_have_seen(tmp_path: Path) -> None:
    assert next_sequence(tmp_path / "plans") == 1
    write(draft(sequence=3), tmp_path)

    assert next_sequence(tmp_path) == 4
    assert next_sequence(tmp_path, held=8) == 9


@pytest.mark.parametrize(
    ("known", "told", "believed"),
    [
        (3, [4, 4, 2], 4),
        (3, [1003], 1003),
        (3, [1004], 0),
        (3, [5000, 5000, 4], 5000),
        (3, [5000, 4, 4], 4),
        (0, [5000], 5000),
        (0, [5000, 5000, 2**53 - 1], 5000),
        (0, [2**53 - 1], 0),
        (0, [2**53 - 1, 2**53 - 1], 0),
        (0, [], 0),
    ],
)
def test_a_number_far_above_every_plan_is_believed_where_most_hosts_report_it(
    known: int, told: list[int], believed: int
) -> None:
    hosts = {f"h{n}": Held(sequence=one, seen="2026-11-24T06:00:00Z") for n, one in enumerate(told)}

    found, others = believed_sequence(known, hosts)

    assert found == believed
    assert sorted(others.values()) == sorted(number for number in told if number > max(believed, known + 1000))


def test_a_table_is_found_in_whichever_plan_has_it(tmp_path: Path) -> None:
    made = draft()
    write(made, tmp_path)
    write(draft(compilation(None, rule(service="mysql"))), tmp_path)
    digest = made.plan.hosts["web-1"].table

    assert table_text(tmp_path, digest) == made.tables[digest]
    assert table_text(tmp_path, "0" * 64) is None


def test_the_record_of_what_hosts_hold_is_read_back(tmp_path: Path) -> None:
    hosts = {"web-1": Held(ruleset="a" * 64, sequence=3, seen="2026-11-24T06:00:00Z")}

    assert read_state(tmp_path) == {}
    write_state(tmp_path, hosts)
    assert read_state(tmp_path) == hosts
    (tmp_path / STATE_FILE).write_text('{"hosts": 1}')
    with pytest.raises(InputError, match="broken"):
        read_state(tmp_path)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def test_a_signed_plan_names_who_signed_it(tmp_path: Path, key: Path) -> None:
    directory = write(draft(), tmp_path / "plans")
    signers = tmp_path / "signers"
    signers.write_text(f"ann@example {key.with_suffix('.pub').read_text()}")

    with pytest.raises(PlanError, match="not signed"):
        check_signature(load_plan(str(directory)), str(signers))
    sign(directory, key)
    assert check_signature(load_plan(str(directory)), str(signers)) == "ann@example"


def test_what_orders_plans_is_read_without_the_whole_plan_and_checked_as_if_it_were(tmp_path: Path) -> None:
    made = draft()
    directory = write(made, tmp_path)
    ((found, head),) = heads(tmp_path)
    size = sum(one.stat().st_size for one in directory.rglob("*") if one.is_file())
    plan = made.plan
    assert found == directory
    assert head == Head(plan.sequence, plan.created, plan.digest, len(plan.hosts), plan.inputs.inventory, size)

    path = directory / "plan.json"
    path.write_text(path.read_text().replace('"sequence": 1', '"sequence": 7'))
    with pytest.raises(InputError, match="not what its directory is named after"):
        next_sequence(tmp_path)


def test_a_plan_that_was_read_writes_and_is_named_as_it_was(tmp_path: Path) -> None:
    directory = write(draft(), tmp_path)
    found = read(directory)

    assert found == draft().plan
    assert (found.text, found.digest) == (draft().plan.text, draft().plan.digest)


def test_the_number_of_a_plan_is_read_from_its_outermost_key_alone(tmp_path: Path) -> None:
    made = draft(sequence=5)
    named = made.plan.model_copy(update={"simulation": {"sequence": 9, "format": 1, "created": "x"}})
    write(replace(made, plan=named), tmp_path)

    assert highest_planned(tmp_path) == 5

"""Old snapshots are forgotten; those that plans or kept flows need never are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ringfence import file_heads
from ringfence.estate import Estate
from ringfence.flows.store import FlowStore
from ringfence.model.assets import Snapshot
from ringfence.model.flows import Flow
from ringfence.operations.assets import kept_snapshots
from ringfence.operations.forget_snapshots import forget_snapshots, snapshots_to_forget
from ringfence.operations.forgetting import Choice
from ringfence.plan import write
from ringfence.plan.artefact import Draft
from ringfence.sources.snapshots import digest, read_snapshot, write_snapshot

from tests.unit.estate_factory import asset
from tests.unit.plan.plan_estates import draft


def taken(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=UTC)


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """Five snapshots, taken at noon of five days."""
    for day in range(1, 6):
        held = Snapshot((asset("web-1", f"10.0.0.{day}", role="web"),), taken(day))
        write_snapshot(tmp_path / f".ringfence/snapshots/202611{day:02}T120000Z.json", held)
    return Estate(tmp_path)


def days(estate: Estate) -> list[int]:
    return [int(path.stem[6:8]) for path in estate.history.until()]


def forget(estate: Estate, choice: Choice) -> dict[int, str]:
    """Forget snapshots; return why some stay, by their days."""
    done = forget_snapshots(estate, choice, snapshots_to_forget(estate, choice))
    return {item.made.day: why for item, why in done.stays}


def test_all_but_the_newest_go_where_nothing_needs_them(estate: Estate) -> None:
    assert forget(estate, Choice(keep=0)) == {5: "it is the newest"}
    assert days(estate) == [5]


def test_a_snapshot_is_named_by_the_beginning_of_its_time(estate: Estate) -> None:
    forget(estate, Choice(names=("20261102",)))
    assert days(estate) == [1, 3, 4, 5]


def test_the_snapshot_that_a_plan_was_made_from_stays(estate: Estate) -> None:
    made = draft()
    inventory = digest(read_snapshot(estate.history.until()[1]))
    inputs = made.plan.inputs.model_copy(update={"inventory": inventory})
    plan = made.plan.model_copy(update={"inputs": inputs})
    write(Draft(type(plan).model_validate_json(plan.text), made.rulesets, made.tables), estate.plans)

    (short,) = (path.name for path in estate.plans.iterdir())
    assert forget(estate, Choice(keep=1)) == {2: f"plan {short} was made from it"}
    assert days(estate) == [2, 5]


@pytest.mark.parametrize(("day", "stay"), [(3, {2, 3}), (4, {3, 4}), (1, {1})])
def test_the_snapshots_of_the_days_of_kept_flows_stay(estate: Estate, day: int, stay: set[int]) -> None:
    flow = Flow(1, 2, 443, 6, taken(day), taken(day))
    FlowStore(estate.history.flows).add([flow])

    why = forget(estate, Choice(keep=1))

    assert set(why) == stay
    assert set(why.values()) == {f"flows of 2026-11-{day:02} are of its time"}


def test_flows_from_before_all_snapshots_need_the_first(estate: Estate) -> None:
    before = datetime(2026, 10, 1, tzinfo=UTC)
    FlowStore(estate.history.flows).add([Flow(1, 2, 443, 6, before, before)])

    assert set(forget(estate, Choice(keep=1))) == {1}


def test_snapshots_are_listed_without_reading_one_that_is_as_it_was(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_heads, "SETTLED", -(10**12))
    first = kept_snapshots(estate)
    assert [(one.head.assets, one.head.stale) for one in first] == [(1, 0)] * 5

    monkeypatch.setattr("ringfence.sources.snapshots.read_snapshot", never)
    assert kept_snapshots(estate) == first


def never(path: Path) -> Callable[[], None]:
    pytest.fail(f"{path} was read")

"""The picture of a workspace: what it shows is what `simulate --json` counts."""

from __future__ import annotations

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError
from ringfence.model.picture import GroupKind, PictureGroup, PolicyState, Sign, SignCount
from ringfence.operations.execution import Cancellation, Execution
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.picture import PictureRequest, cell_flows, picture
from ringfence.operations.simulate import simulate
from ringfence.rollout.cancellation import Cancelled

from tests.unit.cli_shop import shop

FILES = PolicyState.FILES


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    return Estate(shop(tmp_path_factory.mktemp("shop")))


def seen(estate: Estate) -> FlowSelection:
    return FlowSelection([estate.directory / "flows.csv"])


def test_its_totals_are_those_of_the_simulation(estate: Estate) -> None:
    found = picture(estate, PictureRequest(seen(estate)))
    with simulate(estate, seen(estate)) as simulated:
        counts = simulated.simulation.categories
    denied = sum(counts[one].flows for one in counts if one.value.endswith("denied"))
    assert found.totals[FILES].get(Sign.DENIED, SignCount()).flows == denied
    assert sum(one.flows for one in found.totals[FILES].values()) == sum(one.flows for one in counts.values())
    assert found.totals[PolicyState.HELD] == {Sign.UNDECIDED: SignCount(2, 14)}


def test_a_cell_names_the_rule_that_decides_with_its_place(estate: Estate) -> None:
    web, api = (PictureGroup(GroupKind.LABELS, ("prod", "shop", role)) for role in ("web", "api"))
    cell = cell_flows(estate, PictureRequest(seen(estate)), web, api)
    assert {(one.name, one.place, one.sign) for one in cell.rules[FILES]} == {
        ("web to api", "policy/shop.yml:3", Sign.ALLOWED)
    }


def test_a_level_that_no_asset_has_is_refused_with_what_was_meant(estate: Estate) -> None:
    with pytest.raises(InputError, match="no asset has a label 'rol'") as raised:
        picture(estate, PictureRequest(seen(estate), ("env", "rol")))
    assert "role" in raised.value.remedy


def test_a_cancelled_question_ends_without_a_result(estate: Estate) -> None:
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(Cancelled):
        picture(estate, PictureRequest(seen(estate)), Execution(cancel=cancel))

"""What the inventory asks of the enforcers of hosts and is not valid: errors, with the file and the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.enforcers import TakesOptions, enforcer, names, variable_of
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.model.safe_text import clean_line
from ringfence.sources.host_variables import INVENTORY
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.enforcers import OptionFault
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset

# Hosts with the same fault whose files are looked through; the others most likely have it of the first one's.
MOST_PLACES = 20


def option_problems(estate: Estate) -> list[Problem]:
    """Return an error for each fault in a variable of an enforcer; hosts that have it of one place share one.

    A host whose variable asks for what nobody can do would else be enforced on otherwise than somebody meant.
    """
    asked = [(variable_of(name), its) for name in names() if isinstance(its := enforcer(name), TakesOptions)]
    faulty: dict[tuple[str, OptionFault], list[Asset]] = {}
    for asset in estate.snapshot.assets:
        for variable, its in asked:
            given = asset.attributes.get(variable) if asset.workload else None
            for fault in its.option_faults(given) if given is not None else ():
                faulty.setdefault((variable, fault), []).append(asset)
    found: dict[tuple[str, OptionFault, Place], list[str]] = {}
    for (variable, fault), assets in faulty.items():
        looked_up = [_place(estate, asset, variable, fault.key) for asset in assets[:MOST_PLACES]]
        for number, asset in enumerate(assets):
            place = looked_up[number] if number < MOST_PLACES else looked_up[0]
            found.setdefault((variable, fault, place), []).append(asset.name)
    return [
        Problem(
            Severity.ERROR,
            clean_line(f"{variable} of {first_few(hosts)} {fault.why}"),
            place,
            clean_line(fault.remedy),
        )
        for (variable, fault, place), hosts in found.items()
    ]


def _place(estate: Estate, asset: Asset, variable: str, key: str) -> Place:
    from ringfence.sources.variable_places import place_of_variable

    groups = asset.attributes.get("groups")
    names_of_groups = [str(one) for one in groups] if isinstance(groups, list) else []
    paths, base = estate.workspace.inventory_paths, estate.directory
    return place_of_variable(variable, key, asset.name, names_of_groups, paths, base) or Place(INVENTORY)

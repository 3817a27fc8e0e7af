"""Names of hosts that people take for one and that are two: alike but for case, for letters, or for a dot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

from ringfence.language.look_alikes import code_points, looks_like, skeleton
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_variables import PLACE
from ringfence.sources.namesakes import written_at
from ringfence.wire.first_few import NAMED

# Pairs that are told by their places before the rest is counted: a source that is there twice has every name twice.
TOLD = 20


def alike(name: str) -> str:
    """Return what names have alike that look the same; a dot at the end of a full name says nothing."""
    bare = name.rstrip(".")
    return bare.casefold() if bare.isascii() else skeleton(bare)


def groups_alike(names: Iterable[str]) -> list[list[str]]:
    """Return the names that look the same and are not, in groups, each in the order given."""
    groups: dict[str, dict[str, None]] = defaultdict(dict)
    for name in names:
        groups[alike(name)][name] = None
    return [list(group) for group in groups.values() if len(group) > 1]


def alike_problems(
    assets: Sequence[Asset], paths: Sequence[Path], directory: Path, different: Sequence[Sequence[str]] = ()
) -> list[Problem]:
    """Return a warning for assets whose names look the same, which nothing else tells to be one machine or two."""
    by_name = {asset.name: asset for asset in assets}
    problems = []
    doubtful = [
        group
        for group in groups_alike(by_name)
        if not all(any({*pair} <= set(apart) for apart in different) for pair in combinations(group, 2))
    ]
    for group in doubtful[:TOLD]:
        places = [_place(by_name[name], paths, directory) for name in group]
        told = " and ".join(
            f"{name!r}{_strange(name, group[0])}" + (f" ({place})" if place else "")
            for name, place in list(zip(group, places, strict=True))[:NAMED]
        )
        message = f"{told} are {len(group)} assets, and their names look the same: are they one machine?"
        remedy = (
            "write the name alike in both; where they are several, say so in ringfence.yml: "
            f"identity: {{different: [[{', '.join(group[:NAMED])}]]}}"
        )
        problems.append(Problem(Severity.WARNING, message, next((place for place in places if place), None), remedy))
    if len(doubtful) > TOLD:
        message = f"{len(doubtful) - TOLD} more names are names of several assets that look the same"
        problems.append(Problem(Severity.WARNING, message, None, "is a source in there twice, with names in capitals?"))
    return problems


def _strange(name: str, usual: str) -> str:
    strange = code_points(name.casefold(), usual.casefold()) if looks_like(name, usual) else ""
    return f", {strange}" if strange else ""


def _place(asset: Asset, paths: Sequence[Path], directory: Path) -> Place | None:
    """Return where an asset is written: its row, else its line in a file of hosts, else its source."""
    row = asset.attributes.get(PLACE)
    if isinstance(row, str):
        file, _, line = row.rpartition(":")
        return Place(file, int(line)) if file and line.isdecimal() else Place(row)
    written = written_at(asset.name, paths, directory)
    return written or (Place(asset.sources[0]) if asset.sources else None)

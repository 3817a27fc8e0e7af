"""Records that are taken for one machine by their address alone, although they have other names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ringfence.model.assets import Asset
from ringfence.model.identity import ADDRESS
from ringfence.model.problems import Problem, Severity
from ringfence.sources.identifying import is_everybodys_name
from ringfence.sources.identity_keys import is_swept, short_name
from ringfence.sources.merging import hosts_of
from ringfence.wire.first_few import first_few

# What no person chose: addresses, also as host names of clouds, and ids of instances and virtual machines.
_NO_CHOICE = re.compile(r"[\d.]+|.*:.*|ip-[\d-]+|i-[0-9a-f]{8,}|vm-\d+", re.IGNORECASE)


def address_alone_problem(found: Sequence[Asset], made_of: Sequence[Asset]) -> list[Problem]:
    """Return a warning for the merged assets whose records share nothing but addresses, and have other names each.

    An address that a new machine got from an old one joins it with the old one's record, labels and all.
    """
    named = {asset.name: asset for asset in made_of}
    told = []
    for asset in found:
        identity = asset.attributes.get("identity")
        by = identity.get("by") if isinstance(identity, dict) else None
        if not by or not all(str(why).startswith(f"{ADDRESS} ") for why in by):
            continue
        parts = [named[name] for name in sorted(hosts_of(asset)) if name in named and not is_swept(named[name])]
        chosen = [part for part in parts if _is_chosen(short_name(part))]
        if len({short_name(part) for part in chosen}) > 1:
            names = " and ".join(f"'{part.name}' ({', '.join(part.sources)})" for part in chosen)
            told.append(f"{names}, {', '.join(str(why) for why in by)}")
    if not told:
        return []
    message = f"taken for one machine by address alone, with other names: {first_few(told, joint='; ')}"
    remedy = (
        "delete the record of a machine that is gone, or say in ringfence.yml what is so: "
        "identity: {same: [[…, …]]} or {different: [[…, …]]}"
    )
    return [Problem(Severity.WARNING, message, None, remedy)]


def _is_chosen(name: str) -> bool:
    return not (_NO_CHOICE.fullmatch(name) or is_everybodys_name(name))

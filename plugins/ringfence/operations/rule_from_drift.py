"""A rule of the draft made of drift: what a kernel lets through beyond its plan becomes what the policy allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError
from ringfence.model.picture import GroupKind, PictureGroup
from ringfence.operations import draft
from ringfence.operations.rule_from_cell import APP, free_name, homes_of

if TYPE_CHECKING:
    from ringfence.estate import Estate

EVERY = {4: "0.0.0.0/0", 6: "::/0"}
# Ranges of addresses that one rule names; more are no rule that a person would write.
MOST_RANGES = 50


@dataclass(frozen=True, slots=True)
class Opening:
    """What a host lets through and should not, as `verify` tells a difference of the kind `open`.

    `direction` is in or out of the host, `remote` are ranges of addresses of the family or `any`, `services` are words
    of the grammar.
    """

    host: str
    direction: str
    family: int
    remote: tuple[str, ...]
    services: tuple[str, ...]


def keep_in_draft(estate: Estate, opening: Opening) -> draft.AddRule:
    """Take a rule that allows it into the draft; return the rule.

    Raise InputError for a host that is not in the inventory, for more ranges than a rule should name, and InputErrors
    where the rule cannot be added.
    """
    rule = rule_from_drift(estate, opening)
    draft.change(estate, rule)
    return rule


def rule_from_drift(estate: Estate, opening: Opening) -> draft.AddRule:
    """Return the rule that allows it, and the file that it would go into; raise as `keep_in_draft` does."""
    asset = estate.snapshot.named().get(opening.host)
    if asset is None:
        raise InputError(f"the inventory has no '{opening.host}'", remedy="'ringfence remove' takes it off a host")
    if len(opening.remote) > MOST_RANGES:
        raise InputError(
            f"{len(opening.remote)} ranges of addresses are let in there: no rule should name them one by one",
            remedy="write a rule by labels, or renew the host's table",
        )
    remote = [EVERY[opening.family] if one == "any" else one for one in opening.remote]
    far: object = {"cidr": remote[0] if len(remote) == 1 else remote}
    services = opening.services[0] if len(opening.services) == 1 else list(opening.services)
    app = asset.labels[APP].value if APP in asset.labels else None
    near_group = PictureGroup(GroupKind.ASSET, (app,), 1, opening.host)
    far_group = PictureGroup(GroupKind.NETWORK, (None,), 0, remote[0])
    inbound = opening.direction == "in"
    groups = (far_group, near_group) if inbound else (near_group, far_group)
    edited = draft.show(estate).edited
    home = next(homes_of(estate, edited, (APP,), *groups, "allow"))
    ends = (far, {"asset": opening.host}) if inbound else ({"asset": opening.host}, far)
    name = f"kept: {'to' if inbound else 'from'} {opening.host}"
    return draft.AddRule(
        home.file,
        {"name": free_name(estate, edited, home.file, name), "from": ends[0], "to": ends[1], "allow": services},
        dict(home.head),
    )

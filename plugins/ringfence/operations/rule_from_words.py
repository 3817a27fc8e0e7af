"""A rule made of what a person typed: two ends, a service and what to do; where it goes and how it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.estate.draft_changes import AddRule
from ringfence.estate.queries import QueryReader
from ringfence.model.picture import GroupKind, PictureGroup
from ringfence.model.rules import DEFAULT_TIER
from ringfence.operations.rule_from_cell import free_name, home_of, name_of

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.estate.draft import Edited


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """What is asked for: both ends, services and action; what is empty is proposed.

    `process` is a unit of the client.
    """

    source: str
    destination: str
    services: str
    action: str
    name: str = ""
    file: str = ""
    tier: str = ""
    process: str = ""


def rule_from_words(estate: Estate, edited: Edited, written: WrittenRule) -> AddRule:
    """Return the change that adds a rule.

    Raise InputErrors for ends and services that are none, or that name what the inventory lacks.
    """
    queries = QueryReader(estate.workspace.definitions, estate.snapshot)
    queries.services(written.services)
    ends = [queries.plain(word) for word in (written.source, written.destination)]
    keys = [list(end) if isinstance(end, dict) else [] for end in ends]
    levels = tuple(dict.fromkeys(key for one in keys for key in one))
    client, server = _group(ends[0], levels, written.source), _group(ends[1], levels, written.destination)
    home = home_of(estate, edited, levels, client, server, written.action)
    head: Mapping[str, object] = home.head
    if written.file or written.tier:
        tier = written.tier or home.tier
        head = {} if tier == DEFAULT_TIER else {"tier": tier}
    file = written.file or home.file
    scope = head.get("scope")
    if isinstance(scope, dict):
        ends = [_within(end, scope) for end in ends]
    if written.process and isinstance(ends[0], dict):
        ends[0] = {**ends[0], "process": {"unit": written.process}}
    services = [one.strip() for one in written.services.split(",")]
    name = written.name or free_name(estate, edited, file, name_of(client, server, written.action))
    rule = {
        "name": name,
        "from": ends[0],
        "to": ends[1],
        written.action: services[0] if len(services) == 1 else services,
    }
    return AddRule(file, rule, head)


def _group(end: object, levels: tuple[str, ...], word: str) -> PictureGroup:
    """Return an end as a group of a picture, as far as its name and its application go."""
    if isinstance(end, dict) and end and all(isinstance(value, str) for value in end.values()):
        if not {"asset", "cidr", "selector", "list", "fqdn"} & end.keys():
            return PictureGroup(GroupKind.LABELS, tuple(end.get(level) for level in levels))
        return PictureGroup(GroupKind.NETWORK, (), 0, str(next(iter(end.values()))))
    return PictureGroup(GroupKind.NETWORK, (), 0, word.strip())


def _within(end: object, scope: Mapping[str, object]) -> object:
    if not isinstance(end, dict):
        return end
    return {key: value for key, value in end.items() if key not in scope or scope[key] != value}

"""The sheet: a rule filled from a cell, its fields, and the rule it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ringfence.model.draft_effect import FilledRule, RuleHome
from ringfence.model.picture import PictureEdge, PictureGroup, PolicyState

from ringfence_tui.screens.map.ends import End, ends_of
from ringfence_tui.screens.map.names import name_of, service_of

UNIT = ".service"
NAMES = {"allow": "{} to {}", "deny": "{} never reaches {}"}


class Field(StrEnum):
    """The fields of the sheet, in their order."""

    CLIENT = "from"
    SERVER = "to"
    SERVICES = "services"
    PROCESS = "process"
    HOME = "into"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Offer:
    """A service that was seen, and whether the rule has it."""

    word: str
    flows: int
    connections: int
    ticked: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """A rule as it is being filled in.

    `action` is `allow` or `deny`; `proposed` is the name that nobody has changed yet. `client` and `server` are places
    in `clients` and `servers`, `process` and `home` in theirs. `processes` are units of the client with how many flows
    each has; the first choice is none. `service` is the place of the service that space ticks; the one behind the last
    is any service.
    """

    action: str
    clients: tuple[End, ...]
    servers: tuple[End, ...]
    offers: tuple[Offer, ...]
    processes: tuple[tuple[str, int], ...] = ()
    homes: tuple[RuleHome, ...] = ()
    name: str = ""
    proposed: str = ""
    client: int = 0
    server: int = 0
    process: int = 0
    home: int = 0
    service: int = 0
    any_service: bool = False
    field: Field = Field.SERVICES

    @property
    def place(self) -> RuleHome | None:
        """Return where the rule goes, None as long as that is not known."""
        return self.homes[self.home] if self.homes else None

    @property
    def complete(self) -> bool:
        """Return whether the rule has a service."""
        return self.any_service or any(offer.ticked for offer in self.offers)

    def rule(self) -> dict[str, object]:
        """Return the rule as plain data of the grammar."""
        words = ["any"] if self.any_service else [offer.word for offer in self.offers if offer.ticked]
        client, server = self._scoped(self.clients[self.client]), self._scoped(self.servers[self.server])
        if self.process and isinstance(client, dict):
            client = {**client, "process": {"unit": self.processes[self.process - 1][0]}}
        services: object = words[0] if len(words) == 1 else words
        return {"name": self.name, "from": client, "to": server, self.action: services}

    def _scoped(self, end: End) -> object:
        """Return a selector without the labels that the document's scope says already."""
        scope = self.place.head.get("scope") if self.place is not None else None
        if not isinstance(end.selector, dict) or not isinstance(scope, dict):
            return end.selector
        return {key: value for key, value in end.selector.items() if scope.get(key) != value}

    def tabbed(self, step: int = 1) -> Sheet:
        """Return the sheet with the next field chosen."""
        every = list(Field)
        return replace(self, field=every[(every.index(self.field) + step) % len(every)])

    def levelled(self) -> Sheet:
        """Return the sheet with the chosen end meant by coarser labels, and at last by its own again."""
        if self.field is Field.SERVER:
            return replace(self, server=(self.server + 1) % len(self.servers))
        return replace(self, client=(self.client + 1) % len(self.clients), field=Field.CLIENT).without_lost_process()

    def without_lost_process(self) -> Sheet:
        """Return the sheet without a process where the client is no selector that may have one."""
        return self if isinstance(self.clients[self.client].selector, dict) else replace(self, process=0)

    def processed(self) -> Sheet:
        """Return the sheet with the next process of the client, none behind the last."""
        found = replace(self, process=(self.process + 1) % (len(self.processes) + 1), field=Field.PROCESS)
        return found.without_lost_process()

    def rehomed(self) -> Sheet:
        """Return the sheet with the next file."""
        return replace(self, home=(self.home + 1) % max(1, len(self.homes)), field=Field.HOME)

    def moved(self, step: int) -> Sheet:
        """Return the sheet with the service before or behind, or another value of the chosen field."""
        if self.field is Field.SERVICES:
            return replace(self, service=(self.service + step) % (len(self.offers) + 1))
        return self

    def toggled(self) -> Sheet:
        """Return the sheet with the service ticked that was not, or the other way round."""
        if self.service >= len(self.offers):
            return replace(self, any_service=not self.any_service, field=Field.SERVICES)
        offers = list(self.offers)
        offers[self.service] = replace(offers[self.service], ticked=not offers[self.service].ticked)
        return replace(self, offers=tuple(offers), any_service=False, field=Field.SERVICES)

    def filled(self, told: FilledRule) -> Sheet:
        """Return the sheet with what the engine knows: processes, documents, a name that no other rule has."""
        units = [(name, flows) for name, flows in told.processes if name is not None and name.endswith(UNIT)]
        name = str(told.rule.get("name", self.name)) if self.name == self.proposed else self.name
        offers = tuple(Offer(one.words, one.count.flows, one.count.connections) for one in told.services)
        if not offers or any(not offer.ticked for offer in self.offers) or len(offers) <= len(self.offers):
            offers = self.offers  # all are there, or somebody has chosen already
        filled = replace(self, processes=tuple(units), homes=told.homes, home=0, name=name, proposed=name)
        return replace(filled, offers=offers, any_service=self.any_service and not offers)


def sheet_of(
    action: str, client: PictureGroup, server: PictureGroup, edge: PictureEdge | None, levels: Sequence[str]
) -> Sheet:
    """Return the sheet of a cell: its ends at the shown level, and the services that were seen, all ticked."""
    offers = offers_of(edge) if edge is not None else ()
    name = NAMES[action].format(name_of(client), name_of(server))
    ends = ends_of(client, levels), ends_of(server, levels)
    return Sheet(action, *ends, offers, name=name, proposed=name, any_service=not offers)


def offers_of(edge: PictureEdge) -> tuple[Offer, ...]:
    """Return the services of an edge, each word once, the busiest first."""
    found: dict[str, Offer] = {}
    for service in edge.services:
        counts = service.signs.get(next(iter(service.signs), PolicyState.HELD), {})
        flows = sum(count.flows for count in counts.values())
        connections = sum(count.connections for count in counts.values())
        word = service_of(service)
        before = found.get(word, Offer(word, 0, 0))
        found[word] = Offer(word, before.flows + flows, before.connections + connections)
    return tuple(found.values())

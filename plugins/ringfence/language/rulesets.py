"""One written rule, in the setting of its document, as the model's rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.language.checking import check, fields, misspelt
from ringfence.language.nodes import Entry, Node, Scalar
from ringfence.language.printing import peers_text
from ringfence.language.rule_ids import RuleDraft
from ringfence.language.selectors import SelectorReader
from ringfence.language.shapes import RuleEntry
from ringfence.language.values import service_set
from ringfence.model.rules import Action, Direction, Peer, Rule
from ringfence.model.selectors import Selector
from ringfence.model.services import PORT_PROTOCOLS, Services, block_of
from ringfence.model.services import union as all_services

ACTIONS = tuple(str(action) for action in Action)
SIDES = {
    "both": frozenset(Direction),
    "from": frozenset({Direction.OUT}),
    "to": frozenset({Direction.IN}),
}
LISTENING = all_services(Services(block_of(number), block_of(number)) for number in PORT_PROTOCOLS.values())


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What a document says for all of its rules; `written` is the part of it that belongs to a rule's identity.

    `name` is its file and the line where the document begins.
    """

    file: str
    name: str
    scope: Selector | None
    tier: str
    priority: int
    written: Mapping[str, Node]


def read_rule(node: Node, ruleset: Ruleset, selectors: SelectorReader) -> RuleDraft | None:
    """Return a rule without its id, or None after reporting everything that is wrong with it."""
    reports = selectors.reports
    entry = check(node, RuleEntry, "a rule", reports)
    written = fields(node)
    sources = selectors.peers(written["from"].value, "from", ruleset.scope) if "from" in written else None
    destinations = selectors.peers(written["to"].value, "to", ruleset.scope) if "to" in written else None
    action, services = _action(node, written, selectors)
    if services and destinations:
        _refuse_unseen(written[str(action)], destinations, services, selectors)
    if entry is None or sources is None or destinations is None or action is None or services is None:
        return None
    derived = f"{peers_text(sources)} to {peers_text(destinations)}"
    return RuleDraft(
        Rule(
            id="",
            name=entry.name or derived,
            place=node.place,
            sources=sources,
            destinations=destinations,
            action=action,
            services=services,
            tier=ruleset.tier,
            priority=ruleset.priority if entry.priority is None else entry.priority,
            sides=SIDES[entry.at],
            log=entry.log,
            ruleset=ruleset.name,
        ),
        ruleset.file,
        entry.name,
        node,
        ruleset.written,
    )


def _action(
    node: Node, written: Mapping[str, Entry], selectors: SelectorReader
) -> tuple[Action | None, Services | None]:
    """Return the one action of a rule and its services; None for what is missing or wrong."""
    said = [written[word] for word in ACTIONS if word in written]
    found = [(Action(one.key), _services(one, selectors)) for one in said]
    if len(said) > 1:
        words = " and ".join(f"'{one.key}'" for one in sorted(said, key=lambda one: one.place))
        second = max(said, key=lambda one: one.place)
        selectors.reports.add(second.place, f"a rule has one action, this one has {words}", "make two rules of it")
    elif not said and written and not misspelt(node, RuleEntry) & set(ACTIONS):
        selectors.reports.add(node.place, "a rule needs an action", "add one of 'allow:', 'deny:', 'pass:'")
    return found[0] if len(found) == 1 else (None, None)


def _services(entry: Entry, selectors: SelectorReader) -> Services | None:
    if isinstance(entry.value, Scalar) and entry.value.value is None:
        return None
    return service_set(entry.value, selectors.definitions, selectors.reports)


def _refuse_unseen(entry: Entry, destinations: tuple[Peer, ...], services: Services, selectors: SelectorReader) -> None:
    """Report a listening process on services that no process listens for: only TCP, UDP and SCTP have listeners."""
    if all(peer.process for peer in destinations) and not (services.v4 & LISTENING.v4 or services.v6 & LISTENING.v6):
        selectors.reports.add(
            entry.value.place,
            "no process listens for this service, so none can be named in 'to'",
            "leave 'process' out, or name TCP, UDP or SCTP ports",
        )

"""A rule filled from a cell of the picture: its ends at the shown level, the services seen, where it goes, its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ringfence.analysis.picture_groups import ASSET, PROCESS
from ringfence.estate.draft import Edited
from ringfence.language.checking import fields
from ringfence.language.documents import parse_documents
from ringfence.language.nodes import plain
from ringfence.language.policies import HEADER
from ringfence.language.reports import Reports
from ringfence.language.writing import flow_text
from ringfence.model.draft_effect import FilledRule, OfferedService, RuleHome
from ringfence.model.picture import GroupKind, PictureCell, PictureGroup, PictureService, SignCount
from ringfence.model.rules import DEFAULT_TIER
from ringfence.operations.draft import texts_of
from ringfence.operations.suggest_draft import slug
from ringfence.suggest.cover import Service
from ringfence.suggest.rules import service_words
from ringfence.workspace import POLICY

if TYPE_CHECKING:
    from ringfence.estate import Estate

GUARDRAIL = "guardrail"
APP = "app"
Said = dict[str, object]


def rule_from_cell(
    estate: Estate,
    edited: Edited,
    levels: Sequence[str],
    cell: PictureCell,
    action: str,
    *,
    process: str | None = None,
    services: Sequence[str] = (),
) -> FilledRule:
    """Return the rule that a cell suggests; `action` is allow or deny, `process` a unit of the client to name.

    `services` are the words of those to tick; all that were seen where none are named, `any` where none was seen.
    """
    offered = tuple(_offered(cell))
    words = list(services) or [one.words for one in offered] or ["any"]
    homes = tuple(homes_of(estate, edited, levels, cell.client, cell.server, action))
    scope = homes[0].head.get("scope")
    app = scope.get(APP) if isinstance(scope, dict) else None
    client, server = (peer_of(levels, group, app) for group in (cell.client, cell.server))
    if process is not None and isinstance(client, dict):
        client = {**client, "process": {"unit": process}}
    name = free_name(estate, edited, homes[0].file, name_of(cell.client, cell.server, action))
    rule: Said = {"name": name, "from": client, "to": server, action: words[0] if len(words) == 1 else words}
    processes = tuple((one.process, one.count.flows) for one in cell.processes if one.side == "client")
    return FilledRule(rule, homes, offered, processes)


def peer_of(levels: Sequence[str], group: PictureGroup, app: object = None) -> object:
    """Return a group in the words of the grammar; within the scope of an application its label is left out."""
    match group.kind:
        case GroupKind.UNKNOWN | GroupKind.INTERNET:
            return group.kind.value
        case GroupKind.NETWORK:
            return {"cidr": group.name}
        case GroupKind.ASSET:
            return {"asset": group.name}
    said: Said = {}
    for level, value in zip(levels, group.labels, strict=False):
        if level not in (ASSET, PROCESS) and not (level == APP and app is not None and value == app):
            said[level] = {"exists": False} if value is None else value
    return said


def name_of(client: PictureGroup, server: PictureGroup, action: str) -> str:
    """Return what a person calls a rule between two groups: what tells them apart, and their finest label."""
    names = [list(_words(one)) for one in (client, server)]
    both = len(names[0]) == len(names[1])
    kept = [
        [
            word
            for place, word in enumerate(one)
            if not both or place == len(one) - 1 or names[0][place] != names[1][place]
        ]
        for one in names
    ]
    first, second = (" ".join(one) for one in kept)
    return f"{first} never reaches {second}" if action == "deny" else f"{first} to {second}"


def homes_of(
    estate: Estate, edited: Edited, levels: Sequence[str], client: PictureGroup, server: PictureGroup, action: str
) -> Iterator[RuleHome]:
    """Yield the documents that a rule can stand in: the proposed one, then all others of its tier, then the others.

    A denial goes to the guardrails, a permission to its application's ruleset.
    """
    tiers = estate.workspace.settings.tiers
    usual = DEFAULT_TIER if DEFAULT_TIER in tiers else tiers[-1]
    tier = GUARDRAIL if action == "deny" and GUARDRAIL in tiers else usual
    head: Said = {} if tier == DEFAULT_TIER else {"tier": tier}
    apps = [_label(levels, one, APP) for one in (client, server)]
    name = "guardrails" if tier == GUARDRAIL else apps[1] or apps[0] or "shared"
    if tier != GUARDRAIL and apps[0] is not None and apps[0] == apps[1]:
        head = {"scope": {APP: apps[0]}, **head}
    found = list(_documents(texts_of(estate, edited)))
    own = f"{POLICY}/{slug(name)}.yml"
    same = sorted((one for one in found if dict(one.head) == head), key=lambda one: (one.file != own, one.file))
    if same:
        yield same[0]
    else:
        count = max((one.document + 1 for one in found if one.file == own), default=0)
        yield RuleHome(own, head, count, tier, _scope(head), True)
    usable = [one for one in found if one not in same[:1] and _fits(one.head, apps)]
    yield from sorted(usable, key=lambda one: (one.tier != tier, one.file, one.document))


def home_of(
    estate: Estate, edited: Edited, levels: Sequence[str], client: PictureGroup, server: PictureGroup, action: str
) -> RuleHome:
    """Return the document that is proposed for a rule."""
    return next(homes_of(estate, edited, levels, client, server, action))


def _fits(head: Mapping[str, object], apps: Sequence[str | None]) -> bool:
    """Return whether a document's scope leaves the ends what they are."""
    scope = head.get("scope")
    return scope is None or scope in ({}, *({APP: apps[0]} for _ in apps[:1] if apps[0] and apps[0] == apps[1]))


def _documents(texts: Mapping[str, str]) -> Iterator[RuleHome]:
    """Yield the documents with rules of all files; what is no YAML has none."""
    for file, text in texts.items():
        for number, document in enumerate(parse_documents(text.removeprefix("\ufeff"), file, Reports())):
            entries = fields(document)
            if "rules" in entries:
                head = {key: plain(entries[key].value) for key in HEADER if key in entries}
                yield RuleHome(file, head, number, str(head.get("tier", DEFAULT_TIER)), _scope(head), False)


def _scope(head: Mapping[str, object]) -> str:
    return flow_text(head["scope"]) if "scope" in head else ""


def _label(levels: Sequence[str], group: PictureGroup, key: str) -> str | None:
    return dict(zip(levels, group.labels, strict=False)).get(key)


def _words(group: PictureGroup) -> Iterator[str]:
    if group.kind is not GroupKind.LABELS:
        yield group.name or group.kind.value
        return
    for value in group.labels:
        if value is not None:
            yield value
    if not any(group.labels):
        yield "unlabelled"


def _offered(cell: PictureCell) -> Iterator[OfferedService]:
    found: dict[str, SignCount] = {}
    for service in cell.edge.services if cell.edge else ():
        count = sum(next(iter(service.signs.values()), {}).values(), SignCount())
        words = word_of(service)
        found[words] = found.get(words, SignCount()) + count
    yield from (OfferedService(words, count) for words, count in found.items())


def word_of(service: PictureService) -> str:
    """Return a service in the words of the grammar; a message of ICMP whose type is unknown is any of them."""
    low, high = (0, 255) if service.port is None else (service.port, service.port)
    return service_words([Service(service.protocol, low, high)])[0]


def free_name(estate: Estate, edited: Edited, file: str, name: str) -> str:
    """Return a name that no rule of a file has."""
    text = texts_of(estate, edited, (file,))[file]
    documents = parse_documents(text.removeprefix("\ufeff"), file, Reports())
    every = [plain(fields(one)["rules"].value) for one in documents if "rules" in fields(one)]
    taken = {rule.get("name") for rules in every if isinstance(rules, list) for rule in rules if isinstance(rule, dict)}
    number, found = 2, name
    while found in taken:
        number, found = number + 1, f"{name} {number}"
    return found

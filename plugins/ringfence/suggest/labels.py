"""Label rules suggested for a person to accept: role and app, from names, ports and who talks to whom, with evidence.

A suggestion is a rule for `labels.yml`. It speaks of assets that lack the label; its priority is larger than that of
every other rule, so it changes no label that an asset has.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.language.label_rules import BARE_WORD
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.label_rules import LabelRule
from ringfence.sources.asset_search import ports_of
from ringfence.sources.expressions import compile_expression
from ringfence.sources.identity_keys import short_name
from ringfence.suggest.known_roles import EVERYWHERE_PORTS, NO_APPS, ROLE_PORTS, ROLE_WORDS
from ringfence.wire.first_few import first_few

ROLE, APP = "role", "app"
NAMES, PORTS, FLOWS = "names", "ports", "flows"
FIRST_PRIORITY = 300
# An end that so many assets talk to or from, and so large a part of all, serves the estate and not one application.
HUB, HUB_PART = 8, 0.3
# How alike (Jaccard) the services of two assets must be for the one's role to be the other's.
ALIKE = 0.6
# What share of an asset's neighbours must be of one application for it to be of it too.
MOST = 0.75
WORDS = re.compile(r"[a-z]+")
EXAMPLES = 4
# Names in one condition: it stays readable, and shorter than an expression may be.
NAMED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Talk:
    """That one asset was a client of another on a service, `tcp/5432`."""

    client: str
    server: str
    service: str
    connections: int = 1


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One rule: `key` becomes `value` where `when` holds; the assets that would get it, and why it is suggested."""

    key: str
    value: str
    by: str
    when: str
    assets: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name that a person accepts it by: `role=db:ports`."""
        return f"{self.key}={self.value}:{self.by}"

    def rule(self, priority: int) -> dict[str, object]:
        """Return the rule in the words of the grammar."""
        value = self.value if BARE_WORD.fullmatch(self.value) else _quoted(self.value)
        # Who accepts it has seen that it rests on what hosts say of themselves.
        told = {"trust": "facts"} if "facts." in self.when else {}
        return {self.key: value, "when": self.when, "priority": priority, **told}

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {
            "name": self.name,
            "label": self.key,
            "value": self.value,
            "by": self.by,
            "when": self.when,
            "assets": list(self.assets),
            "evidence": list(self.evidence),
        }


def suggestions(snapshot: Snapshot, talks: Sequence[Talk] = ()) -> tuple[Suggestion, ...]:
    """Return suggestions: by names first, then by ports, then by flows; within each those for most assets first.

    A suggestion's assets are those for whom its rule holds.
    """
    lacking_role = [asset for asset in snapshot.assets if ROLE not in asset.labels]
    lacking_app = [asset for asset in snapshot.assets if APP not in asset.labels]
    served = _served(snapshot.assets, talks)
    found = [
        *_roles_by_names(lacking_role, snapshot.assets),
        *_roles_by_ports(lacking_role, snapshot.assets, served),
        *_roles_by_flows(lacking_role, snapshot.assets, talks),
        *_apps_by_names(lacking_app, snapshot.assets),
        *_apps_by_flows(lacking_app, snapshot.assets, talks),
    ]
    order = {NAMES: 0, PORTS: 1, FLOWS: 2}
    return tuple(sorted(found, key=lambda one: (one.key != ROLE, order[one.by], -len(one.assets), one.value)))


def next_priority(rules: Iterable[LabelRule]) -> int:
    """Return a priority behind that of every rule, so that an accepted suggestion contradicts none."""
    return max([FIRST_PRIORITY - 1, *(rule.priority for rule in rules)]) + 1


def _words(asset: Asset) -> list[str]:
    return WORDS.findall(short_name(asset))


def _roles_by_names(lacking: Sequence[Asset], assets: Sequence[Asset]) -> Iterable[Suggestion]:
    """Suggest a role for every word of names that commonly tells one, or tells one in this estate."""
    own = _majority((word, asset) for asset in assets for word in set(_words(asset)) if word in ROLE_WORDS)
    by_role: dict[str, dict[str, list[Asset]]] = defaultdict(lambda: defaultdict(list))
    for asset in lacking:
        words = [word for word in _words(asset) if word in ROLE_WORDS]
        if words:
            by_role[own.get(words[-1], ROLE_WORDS[words[-1]])][words[-1]].append(asset)
    for role, by_word in sorted(by_role.items()):
        words = sorted(by_word)
        evidence = [f"'{word}' in {_some(by_word[word])}" for word in words]
        yield _suggestion(ROLE, role, NAMES, _word_condition(words), lacking, evidence)


def _roles_by_ports(
    lacking: Sequence[Asset], assets: Sequence[Asset], served: Mapping[str, Collection[str]]
) -> Iterable[Suggestion]:
    """Suggest a role for what an asset listens on or was seen to serve; of several the rarest port tells most."""
    own = _majority((port, asset) for asset in assets for port in served.get(asset.name, ()))
    holders = Counter(port for ports in served.values() for port in ports)
    by_role: dict[str, dict[str, list[Asset]]] = defaultdict(lambda: defaultdict(list))
    for asset in lacking:
        ports = [port for port in served.get(asset.name, ()) if port in own or port in ROLE_PORTS]
        if ports:
            port = min(ports, key=lambda one: (one not in own, holders[one], one))
            by_role[own.get(port) or ROLE_PORTS[port]][port].append(asset)
    for role, by_port in sorted(by_role.items()):
        named = [asset for port in sorted(by_port) for asset in by_port[port]]
        gathered = all(port in ports_of(asset) for port, held in by_port.items() for asset in held)
        seen = "listens on" if gathered else "serves"
        evidence = [f"{seen} {port}: {_some(by_port[port])}{_as_others(port, role, own)}" for port in sorted(by_port)]
        for when in (_port_condition(sorted(by_port)),) if gathered else _name_conditions(named):
            yield _suggestion(ROLE, role, PORTS, when, lacking, evidence)


def _roles_by_flows(lacking: Sequence[Asset], assets: Sequence[Asset], talks: Sequence[Talk]) -> Iterable[Suggestion]:
    """Suggest the role of the labelled assets that serve and use the same services."""
    habits: dict[str, set[str]] = defaultdict(set)
    for talk in talks:
        if talk.service not in EVERYWHERE_PORTS:
            habits[talk.client].add(f"to {talk.service}")
            habits[talk.server].add(f"from {talk.service}")
    models: dict[frozenset[str], list[Asset]] = defaultdict(list)
    for asset in assets:
        if ROLE in asset.labels and habits.get(asset.name):
            models[frozenset(habits[asset.name])].append(asset)
    by_role: dict[str, list[tuple[Asset, Asset, float]]] = defaultdict(list)
    for asset in lacking:
        mine = habits.get(asset.name, set())
        near = [(len(mine & theirs) / len(mine | theirs), like[0]) for theirs, like in models.items() if mine & theirs]
        best = max(near, key=lambda one: (one[0], one[1].name), default=None)
        if best is not None and best[0] >= ALIKE:
            by_role[best[1].labels[ROLE].value].append((asset, best[1], best[0]))
    for role, alike in sorted(by_role.items()):
        named = [asset for asset, _, _ in alike]
        evidence = [
            f"'{asset.name}' talks as '{model.name}' does: {', '.join(sorted(habits[asset.name])[:EXAMPLES])} "
            f"({part:.0%} alike)"
            for asset, model, part in alike[:EXAMPLES]
        ]
        for when in _name_conditions(named):
            yield _suggestion(ROLE, role, FLOWS, when, lacking, evidence)


def _apps_by_names(lacking: Sequence[Asset], assets: Sequence[Asset]) -> Iterable[Suggestion]:
    """Suggest an application for a word that stands before different roles: shop-web-1 and shop-db-1."""
    roles: dict[str, set[str]] = defaultdict(set)
    for asset in assets:
        for word in _app_words(asset):
            told = [ROLE_WORDS[one] for one in _words(asset) if one in ROLE_WORDS]
            labelled = asset.labels.get(ROLE)
            roles[word].update([labelled.value] if labelled else told)
    known = {asset.labels[APP].value for asset in assets if APP in asset.labels}
    by_app: dict[str, list[Asset]] = defaultdict(list)
    for asset in lacking:
        words = [word for word in _app_words(asset) if word in known or len(roles[word]) > 1]
        if words:
            by_app[words[0]].append(asset)
    for app, named in sorted(by_app.items()):
        beside = f" beside the roles {', '.join(sorted(roles[app]))}" if len(roles[app]) > 1 else ""
        evidence = [f"'{app}' in {_some(named)}{beside}"]
        yield _suggestion(APP, app, NAMES, _word_condition([app]), lacking, evidence)


def _apps_by_flows(lacking: Sequence[Asset], assets: Sequence[Asset], talks: Sequence[Talk]) -> Iterable[Suggestion]:
    """Suggest the application that nearly all of an asset's neighbours are of; what serves all alike is left out."""
    neighbours: dict[str, Counter[str]] = defaultdict(Counter)
    for talk in talks:
        if talk.service not in EVERYWHERE_PORTS and talk.client != talk.server:
            neighbours[talk.client][talk.server] += talk.connections
            neighbours[talk.server][talk.client] += talk.connections
    most = max(HUB, HUB_PART * len(assets))
    hubs = {name for name, peers in neighbours.items() if len(peers) > most}
    apps = {asset.name: asset.labels[APP].value for asset in assets if APP in asset.labels}
    by_app: dict[str, list[tuple[Asset, list[str]]]] = defaultdict(list)
    for asset in lacking:
        peers = [peer for peer in sorted(neighbours.get(asset.name, ())) if peer not in hubs]
        counted = Counter(apps[peer] for peer in peers if peer in apps)
        if counted and asset.name not in hubs:
            app, count = counted.most_common(1)[0]
            if count >= MOST * len(peers):
                by_app[app].append((asset, [peer for peer in peers if apps.get(peer) == app]))
    for app, held in sorted(by_app.items()):
        named = [asset for asset, _ in held]
        evidence = [f"'{asset.name}' talks with {_listed(peers)}" for asset, peers in held[:EXAMPLES]]
        for when in _name_conditions(named):
            yield _suggestion(APP, app, FLOWS, when, lacking, evidence)


def _served(assets: Sequence[Asset], talks: Sequence[Talk]) -> dict[str, set[str]]:
    """Return what every asset listens on or was seen to serve, without what all hosts have."""
    served: dict[str, set[str]] = {asset.name: set(ports_of(asset)) for asset in assets}
    for talk in talks:
        served.setdefault(talk.server, set()).add(talk.service)
    return {name: ports - EVERYWHERE_PORTS for name, ports in served.items() if ports - EVERYWHERE_PORTS}


def _majority(pairs: Iterable[tuple[str, Asset]]) -> dict[str, str]:
    """Return the role that most labelled assets of a word or port have, where more than half of them do."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for word, asset in pairs:
        if ROLE in asset.labels:
            counted[word][asset.labels[ROLE].value] += 1
    best = {word: roles.most_common(1)[0] for word, roles in counted.items()}
    return {word: role for word, (role, count) in best.items() if 2 * count > counted[word].total()}


def _app_words(asset: Asset) -> list[str]:
    return [word for word in _words(asset) if len(word) > 2 and word not in ROLE_WORDS and word not in NO_APPS]


def _suggestion(
    key: str, value: str, by: str, when: str, lacking: Sequence[Asset], evidence: Sequence[str]
) -> Suggestion:
    """Return a suggestion for those of the assets that lack the label for whom its condition really holds."""
    condition = compile_expression(when)
    named = sorted(asset.name for asset in lacking if condition.value(asset.attributes))
    return Suggestion(key, value, by, when, tuple(named), tuple(evidence))


def _word_condition(words: Sequence[str]) -> str:
    """Return a condition on the first part of a name: one of the words, between other characters than letters."""
    return f"match(name, '^([^.]*[^A-Za-z.])?(?i:{'|'.join(words)})([^A-Za-z]|$)', `0`)"


def _port_condition(ports: Sequence[str]) -> str:
    return " || ".join(f"contains(not_null(facts.ports, `[]`), '{port}')" for port in ports)


def _name_conditions(assets: Sequence[Asset]) -> Iterable[str]:
    """Return conditions that hold for these names alone, each for as many as can be read."""
    names = sorted(asset.name for asset in assets)
    for start in range(0, len(names), NAMED_AT_ONCE):
        some = ", ".join(_quoted(name) for name in names[start : start + NAMED_AT_ONCE])
        yield f"contains([{some}], name)"


def _quoted(text: str) -> str:
    """Return a raw string of JMESPath."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _as_others(port: str, role: str, own: Mapping[str, str]) -> str:
    return f", as others of role {role} do" if own.get(port) == role else ""


def _some(assets: Sequence[Asset]) -> str:
    return _listed(sorted(asset.name for asset in assets))


def _listed(names: Sequence[str]) -> str:
    return first_few([f"'{name}'" for name in names], EXAMPLES)

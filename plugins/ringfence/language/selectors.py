"""Selectors and peers: what people write for assets and addresses, as the model's selectors."""

from __future__ import annotations

from dataclasses import dataclass, field

from ringfence.language.checking import fields
from ringfence.language.definitions import Definitions, unknown
from ringfence.language.look_alikes import looks_like, skeleton
from ringfence.language.mentions import (
    AlternativeMention,
    AssetMention,
    ChoiceMention,
    LabelMention,
    Mention,
    ProcessMention,
)
from ringfence.language.nodes import Entry, Listing, Node, Scalar, Table, kind
from ringfence.language.reports import Reports, did_you_mean, meant
from ringfence.language.selector_parts import excess, first, negated_name, one_of_several
from ringfence.language.values import MOST_NESTING, host_name, list_members, members, networks, process_of, words
from ringfence.model.errors import Place
from ringfence.model.intervals import union
from ringfence.model.label_rules import label_key_fault
from ringfence.model.label_texts import label_text
from ringfence.model.rules import Peer
from ringfence.model.selectors import (
    ANY,
    AddressIn,
    AllOf,
    AnyOf,
    AssetNamed,
    FqdnIs,
    Internet,
    LabelExists,
    LabelIn,
    Not,
    Selector,
    Unknown,
    within,
)

WORDS: dict[str, Selector] = {"any": ANY, "unknown": Unknown(), "internet": Internet()}
# What stands alone in its mapping; `except` goes with `cidr`.
ALONE = ("cidr", "list", "fqdn", "asset")
RULE_WORDS = ("from", "to", "allow", "deny", "pass", "at", "log", "map", "when")
RESERVED_REMEDIES = {
    "exists": "write {role: {exists: true}}",
    "unknown": "write it as a word of its own: 'unknown'",
    "internet": "write it as a word of its own: 'internet'",
    **dict.fromkeys(RULE_WORDS, "a key of the rule: does it stand too deep? A label of that name needs another one"),
}
GRAMMAR = ("all", "any", "not", *ALONE, "except", "selector")


@dataclass(slots=True)
class SelectorReader:
    """Reads selectors: knows the definitions, keeps the places of what the estate must hold, reports what is wrong."""

    definitions: Definitions
    reports: Reports
    mentions: list[Mention] = field(default_factory=list)
    _using: list[str] = field(default_factory=list)
    # What the selector that is read names as one of several, outside of `not`, and where.
    _alternatives: list[tuple[Selector, Place]] = field(default_factory=list)

    def peers(self, node: Node, side: str, scope: Selector | None = None) -> tuple[Peer, ...] | None:
        """Return the alternatives of a `from` or `to` with the scope and-ed; None where something is wrong."""
        alternatives = node.items if isinstance(node, Listing) else (node,)
        if not alternatives:
            self.reports.add(node.place, f"the list of '{side}' is empty", "write a selector, or 'any'")
        found = [self._peer(one, side, scope) for one in alternatives]
        return tuple(peer for peer in found if peer) if found and all(found) else None

    def _peer(self, node: Node, side: str, scope: Selector | None) -> Peer | None:
        beside = fields(node)
        process, lifted = beside.get("process"), beside.get("scope")
        who = process_of(process, side, self.reports) if process else None
        if lifted and not (isinstance(lifted.value, Scalar) and lifted.value.value == "none"):
            self.reports.add(lifted.place, "beside a selector, scope can only be 'none'", "write 'scope: none'")
        if isinstance(node, Table):
            node = Table(node.place, tuple(one for one in node if one.key not in {"process", "scope"}))
        self._alternatives.clear()
        selector = self.selector(node)
        if selector is None or (process and who is None):
            return None
        if side == "from" and isinstance(dynamic := first(selector, FqdnIs), FqdnIs):
            self.reports.add(
                node.place,
                f"'{dynamic.name}' cannot stand in 'from': who connects is known by address, not by a name",
                "write its networks: {cidr: …}",
            )
            return None
        if isinstance(dynamic := negated_name(selector), FqdnIs):
            self.reports.add(
                node.place,
                f"'{dynamic.name}' cannot stand under 'not': what it resolves to is not known beforehand",
                "give it a rule of its own with a smaller priority, pass or deny, and leave it out here",
            )
            return None
        chosen = selector if lifted else within(selector, scope)
        self.mentions.append(ChoiceMention(chosen, node.place))
        self._mention_alternatives(chosen, None if lifted else scope)
        if who and process:
            place = process.value.place
            self.mentions.extend(ProcessMention("unit", name, place, chosen) for name in who.units)
            self.mentions.extend(ProcessMention("user", name, place, chosen) for name in who.users)
        return Peer(chosen, who)

    def selector(self, node: Node) -> Selector | None:
        """Return a selector, or None after reporting what is wrong with it."""
        if isinstance(node, Table):
            return self._mapping(node)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            if node.value in WORDS:
                return WORDS[node.value]
            self.reports.add(
                node.place,
                f"'{node.value}' is not a valid selector",
                meant(node.value, WORDS, "write a mapping like {role: web}, or one of"),
            )
        elif isinstance(node, Listing):
            self.reports.add(node.place, "a selector is a mapping or a word, not a list", "write {any: […]}")
        else:
            self.reports.add(node.place, f"a selector is a mapping or a word, not {kind(node)}", "write {role: web}")
        return None

    def asset_selector(self, node: Node, what: str) -> Selector | None:
        """Return a selector that speaks of assets alone, for a `scope`; None after reporting."""
        self._alternatives.clear()
        selector = self.selector(node)
        if selector is not None and first(selector, (AddressIn, FqdnIs, *(type(word) for word in WORDS.values()))):
            self.reports.add(node.place, f"{what} chooses assets by label, not addresses", "write it like {app: shop}")
            return None
        self._mention_alternatives(selector)
        return selector

    def workload_selector(self, node: Node) -> Selector | None:
        """Return the selector of an enforcement entry; what can choose no workload is reported."""
        self._alternatives.clear()
        selector = self.selector(node)
        if selector is not None and (wrong := first(selector, (Unknown, Internet, FqdnIs))):
            word = wrong.name if isinstance(wrong, FqdnIs) else type(wrong).__name__.lower()
            self.reports.add(node.place, f"'{word}' chooses no workload", "write labels, or any")
            return None
        self._mention_alternatives(selector)
        return selector

    def defined(self, name: str) -> Selector | None:
        """Return the selector that a definition means, or None after reporting what is wrong with it."""
        known = self.definitions.read_selectors
        if name not in known:
            entry = self.definitions.selectors[name]
            self._using.append(name)
            known[name] = self.selector(entry.value)
            self._using.pop()
            if (read := known[name]) is not None and (fault := excess(read)):
                self.reports.add(entry.place, f"the selector '{name}' {fault}", "use fewer definitions in each other")
                known[name] = None
        return known[name]

    def _mention_alternatives(self, whole: Selector | None, scope: Selector | None = None) -> None:
        if whole is not None:
            self.mentions += [AlternativeMention(one, place, whole, scope) for one, place in self._alternatives]
        self._alternatives.clear()

    def _mapping(self, table: Table) -> Selector | None:
        written = fields(table)
        alone = [key for key in ALONE if key in written]
        if alone:
            return self._alone(table, alone[0])
        parts = [self._part(entry) for entry in table]
        if any(part is None for part in parts):
            return None
        good = tuple(part for part in parts if part)
        return good[0] if len(good) == 1 else AllOf(good)

    def _alone(self, table: Table, key: str) -> Selector | None:
        written = fields(table)
        others = [one for one in table if one.key not in ({key, "except"} if key == "cidr" else {key})]
        if others:
            self.reports.add(
                others[0].place, f"'{others[0].key}' cannot stand beside '{key}'", "and them: {all: [{…}, {…}]}"
            )
            return None
        node = written[key].value
        before = len(self.reports)
        if key == "cidr":
            parts, texts = members(node, self.reports)
            text = ", ".join(texts)
            if "except" in written:
                without, left_out = networks(written["except"].value, self.reports)
                parts = tuple(rest for part in parts if (rest := part - without))
                text = f"{text} except {', '.join(left_out)}"
            if not parts and len(self.reports) == before:
                self.reports.add(table.place, "'except' leaves no address over", "leave out less")
            return AddressIn(union(parts), text, parts) if len(self.reports) == before else None
        found = words(node, "asset names" if key == "asset" else f"{key}s", self.reports)
        if isinstance(node, Listing) and key != "asset":
            self.reports.add(node.place, f"'{key}' takes one name, not a list", f"write {{any: [{{{key}: …}}, …]}}")
        named = [part for word in found if (part := self._named(key, word))]
        if len(self.reports) > before or not named:
            return None
        return named[0] if len(named) == 1 else AnyOf(tuple(named))

    def _named(self, key: str, word: Scalar) -> Selector | None:
        if key == "asset":
            asset = label_text(word.text)
            self.mentions.append(AssetMention(asset, word.place))
            self._alternatives.append((AssetNamed(asset), word.place))
            return AssetNamed(asset)
        if key == "fqdn":
            name = host_name(word, self.reports)
            return FqdnIs(name) if name else None
        parts = list_members(word, self.definitions, self.reports)
        return AddressIn(union(parts), word.text, parts) if parts is not None else None

    def _part(self, entry: Entry) -> Selector | None:
        match entry.key:
            case "all" | "any":
                return self._combined(entry)
            case "not":
                before = len(self._alternatives)
                part = self.selector(entry.value)
                # What `not` names is to be left out: nothing is lost where it is out of reach already.
                del self._alternatives[before:]
                return Not(part) if part else None
            case "selector":
                return self._reference(entry)
            case "process" | "scope":
                self.reports.add(
                    entry.place,
                    f"'{entry.key}' cannot stand inside a selector",
                    "it stands in 'from' or 'to', beside the labels",
                )
                return None
            case "except":
                self.reports.add(
                    entry.place, "'except' goes with 'cidr'", "write {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}"
                )
                return None
            case _:
                return self._label(entry)

    def _combined(self, entry: Entry) -> Selector | None:
        if not isinstance(entry.value, Listing):
            self.reports.add(
                entry.value.place,
                f"'{entry.key}' takes a list of selectors, not {kind(entry.value)}",
                "write [{…}, {…}]",
            )
            return None
        if not entry.value.items:
            self.reports.add(entry.value.place, f"the list of '{entry.key}' is empty", "write at least one selector")
            return None
        parts = [self._one_of(item) if entry.key == "any" else self.selector(item) for item in entry.value]
        if any(part is None for part in parts):
            return None
        good = tuple(part for part in parts if part)
        return AllOf(good) if entry.key == "all" else AnyOf(good)

    def _one_of(self, node: Node) -> Selector | None:
        before = len(self._alternatives)
        part = self.selector(node)
        if part is not None and len(self._alternatives) == before:
            self._alternatives.append((part, node.place))
        return part

    def _reference(self, entry: Entry) -> Selector | None:
        found = words(entry.value, "selector names", self.reports)
        if not found or isinstance(entry.value, Listing):
            if found:
                self.reports.add(entry.value.place, "'selector' takes one name, not a list", "write {any: [{…}, {…}]}")
            return None
        word = found[0]
        definition = self.definitions.selectors.get(word.text)
        if definition is None:
            self.reports.add(word.place, *unknown("selector", word.text, self.definitions.selectors))
            return None
        if len(self._using) >= MOST_NESTING:
            remedy = "use fewer definitions in each other"
            self.reports.add(word.place, f"definitions nested deeper than {MOST_NESTING} levels", remedy)
            return None
        if word.text in self._using:
            self.reports.add(word.place, f"the selector '{word.text}' is defined by itself", "name labels instead")
            return None
        before = len(self._alternatives)
        selector = self.defined(word.text)
        del self._alternatives[before:]
        if selector is not None:
            self._alternatives += [(one, word.place) for one in one_of_several(selector)]
        return selector

    def _label(self, entry: Entry) -> Selector | None:
        fault = label_key_fault(entry.key)
        if fault:
            self.reports.add(entry.place, fault, _key_meant(entry.key))
            return None
        if isinstance(entry.value, Table):
            return self._exists(entry, entry.value)
        before = len(self.reports)
        values = [value for value in self._label_values(entry) if value is not None]
        return LabelIn(entry.key, tuple(dict.fromkeys(values))) if len(self.reports) == before else None

    def _label_values(self, entry: Entry) -> list[str | None]:
        nodes = entry.value.items if isinstance(entry.value, Listing) else (entry.value,)
        if not nodes:
            self.reports.add(
                entry.value.place,
                f"the list of values of '{entry.key}' is empty",
                f"write {{{entry.key}: {{exists: true}}}}",
            )
        values = [self._label_value(entry.key, node) for node in nodes]
        if len(nodes) > 1:
            found = zip(values, nodes, strict=True)
            self._alternatives += [(LabelIn(entry.key, (value,)), node.place) for value, node in found if value]
        return values

    def _label_value(self, key: str, node: Node) -> str | None:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            value = label_text(node.value)
            self.mentions.append(LabelMention(key, value, node.place))
            return value
        if isinstance(node, Scalar):
            shown = node.text or ""
            self.reports.add(
                node.place, f"the value of label '{key}' is {kind(node)}", f'write {key}: "{shown}", in quotes'
            )
        else:
            self.reports.add(
                node.place, f"the value of label '{key}' is {kind(node)}", "write a word or a list of words"
            )
        return None

    def _exists(self, entry: Entry, table: Table) -> Selector | None:
        written = fields(table)
        value = written["exists"].value if "exists" in written else None
        if len(written) == 1 and isinstance(value, Scalar) and isinstance(value.value, bool):
            self.mentions.append(LabelMention(entry.key, None, entry.place))
            return LabelExists(entry.key, value.value)
        if value is not None and len(written) == 1:
            self.reports.add(value.place, f"'exists' is true or false, not {kind(value)}", "write {exists: true}")
            return None
        remedy = f"write {{not: {{{entry.key}: …}}}}" if "not" in written else "write a word, a list or {exists: true}"
        self.reports.add(table.place, f"the value of label '{entry.key}' is a mapping", remedy)
        return None


def _key_meant(key: str) -> str | None:
    """Return the remedy for what is not a valid label key: the one it looks like, or a word of the grammar."""
    alike = skeleton(key)
    if looks_like(key, alike) and label_key_fault(alike) is None:
        return did_you_mean(key, alike)
    return RESERVED_REMEDIES.get(key) or meant(key, GRAMMAR, "the words of a selector are")

"""Policy files as a policy: every document of every file in one pass, with all their errors together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from ringfence.language.checking import check, fields, items
from ringfence.language.definitions import Definitions
from ringfence.language.documents import CONTROLS, read_documents, shown
from ringfence.language.expectations import read_invariant, read_test
from ringfence.language.mentions import Mention
from ringfence.language.modes import read_enforcement
from ringfence.language.nodes import Entry, Node, Scalar, plain
from ringfence.language.remembered import documents_of
from ringfence.language.reports import Reports, meant
from ringfence.language.rule_ids import DIGITS, RuleDraft, identified
from ringfence.language.rulesets import Ruleset, read_rule
from ringfence.language.selectors import SelectorReader
from ringfence.language.shapes import PolicyDocument
from ringfence.language.values import networks, service_set
from ringfence.model.rules import (
    DEFAULT_PRIORITY,
    DEFAULT_TIER,
    Enforcement,
    Invariant,
    Policy,
    PolicyTest,
    Rule,
    Settings,
)

Placed = TypeVar("Placed", Rule, Enforcement, PolicyTest, Invariant)
HEADER = ("scope", "tier", "priority")


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy and, with their places, the labels, assets and processes it speaks of; and what its files define."""

    policy: Policy
    mentions: tuple[Mention, ...] = ()
    definitions: Definitions = field(default_factory=Definitions)


def load_policy(paths: Sequence[Path], settings: Settings, root: Path | None = None) -> Policy:
    """Return what policy files say, merged in the given order; file names in places are relative to `root`.

    Raise InputErrors with every error of every file, sorted by place.
    """
    return read_policy(paths, settings, root).policy


def read_policy(paths: Sequence[Path], settings: Settings, root: Path | None = None) -> LoadedPolicy:
    """Return what policy files say, with what they speak of; raises as `load_policy` does."""
    reports = Reports()
    loaded = read_policy_into(reports, paths, settings, root)
    reports.settle()
    return loaded


def read_policy_into(reports: Reports, paths: Sequence[Path], settings: Settings, root: Path | None) -> LoadedPolicy:
    """Return a policy as `read_policy` does, without what is wrong and reported."""
    documents = [
        (name, doc)
        for path in paths
        for name in [shown(path, root)]
        for doc in read_documents(path, name, reports, CONTROLS)
    ]
    return _read_documents(documents, reports, settings)


def read_texts(texts: Iterable[tuple[str, str]], settings: Settings) -> LoadedPolicy:
    """Return what texts of policy files say, by their names in places and in this order.

    Raise InputErrors as `load_policy` does.
    """
    reports = Reports()
    documents = [(name, doc) for name, text in texts for doc in documents_of(text, name, reports)]
    loaded = _read_documents(documents, reports, settings)
    reports.settle()
    return loaded


def read_again(
    policy: Policy, definitions: Definitions, file: str, before: str, after: str, settings: Settings
) -> Policy | None:
    """Return a policy in which one file says something else: all that other files say stays what it was.

    None where all has to be read for that: the file defines something else, or it had no rules and its place among the
    others is not known. Raise InputErrors for what is wrong in the new text.
    """
    reports = Reports()
    old = documents_of(before, file, Reports())
    new = documents_of(after, file, reports)
    if _defined(old) != _defined(new):
        reports.settle()
        return None
    reader = _PolicyReader(settings, SelectorReader(definitions, reports))
    for document in new:
        reader.document(file, document)
    reports.settle()
    said = reader.policy()
    merged = Policy(
        _put(policy.rules, said.rules, file),
        _put(policy.enforcement, said.enforcement, file),
        _put(policy.tests, said.tests, file),
        _put(policy.invariants, said.invariants, file),
    )
    ids = {rule.id for rule in merged.rules}
    return merged if len(ids) == len(merged.rules) and all(len(one) == DIGITS for one in ids) else None


def _defined(documents: Iterable[Node]) -> list[object]:
    every = (fields(document) for document in documents)
    return [plain(one[key].value) for one in every for key in ("selectors", "services", "lists") if key in one]


def _put(every: Sequence[Placed], said: Sequence[Placed], file: str) -> tuple[Placed, ...]:
    """Return what all files say, in the order of their names, with what one of them says now."""
    before: list[Placed] = [one for one in every if path_order(one.place.file) < path_order(file)]
    after: list[Placed] = [one for one in every if path_order(one.place.file) > path_order(file)]
    return tuple(before) + tuple(said) + tuple(after)


def path_order(file: str) -> str:
    """Return what files are ordered by: their name below the policy's folder."""
    return file.partition("/")[2] or file


def _read_documents(documents: Sequence[tuple[str, Node]], reports: Reports, settings: Settings) -> LoadedPolicy:
    definitions = Definitions.of((document for _, document in documents), reports)
    reader = _PolicyReader(settings, SelectorReader(definitions, reports))
    for name, document in documents:
        reader.document(name, document)
    return LoadedPolicy(reader.policy(), tuple(reader.selectors.mentions), definitions)


class _PolicyReader:
    """Takes documents one after another and keeps what they say."""

    def __init__(self, settings: Settings, selectors: SelectorReader) -> None:
        self.selectors = selectors
        self._settings = settings
        self._reports = selectors.reports
        self._drafts: list[RuleDraft | None] = []
        self._enforcement: list[Enforcement | None] = []
        self._tests: list[PolicyTest | None] = []
        self._invariants: list[Invariant | None] = []

    def policy(self) -> Policy:
        """Return the policy of all documents taken."""
        return Policy(
            identified(_with_short_names([draft for draft in self._drafts if draft])),
            tuple(entry for entry in self._enforcement if entry),
            tuple(test for test in self._tests if test),
            tuple(invariant for invariant in self._invariants if invariant),
        )

    def document(self, file: str, document: Node) -> None:
        """Take one document of a file."""
        header = check(document, PolicyDocument, "a policy document", self._reports)
        entries = fields(document)
        self._read_definitions(entries)
        ruleset = self._ruleset(file, document, entries, header)
        selectors = self.selectors
        self._drafts.extend(read_rule(node, ruleset, selectors) for node in items(entries.get("rules")))
        self._enforcement.extend(read_enforcement(node, selectors) for node in items(entries.get("enforce")))
        self._tests.extend(read_test(node, selectors) for node in items(entries.get("tests")))
        self._invariants.extend(read_invariant(node, selectors) for node in items(entries.get("invariants")))

    def _read_definitions(self, entries: Mapping[str, Entry]) -> None:
        definitions = self.selectors.definitions
        for name, entry in _named(entries, "selectors").items():
            if definitions.selectors.get(name) is entry:
                self.selectors.defined(name)
        for name, entry in _named(entries, "services").items():
            service_set(entry.value, definitions, self._reports, (name,))
        for entry in _named(entries, "lists").values():
            networks(entry.value, self._reports)

    def _ruleset(
        self, file: str, document: Node, entries: Mapping[str, Entry], header: PolicyDocument | None
    ) -> Ruleset:
        if "rules" not in entries:
            for key in HEADER:
                if key in entries:
                    remedy = "give this document 'rules', or leave it out"
                    self._reports.add(
                        entries[key].place, f"'{key}' speaks for rules, and this document has none", remedy
                    )
        scope = entries.get("scope")
        tier = DEFAULT_TIER
        if "tier" in entries:
            tier = self._tier(entries["tier"].value)
        elif tier not in self._settings.tiers and "rules" in entries:
            names = ", ".join(self._settings.tiers)
            self._reports.add(document.place, f"this workspace has no tier '{tier}'", f"say 'tier:' one of {names}")
        priority = header.priority if header else None
        return Ruleset(
            file=file,
            name=f"{file}:{document.place.line}",
            scope=self.selectors.asset_selector(scope.value, "a scope") if scope else None,
            tier=tier,
            priority=DEFAULT_PRIORITY if priority is None else priority,
            written={key: entries[key].value for key in ("scope", "tier") if key in entries},
        )

    def _tier(self, node: Node) -> str:
        """Return the tier of a document; a word that is not a tier is reported (anything else is, by its form)."""
        word = node.value if isinstance(node, Scalar) else None
        if not isinstance(word, str):
            return DEFAULT_TIER
        if word not in self._settings.tiers:
            remedy = meant(word, self._settings.tiers, "the tiers are")
            self._reports.add(node.place, f"no tier is named '{word}'", remedy)
        return word


def _with_short_names(drafts: Sequence[RuleDraft]) -> list[RuleDraft]:
    """Return rules whose ruleset is called by its file alone where that has no other."""
    rulesets: dict[str, set[str]] = {}
    for draft in drafts:
        rulesets.setdefault(draft.file, set()).add(draft.rule.ruleset)
    return [
        replace(draft, rule=replace(draft.rule, ruleset=draft.file)) if len(rulesets[draft.file]) == 1 else draft
        for draft in drafts
    ]


def _named(entries: Mapping[str, Entry], key: str) -> Mapping[str, Entry]:
    return fields(entries[key].value) if key in entries else {}

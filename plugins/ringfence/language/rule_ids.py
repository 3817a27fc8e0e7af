"""The ids of rules: 8 hex digits that stay when a rule moves in its file or among other files' rules."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ringfence.language.nodes import Node, plain
from ringfence.model.rules import Rule

DIGITS = 8


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule that lacks its id, with its file, its written name if any, its text and its document's head."""

    rule: Rule
    file: str
    name: str | None
    node: Node
    head: Mapping[str, Node]


def identified(drafts: Iterable[RuleDraft]) -> tuple[Rule, ...]:
    """Return the rules with their ids, in order.

    A rule whose name is its own in its file is known by file and name. One without a name, or with a name that comes
    again, is known by what it says; those that say the same are numbered in order. Two that would get the same digits
    are told apart by further digits, decided by the whole digests and so not by where the rules stand.
    """
    drafts = list(drafts)
    names = Counter((draft.file, draft.name) for draft in drafts if draft.name)
    said: Counter[str] = Counter()
    digests: list[str] = []
    for draft in drafts:
        if draft.name and names[draft.file, draft.name] == 1:
            digests.append(_digest([draft.file, draft.name]))
            continue
        content = _digest([draft.file, plain(draft.node), {key: plain(node) for key, node in draft.head.items()}])
        digests.append(_digest([content, said[content]]))
        said[content] += 1
    short = _shortened(digests)
    return tuple(replace(draft.rule, id=short[digest]) for draft, digest in zip(drafts, digests, strict=True))


def _shortened(digests: Iterable[str]) -> dict[str, str]:
    short: dict[str, str] = {}
    taken: set[str] = set()
    for digest in sorted(digests):
        candidate, more = digest[:DIGITS], 0
        while candidate in taken:
            more += 1
            candidate = _digest([digest, more])[:DIGITS]
        taken.add(candidate)
        short[digest] = candidate
    return short


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()

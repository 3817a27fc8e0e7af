"""Label rules: how an asset's attributes give a label, and which keys a label may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.model.errors import Place
from ringfence.model.rules import DEFAULT_PRIORITY

LABEL_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]*")
# What means something else where a label key may stand: in a selector, beside one, or where one is indented too far.
RESERVED_WORDS = frozenset(
    {"all", "any", "not", "exists", "asset", "cidr", "except", "list", "fqdn", "unknown", "internet", "selector"}
    | {"process", "scope", "from", "to", "allow", "deny", "pass", "at", "log", "map", "when"}
)


@dataclass(frozen=True, slots=True)
class LabelRule:
    """One entry of `labels.yml`: the label `key` has the value that `expression` gives.

    `expression` and `when` are JMESPath over an asset's attributes; a bare word beside `when` means that word and is
    kept here as a raw string, `'db'`. `values` maps the result of the expression to the label's value; if empty, the
    result is the value. The rule with the smaller `priority` wins. `trusts_facts` says that the rule may depend on
    what hosts report about themselves.
    """

    key: str
    expression: str
    place: Place
    when: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    priority: int = DEFAULT_PRIORITY
    trusts_facts: bool = False


def label_key_fault(key: str) -> str | None:
    """Return what is wrong with a label key, or None for a valid one."""
    if key in RESERVED_WORDS:
        return f"'{key}' is a word of the grammar and no label key"
    if not LABEL_KEY.fullmatch(key):
        return f"'{key}' is not a valid label key: a letter or '_', then letters, digits and any of _ . : / -"
    return None

"""What a line of a policy file could go on with: keys of the grammar, label keys, their values, services."""

from __future__ import annotations

import re

from ringfence_tui.screens.policy.model import Words

RULE = ("name:", "from:", "to:", "allow:", "deny:", "pass:", "at:", "log:")
HEAD = ("rules:", "scope:", "tier:", "priority:", "enforce:", "selectors:", "services:", "lists:")
ENDS = ("process:", "unit:", "user:", "not:", "cidr:", "asset:", "selector:", "list:", "fqdn:")
PLACES = ("any", "internet", "unknown")
_WORD = re.compile(r"[\w./@-]*$")
_VALUE = re.compile(r"(?:^|[{,\s])([\w.-]+):\s*(?:\[[^\]]*)?$")
_ACTION = re.compile(r"^\s*(?:-\s*)?(?:allow|deny|pass):\s*(?:\[.*)?")


def completions(before: str, words: Words) -> tuple[str, tuple[str, ...]]:
    """Return the word that is typed, and whole words that it could become; `before` is the line up to the cursor."""
    found = _WORD.search(before)
    typed = found.group() if found else ""
    head = before[: len(before) - len(typed)]
    return typed, tuple(one for one in _offered(head, words) if one.startswith(typed) and one != typed)


def _offered(head: str, words: Words) -> tuple[str, ...]:
    if _ACTION.match(head):
        return words.services
    key = _VALUE.search(head)
    if key is not None and key[1] in words.labels:
        return words.labels[key[1]]
    if key is not None and key[1] in ("from", "to", "where"):
        return PLACES
    if key is not None and key[1] == "mode":
        return ("observe", "selective", "full")
    if head.count("{") > head.count("}"):
        return (*(f"{key}:" for key in words.labels), *ENDS)
    if not head.strip() and not head:
        return HEAD
    keys = tuple(f"{key}:" for key in words.labels)
    return (*RULE, *keys, *ENDS) if not head.strip().removeprefix("-").strip() else ()

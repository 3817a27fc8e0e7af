"""A difference between two verdict tables as one sentence in the words of a policy."""

from __future__ import annotations

from .service_line import every_protocol
from .vendored.first_few import first_few

SHOWN = 5
_NOW = {
    "open": "is open and should not be",
    "closed": "is closed and should not be",
    "record": "passes or not as it should, under another rule",
}
_PASSES = {"allow": "allowed", "watch": "let through and recorded", "deny": "denied"}


def with_text(difference: dict, rule_names: dict) -> dict:
    """Return a difference with its `text`; one that has a text already is returned as it is."""
    if "text" in difference:
        return difference
    one, other = (_outcome_words(difference[name], rule_names) for name in ("expected", "found"))
    now = f"{_NOW[difference['change']]}: {other}, expected {one}"
    return {**difference, "text": f"{_where(difference)} {now}"}


def _where(difference: dict) -> str:
    inbound = difference["direction"] == "in"
    remote = _list(difference["remote"], f"every IPv{difference['family']} address")
    local = "" if difference["local"] == ["any"] else f" {'to' if inbound else 'from'} {_list(difference['local'], '')}"
    processes = difference["processes"]
    process = "" if processes == ["any"] else f" ({_list(processes, '')})"
    services = _services(difference["services"], difference["family"])
    if difference.get("sets"):
        remote = f"{remote} that is {' and '.join(difference['sets'])}"
    way = f"inbound from {remote}{local}" if inbound else f"outbound to {remote}{local}"
    return f"{way}{process}, {services},"


def _services(words: list[str], family: int) -> str:
    """Return services in a sentence: of almost every protocol those that are not meant are fewer words."""
    protocols = every_protocol(family)
    others = [protocol for protocol in protocols if protocol not in words]
    if len(others) > SHOWN or words == ["any"]:
        return _list(words, "every service")
    ports = [word for word in words if word not in protocols]
    return f"every protocol but {_list(others, '')}" + (f", and {_list(ports, '')}" if ports else "")


def _list(words: list, every: str) -> str:
    if words == ["any"]:
        return every
    return first_few(words, SHOWN)


def _outcome_words(outcome: dict, rule_names: dict) -> str:
    rule = outcome["rule"]
    if rule == "default":
        by = "by default"
    elif rule == "none":
        by = "by no rule of the policy"
    else:
        by = f"by rule '{rule_names[rule]}'" if rule in rule_names else f"by rule {rule}"
    return f"{_PASSES[outcome['effect']]} {by}{', logged' if outcome['log'] else ''}"

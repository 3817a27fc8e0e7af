"""The services that a rule's conditions match, as points of the service line."""

from __future__ import annotations

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import LAST_POINT
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.service_words import (
    BLOCK,
    ICMP,
    ICMPV6,
    SCTP,
    TCP,
    UDP,
)

from .rules import Parsed

Interval = tuple[int, int]
_AH = 51
# What a rule matches that asks for the authentication header of IPv6.
AUTHENTICATION = [(_AH * BLOCK, _AH * BLOCK + BLOCK - 1)]
_EVERY_TYPE = ("255", "any")


def points_of(parsed: Parsed, family: int) -> list[Interval] | None:
    """Return the services that a rule matches, None where it asks for something else as well, or it is not known."""
    if not parsed.known:
        return None
    asked = dict(condition.partition(" ")[::2] for condition in parsed.conditions)
    if len(asked) != len(parsed.conditions):
        return None
    if asked == {"ah": ""} and family == 6:
        return AUTHENTICATION
    protocol = int(asked.pop("p", "-1"))
    if protocol < 0:
        return None if asked else [(0, LAST_POINT)]
    start = protocol * BLOCK
    if not asked:
        # IPv6 looks behind this header for the protocol, so that it never is one
        return [] if family == 6 and protocol == _AH else [(start, start + BLOCK - 1)]
    ((name, value),) = asked.items() if len(asked) == 1 else (("", ""),)
    if name == "dport" and protocol in (TCP, UDP, SCTP):
        low, _, high = value.partition(":")
        return [(start + int(low), start + int(high or low))] if int(low) <= int(high or low) < BLOCK else None
    if (name, protocol, family) == ("icmp", ICMP, 4) and value in _EVERY_TYPE:
        return [(start, start + BLOCK - 1)]
    if (name, protocol, family) in (("icmp", ICMP, 4), ("icmp6", ICMPV6, 6)) and value.isdigit() and int(value) < 256:
        return [(start + int(value), start + int(value))]
    return None

"""What is wrong with a text that was meant as an address, a network or a range, and how it is written instead."""

from __future__ import annotations

import re

USUAL = "write it like 10.0.0.7, 10.0.0.0/8, 2001:db8::/32 or 10.0.0.1-10.0.0.9"
# A name never begins with three numbers and dots, has two colons, or a scheme.
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){2,}(?!\w|\.\w)")
_WILDCARD = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})(?:\.\*)+")
_COLONS = re.compile(r"\[?[0-9A-Za-z]*:[0-9A-Za-z]*:[0-9A-Za-z:.%]*\]?(?:[/:-].*)?")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/]*@)?(\[[^\]]+\]|[^:/?#]+).*", re.IGNORECASE)
# An address in brackets, or an IPv4 address or a name, with a port behind it.
_WITH_PORT = re.compile(r"(?:\[([^\]]+)\](?::\d+)?|([^:/\s\[\]]+):\d+)")
_V4 = re.compile(r"[0-9]+(?:\.[0-9]+)+")


def message_of(text: str) -> str:
    """Return the sentence that an error says."""
    return f"'{text}' is not a valid address, network or range"


def looks_like_address(text: str) -> bool:
    """Return whether a text was meant as addresses, and not as a name: also with a port, and in a URL."""
    text = text.strip()
    return any(one.match(text) for one in (_NUMBERS, _URL)) or any(
        one.fullmatch(text) for one in (_WILDCARD, _COLONS, _WITH_PORT)
    )


def way_out(text: str) -> str:
    """Return how to write what such a text means most likely."""
    text = text.strip()
    for shape in (_URL, _WITH_PORT):
        if found := shape.fullmatch(text):
            bare = next(one for one in found.groups() if one).strip("[]")
            return f"write '{bare}' alone; a port is part of a service, like tcp/443"
    if found := _WILDCARD.fullmatch(text):
        numbers = found[1].split(".")
        return f"write the network: {'.'.join([*numbers, *['0'] * (4 - len(numbers))])}/{8 * len(numbers)}"
    address, slash, prefix = text.partition("/")
    for one in address.split("-"):
        if _V4.fullmatch(one) and (said := _of_numbers(one, text)):
            return said
    if slash:
        most = 128 if ":" in address else 32
        if not prefix.isascii() or not prefix.isdigit() or int(prefix[:4]) > most:
            return f"the prefix of an IPv{6 if most > 32 else 4} network is a number from 0 to {most}"
    return USUAL


def _of_numbers(address: str, text: str) -> str:
    numbers = address.split(".")
    if len(numbers) != 4:
        return "an IPv4 address has four numbers: 10.0.0.7, or 10.0.0.0/24 for a network"
    if any(int(one[:9]) > 255 for one in numbers):
        return "each of the four numbers of an IPv4 address is from 0 to 255"
    plain = ".".join(str(int(one)) for one in numbers)
    return f"write it without leading zeros: {text.replace(address, plain)}" if plain != address else ""

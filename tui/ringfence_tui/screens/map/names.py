"""What groups and services of a picture are called; texts are foreign and made harmless where they are shown."""

from __future__ import annotations

from ringfence.model.picture import GroupKind, Listening, PictureGroup, PictureService
from ringfence.wire.service_words import BLOCK, PORT_PROTOCOL_NAMES, TYPE_NAMES, interval_texts

MISSING = "–"
SPECIAL = {GroupKind.UNKNOWN: "unknown", GroupKind.INTERNET: "internet"}


def parts_of(group: PictureGroup) -> tuple[str, ...]:
    """Return the texts of a group, one a level; what is no workload's label is one text."""
    if group.kind in SPECIAL:
        return (f"{SPECIAL[group.kind]} {group.name}".strip(),)
    if group.kind is GroupKind.NETWORK:
        return (group.name,)
    return tuple(MISSING if value is None else value for value in group.labels)


def name_of(group: PictureGroup) -> str:
    """Return a group's texts as one."""
    return " ".join(parts_of(group)) or "every asset"


def service_of(service: PictureService | Listening) -> str:
    """Return a service in words that the grammar reads, `tcp/5432`; a whole protocol where the port is not known."""
    first = service.protocol * BLOCK
    last = 255 if service.protocol in TYPE_NAMES else BLOCK - 1 if service.protocol in PORT_PROTOCOL_NAMES else -1
    whole = service.port is None or not 0 <= service.port <= last
    port = 0 if whole or service.port is None else service.port
    return next(interval_texts(first + port, first + (BLOCK - 1 if whole else port)))


def how_many(count: int, word: str) -> str:
    """Return a number with its word, `1 flow`, `61,234 flows`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"

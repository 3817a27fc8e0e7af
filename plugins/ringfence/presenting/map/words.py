"""A picture's words: clean names of groups and services, what a sign means, how much a digit says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ringfence.model.picture import GroupKind, PictureGroup, PolicyState, Sign, SignCount
from ringfence.model.safe_text import clean_line
from ringfence.wire.service_words import protocol_text

NO_LABEL = "–"
MEANINGS: Mapping[Sign, str] = {
    Sign.DENIED: "denied",
    Sign.WOULD_BE_DENIED: "would be denied",
    Sign.NOT_JUDGED: "not judged",
    Sign.UNDECIDED: "undecided",
    Sign.ALLOWED: "allowed",
    Sign.NOTHING: "nothing seen",
}
EXPLAINED: Mapping[Sign, str] = {
    Sign.DENIED: "denied",
    Sign.WOULD_BE_DENIED: "passes only because the mode does not bite",
    Sign.NOT_JUDGED: "not judged: an end is unknown or gone, or it depends on an unseen process",
    Sign.UNDECIDED: "passes, and no rule decides",
    Sign.ALLOWED: "allowed by a rule",
    Sign.NOTHING: "nothing seen, or refused attempts alone",
}
STATES: Mapping[PolicyState, str] = {
    PolicyState.HELD: "what hosts enforce",
    PolicyState.FILES: "what the files say",
    PolicyState.DRAFT: "the files with the draft",
}


def group_name(group: PictureGroup) -> str:
    """Return the whole name of a group in one clean line: `prod/shop/web`, an asset's name, `internet`."""
    if group.kind is GroupKind.LABELS:
        return "/".join(part(value) for value in group.labels) or "all"
    if group.kind is GroupKind.ASSET and group.name in group.labels:
        return "/".join(part(value) for value in group.labels[group.labels.index(group.name) :])
    return clean_line(group.name) or str(group.kind)


def part(value: str | None) -> str:
    """Return a label's value as a clean part of a name; an asset without the label has a dash."""
    return NO_LABEL if value is None else clean_line(value)


def service_word(protocol: int, port: int | None) -> str:
    """Return a service in the grammar's words; without a port the whole protocol."""
    return protocol_text(protocol, port or 0, port or 0, whole=port is None)


def moment(time: datetime | None) -> str:
    """Return a time to the second in UTC, empty where there is none."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""


def total(counts: Mapping[Sign, SignCount]) -> SignCount:
    """Return the sum over the signs."""
    return sum(counts.values(), SignCount())

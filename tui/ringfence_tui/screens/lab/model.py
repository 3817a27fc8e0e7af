"""The hosts of the lab as rows."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence_tui.spans import Row, Span, Tone, row


@dataclass(frozen=True, slots=True)
class LabRequest:
    """Raise the lab; with a directory, also write a workspace for it there."""

    directory: str = ""


@dataclass(frozen=True, slots=True)
class LabHost:
    """A host of the lab."""

    name: str
    kind: str
    release: str
    addresses: str
    state: str


@dataclass(frozen=True, slots=True)
class LabShown:
    """The lab, and what this machine lacks where it is not up; `directory` is the workspace that was written."""

    name: str
    hosts: tuple[LabHost, ...]
    lacks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of raising it is done, from 0 to 1, and what is done now."""

    text: str
    share: float


def rows(shown: LabShown | None) -> tuple[Row, ...]:
    """Return the hosts, or what is possible here."""
    if shown is None:
        return (row(Span(" looking …", Tone.DIM)),)
    if shown.hosts:
        head = row(Span(f" {'HOST':<16} {'KIND':<11} {'RELEASE':<10} {'STATE':<9} ADDRESSES", Tone.TITLE))
        return (head, *map(_host_row, shown.hosts))
    found: list[Row] = [row(f" lab {shown.name} is not up"), ()]
    for what, lacks in shown.lacks:
        possible = not lacks
        word = "possible here" if possible else "not possible here"
        found.append(row(f"   {what:<16}", Span(word, Tone.GOOD if possible else Tone.WARN)))
        found += [row(Span(f"     {lack}", Tone.DIM)) for lack in lacks]
    return tuple(found)


def _host_row(host: LabHost) -> Row:
    good = host.state in {"up", "running"}
    return row(
        f" {host.name:<16} {host.kind:<11} {host.release:<10} ",
        Span(f"{host.state:<9} ", Tone.GOOD if good else Tone.WARN),
        Span(host.addresses, Tone.DIM),
    )


def bar(part: Share, width: int = 24) -> tuple[Span, ...]:
    """Return how much is done, in a line."""
    full = round(max(0.0, min(part.share, 1.0)) * width)
    return (
        Span("█" * full, Tone.STRONG),
        Span("░" * (width - full), Tone.DIM),
        Span(f" {part.share:4.0%}  {part.text}"),
    )

"""The ways to begin: what each asks for, and the request that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ringfence_tui.spans import Row, Span, Tone, row, rows


class Way(StrEnum):
    """A way to begin."""

    LAB = "lab"
    TAKE_OVER = "inventory"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that is asked for: its name, its label, what is proposed, and a sentence."""

    name: str
    label: str
    proposed: str
    help: str


@dataclass(frozen=True, slots=True)
class Form:
    """A way to begin, with what it asks for and what it does."""

    way: Way
    key: str
    title: str
    line: str
    does: tuple[str, ...]
    asks: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """What a person entered."""

    way: Way
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """The workspace that was made: its directory, how many files were written, and whether git keeps it."""

    directory: str
    written: int
    in_git: bool
    notes: tuple[str, ...] = ()


_CONTROL = Asked("control", "managed from", "", "the network Ansible comes from: 10.9.0.0/24; empty to say later")
FORMS = (
    Form(
        Way.LAB,
        "l",
        "Try the demo lab",
        "a shop of a dozen hosts on this machine, to see and to break",
        (
            "raises namespaces or small machines on this host, as 'ringfence lab up' does",
            "writes a workspace for them; nothing else on this machine changes",
        ),
        (Asked("directory", "workspace", "ringfence-demo", "a directory that is empty or not there yet"),),
    ),
    Form(
        Way.TAKE_OVER,
        "i",
        "Take over an Ansible inventory",
        "hosts, groups and variables that you have already",
        (
            "writes a workspace with links to the inventory, which is only read",
            "asks no host anything",
        ),
        (
            Asked("inventory", "inventory", "inventory", "a file or a directory, as 'ansible -i' takes it"),
            Asked("directory", "workspace", ".", "where the files of the workspace go"),
            _CONTROL,
        ),
    ),
    Form(
        Way.NEW,
        "n",
        "Begin a new workspace",
        "hosts in a table, or from AWS, vSphere, NetBox and others",
        ("writes the files that 'ringfence init' writes", "asks no host anything"),
        (Asked("directory", "workspace", "shop-net", "a directory that is empty or not there yet"), _CONTROL),
    ),
)


LETTERS = "abcdefgm"  # of workspaces


def form_of(way: Way) -> Form:
    """Return the form of a way."""
    return next(form for form in FORMS if form.way is way)


def welcome(why: str) -> tuple[Row, ...]:
    """Return what stands above the choice."""
    return (
        (),
        row(Span(" RINGFENCE", Tone.TITLE), Span("   micro-segmentation for the hosts that Ansible manages", Tone.DIM)),
        (),
        row(" ", why or "There is no workspace here."),
        row(
            Span(
                " A workspace is a directory of files that git keeps: labels, a policy, where hosts come from.",
                Tone.DIM,
            )
        ),
        (),
    )


def choices(below: Sequence[str] = ()) -> tuple[Row, ...]:
    """Return the ways, a row each, then the workspaces right below, by letters that no way has."""
    ways = [(form.key, form.title, form.line) for form in FORMS]
    ways += [
        (letter, f"Open {Path(one).name}", "the workspace there") for letter, one in zip(LETTERS, below, strict=False)
    ]
    return tuple(row("   ", Span(key, Tone.KEY), f"  {title:<33}", Span(line, Tone.DIM)) for key, title, line in ways)


def about(form: Form) -> tuple[Row, ...]:
    """Return what a way does."""
    return ((), row(Span(f" {form.title}", Tone.STRONG)), *rows([f"   {line}" for line in form.does], Tone.DIM), ())

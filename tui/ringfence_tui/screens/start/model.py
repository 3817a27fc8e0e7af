"""The ways to begin: what each asks for, and the request that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ringfence.model.counts import counted

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

    def words(self) -> str:
        """Return what was made, and what comes next."""
        kept = "git keeps them" if self.in_git else "nothing keeps their history"
        said = "; ".join((f"{counted(self.written, 'file')} written, {kept}", *self.notes))
        return f"{said}. Hosts: rows in hosts.csv, or any Ansible inventory in inventory/; then d"


_NEW = "a new directory; in one that is there no file is overwritten"
_CONTROL = Asked("control", "managed from", "", "the network Ansible comes from: 10.9.0.0/24; empty to say later")
FORMS = (
    Form(
        Way.LAB,
        "l",
        "Try the demo lab",
        "a shop of twelve hosts, on this machine",
        (
            "raises namespaces or small machines on this host, as 'ringfence lab up' does",
            "writes a workspace for them; nothing else on this machine changes",
        ),
        (
            Asked(
                "directory",
                "workspace",
                "ringfence-demo",
                _NEW,
            ),
        ),
    ),
    Form(
        Way.TAKE_OVER,
        "i",
        "Take over an Ansible inventory",
        "hosts and groups that you have already",
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
        "hosts from a table, a cloud or a CMDB",
        ("writes the files that 'ringfence init' writes", "asks no host anything"),
        (
            Asked("directory", "workspace", "shop-net", _NEW),
            _CONTROL,
        ),
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
                " A workspace is a directory that git keeps: labels, a policy, sources of hosts.",
                Tone.DIM,
            )
        ),
        (),
    )


def choices(below: Sequence[str] = ()) -> tuple[Row, ...]:
    """Return the ways, a row each, then the workspaces right below, by letters that no way has, as far as they go."""
    ways = [(form.key, form.title, form.line) for form in FORMS]
    letters = f"{LETTERS:<{len(below)}}"
    ways += [
        (letter, f"Open {Path(one).name}", "the workspace there") for letter, one in zip(letters, below, strict=False)
    ]
    return tuple(row("   ", Span(key, Tone.KEY), f"  {title:<33}", Span(line, Tone.DIM)) for key, title, line in ways)


def about(form: Form) -> tuple[Row, ...]:
    """Return what a way does."""
    return ((), row(Span(f" {form.title}", Tone.STRONG)), *rows([f"   {line}" for line in form.does], Tone.DIM), ())

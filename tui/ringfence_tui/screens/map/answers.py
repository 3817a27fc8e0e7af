"""What the Map screen asks its engine process, and what it hears: values that go over the pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.model.draft_effect import RuleHome
from ringfence.model.judging import SoFar
from ringfence.model.picture import Picture, PictureEdge, PictureGroup


@dataclass(frozen=True, slots=True)
class When:
    """The time of the flows, as people write it."""

    since: str = "7d"
    until: str | None = None


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """Which picture: its levels (empty: those of the estate), inside which group, of which time.

    `known` names the answer that the screen shows: of the same picture only edges that differ come.
    """

    levels: tuple[str, ...] = ()
    inside: PictureGroup | None = None
    when: When = field(default_factory=When)
    known: str = ""


@dataclass(frozen=True, slots=True)
class DamageNote:
    """A draft that could not be read: what is told, where it is kept and damaged, and the way out."""

    message: str
    place: str
    remedy: str


@dataclass(frozen=True, slots=True)
class DraftSeen:
    """The draft on disk now: its version, who wrote it last ("" where it does not say), and whether that were we."""

    version: str
    who: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class DraftNote:
    """How many changes the draft holds, what undo and redo would do, its files, and what is in its way.

    `version` tells this draft from any other; undo, redo and writing are asked for with the one that is shown.
    """

    changes: int = 0
    undo: bool = False
    redo: bool = False
    files: tuple[str, ...] = ()
    conflict: str = ""
    plan: str = ""
    version: str = ""
    damaged: DamageNote | None = None


@dataclass(frozen=True, slots=True)
class Edges:
    """Some edges of the picture that is asked for: they come in parts, so that no part holds the screen up.

    `places` are where they stand among the edges of the answer that the screen knows; none where all edges come.
    """

    edges: tuple[PictureEdge, ...]
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """A picture, every level that there is, and what the draft is; the edges came before, in parts.

    `name` is what the screen knows this answer by. With `follows` only edges came that differ from those of the answer
    that the request knew.
    """

    picture: Picture
    keys: tuple[str, ...]
    draft: DraftNote = field(default_factory=DraftNote)
    notes: tuple[str, ...] = ()
    name: str = ""
    follows: bool = False


@dataclass(frozen=True, slots=True)
class CellRequest:
    """The two groups of a cell in a picture."""

    levels: tuple[str, ...]
    client: PictureGroup
    server: PictureGroup
    when: When = field(default_factory=When)
    limit: int = 50


@dataclass(frozen=True, slots=True)
class NeighboursRequest:
    """A group of a picture, which may be the inside of another one."""

    levels: tuple[str, ...]
    group: PictureGroup
    when: When = field(default_factory=When)
    inside: PictureGroup | None = None


@dataclass(frozen=True, slots=True)
class RuleRequest:
    """A rule as plain data of the grammar, and the document that it goes into."""

    rule: Mapping[str, object]
    home: RuleHome
    when: When = field(default_factory=When)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of how many groups are judged, and of a change what it does to those."""

    done: int
    of: int
    so_far: SoFar | None = None


@dataclass(frozen=True, slots=True)
class SheetRequest:
    """The cell that a rule is made on, and what it does: `allow` or `deny`."""

    action: str
    cell: CellRequest


@dataclass(frozen=True, slots=True)
class Writing:
    """What writing the draft would do: lines for people, and whether there is anything to write."""

    lines: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    version: str | None = None

"""How finely groups are told apart, and which group one has gone into."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ringfence.model.picture import GroupKind, PictureGroup

from ringfence_tui.screens.map.names import name_of

FINEST = ("asset", "process")


@dataclass(frozen=True, slots=True)
class Level:
    """What tells groups apart, coarsest first, and the group whose inside is shown.

    `keys` are all levels that there are, labels and then `FINEST`; `depth` is how many of them tell groups apart.
    `before` is the level that one went into the group from.
    """

    keys: tuple[str, ...]
    depth: int
    inside: PictureGroup | None = None
    before: Level | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """Return what groups are told apart by."""
        return self.keys[: self.depth]

    def finer(self) -> Level:
        """Return the next finer level, or the same where there is none."""
        return replace(self, depth=min(self.depth + 1, len(self.keys)))

    def coarser(self) -> Level:
        """Return the next coarser level, the same where there is none; out of a group that had no inside then."""
        if self.inside is not None and self.depth - 1 <= len(self.inside.labels):
            return self.out()
        return replace(self, depth=max(1, self.depth - 1))

    def into(self, group: PictureGroup) -> Level:
        """Return the inside of a group, at the next finer level; the same level where it has none."""
        depth = max(self.depth, len(group.labels) + 1)
        if group.kind is GroupKind.NETWORK or depth > len(self.keys) or group == self.inside:
            return self
        return Level(self.keys, depth, group, self)

    def out(self) -> Level:
        """Return the level that one came from into a group."""
        return self.before or replace(self, inside=None)

    def shown_as(self, keys: tuple[str, ...], depth: int) -> Level:
        """Return the level that is shown where this one was asked for: out of the group, where it is too coarse."""
        inside = self.inside if self.inside is not None and depth > len(self.inside.labels) else None
        return Level(keys, depth, inside, self.before if inside is not None else None)

    @property
    def words(self) -> str:
        """Return what groups are told apart by, for people: `env > app > role`."""
        return " > ".join(self.shown)

    @property
    def path(self) -> str:
        """Return the group one is in, for people; nothing at the top."""
        return name_of(self.inside) if self.inside is not None else ""

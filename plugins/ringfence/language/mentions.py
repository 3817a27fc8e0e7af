"""What a policy says of the estate, with its place: labels, assets, units and users that should exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ringfence.model.errors import Place
from ringfence.model.selectors import Selector


@dataclass(frozen=True, slots=True)
class LabelMention:
    """A label key with a value; with None: the key alone."""

    key: str
    value: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class AssetMention:
    """An asset by its name."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class ProcessMention:
    """A systemd unit or a user, on the assets that `selector` chooses."""

    kind: Literal["unit", "user"]
    name: str
    place: Place
    selector: Selector


@dataclass(frozen=True, slots=True)
class ChoiceMention:
    """A whole selector, scope and all, that should choose something."""

    selector: Selector
    place: Place


@dataclass(frozen=True, slots=True)
class AlternativeMention:
    """One of several that a selector names: each should choose something of `whole`, which has the scope and-ed."""

    selector: Selector
    place: Place
    whole: Selector
    scope: Selector | None = None


Mention = LabelMention | AssetMention | ProcessMention | ChoiceMention | AlternativeMention

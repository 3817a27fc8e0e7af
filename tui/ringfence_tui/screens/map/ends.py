"""The selectors that a group of the picture can be meant by in a rule, the shown level first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ringfence.model.picture import GroupKind, PictureGroup

from ringfence_tui.screens.map.levels import FINEST

Selector = str | Mapping[str, object]
ANY = "any"
PLAIN = re.compile(r"[\w.@:/-]+")


@dataclass(frozen=True, slots=True)
class End:
    """A selector as plain data of the grammar, and its words for people."""

    selector: Selector
    words: str


def ends_of(group: PictureGroup, levels: Sequence[str]) -> tuple[End, ...]:
    """Return what a group can be meant by: itself, then the coarser labels, then whoever."""
    match group.kind:
        case GroupKind.UNKNOWN:
            return (*_addresses(group.name), End("unknown", "unknown"), End(ANY, ANY))
        case GroupKind.INTERNET:
            return (*_addresses(group.name), End("internet", "internet"), End("unknown", "unknown"), End(ANY, ANY))
        case GroupKind.NETWORK:
            return (_network(group.name), End(ANY, ANY))
    pairs = list(zip(levels, group.labels, strict=False))
    labels = [pair for pair in pairs if pair[0] not in FINEST]
    found = [_labelled(labels[:count]) for count in range(len(labels), 0, -1)]
    return (*_single(group.name, dict(pairs)), *found, End(ANY, ANY))


def short_of(ends: Sequence[End]) -> str:
    """Return the first of some ends that the short form of selectors can say, as commands take them."""
    return next((said for end in ends if (said := _short(end.selector)) is not None), ANY)


def _short(selector: Selector) -> str | None:
    if isinstance(selector, str):
        return selector
    if set(selector) == {"asset"} or set(selector) == {"cidr"}:
        return str(next(iter(selector.values())))
    if not all(isinstance(value, str) for value in selector.values()) or {"asset", "list", "process"} & set(selector):
        return None
    return ",".join(f"{key}={_quoted(str(value))}" for key, value in selector.items())


def _quoted(value: str) -> str:
    return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _single(name: str, values: Mapping[str, str | None]) -> Iterator[End]:
    """Yield the asset of a group, before it its process where that is a unit."""
    if not name:
        return
    process = values.get("process")
    if process is not None and process.endswith(".service"):
        yield End({"asset": name, "process": {"unit": process}}, f"asset={name}, {process}")
    yield End({"asset": name}, f"asset={name}")


def _labelled(pairs: Sequence[tuple[str, str | None]]) -> End:
    selector: dict[str, object] = {key: {"exists": False} if value is None else value for key, value in pairs}
    return End(selector, ", ".join(f"no {key}" if value is None else f"{key}={value}" for key, value in pairs))


def _addresses(name: str) -> tuple[End, ...]:
    return (End({"cidr": name}, name),) if name else ()


def _network(name: str) -> End:
    written = name[:1].isdigit() or ":" in name
    return End({"cidr": name}, name) if written else End({"list": name}, f"list {name}")

"""Unresponsive sources never delete their assets: these stay as the last snapshot has them, marked stale.

A source is unresponsive if it failed, if one of our plug-ins gave no host although it had some, or if it says so
itself: the variable `ringfence_unreached` names the sources (accounts, regions, servers) that it did not reach.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ringfence.language.folders import below
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.errors import InputError, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.sources.ansible_inventory import ParsedInventory, read_inventory
from ringfence.sources.attributes import plain_value
from ringfence.sources.heard_run import Hear
from ringfence.sources.host_variables import INCOMPLETE, INVENTORY, sorted_points
from ringfence.sources.identity_keys import source_facts
from ringfence.sources.merging import IDENTITY, STALE, hosts_of
from ringfence.sources.namesakes import has_moved, moved_problem
from ringfence.wire.first_few import first_few

UNREACHED = "ringfence_unreached"
_IGNORED = ("group_vars", "host_vars")
_OURS = "plugin: ringfence.core."
_NO_SOURCE = ("plugin: ringfence.core.labels",)
_HEAD_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Silent:
    """An unresponsive source: its file, or the beginning of the source that its assets name, and the reason.

    `failed` says that nothing is known of its answer, so that any asset may belong to it.
    """

    source: str
    why: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class WithStale:
    """Assets, with stale ones that no source names any more; `same` are names of one machine among them."""

    assets: tuple[Asset, ...]
    same: tuple[tuple[str, ...], ...] = ()
    problems: tuple[Problem, ...] = ()


def read_answering(
    paths: Sequence[Path], directory: Path, failure: RingfenceError, hear: Hear | None = None
) -> tuple[ParsedInventory, list[Silent]]:
    """Return the answers of responsive sources, after an inventory failed as a whole, and the unresponsive ones.

    Raise the failure if no source is the reason but a file that a person has to correct.
    """
    parsed = read_inventory(paths, directory, what_answers=True, hear=hear)
    silent = []
    for path in _files(paths, directory):
        reason = parsed.unparsed.get("".join(str(path).split()))
        if reason is None:
            continue
        shown = _shown(path, directory)
        broken = isinstance(failure, InputError) and failure.place is not None and failure.place.file == shown
        if broken or not _asks_others(path):
            raise failure
        silent.append(Silent(shown, reason, failed=True))
    if not silent:
        raise failure
    return parsed, silent


def quiet_sources(
    paths: Sequence[Path], directory: Path, parsed: ParsedInventory, assets: Sequence[Asset]
) -> list[Silent]:
    """Return the sources that answered without a host, and those that report that they did not reach a part."""
    speaking = {source for asset in assets for source in asset.sources}
    found = {source: why for host in parsed.hosts for source, why in _unreached(host.variables)}
    for path in _files(paths, directory):
        shown = _shown(path, directory)
        if _is_ours(path) and not any(source.startswith(shown) for source in speaking):
            found.setdefault(shown, "it names no host, and it did before")
    return [Silent(source, why) for source, why in sorted(found.items())]


def with_stale(assets: Sequence[Asset], last: Snapshot, silent: Sequence[Silent]) -> WithStale:
    """Return the assets, and those of the last snapshot that only an unresponsive source could have named.

    An asset that is still named, but not by all its sources, keeps the attributes, addresses and names that only the
    unresponsive ones gave. Labels of rules are not kept: rules are applied to the result.
    """
    half_read = {asset.name: why for asset in assets if (why := asset.attributes.get(INCOMPLETE)) is not None}
    if not silent and not half_read:
        return WithStale(tuple(assets))
    now = {asset.name: asset for asset in assets}
    speaking = frozenset(source for asset in assets for source in asset.sources)
    stood: dict[str, list[str]] = {}
    same: list[tuple[str, ...]] = []
    moved: list[Problem] = []
    for old in last.assets:
        concerned = _concerned(old, silent, old.name in now, speaking)
        if concerned is None and old.name in half_read:
            concerned = Silent(f"'{old.name}' of {', '.join(now[old.name].sources[:1])}", str(half_read[old.name]))
            silent = [*silent, concerned]
        if concerned is None:
            continue
        present = [name for name in hosts_of(old) if name in now]
        if old.name in now and has_moved(old, now[old.name]):
            moved.append(moved_problem(old, now[old.name], concerned.source))
            continue
        if old.name in now:
            if old.name not in half_read and not _lost(old, now[old.name]):
                continue
            names = tuple(sorted({*old.also, *now[old.name].also} - now.keys()))
            now[old.name] = replace(_completed(now[old.name], old, concerned, last), also=names)
        else:
            now[old.name] = _stale(old, concerned, last)
            if present:
                same.append((old.name, *present))
        stood.setdefault(concerned.source, []).append(old.name)
    problems = [_problem(one, stood.get(one.source, []), last) for one in silent if one.failed or one.source in stood]
    return WithStale(tuple(now[name] for name in sorted(now)), tuple(same), (*problems, *moved))


def is_stale(asset: Asset) -> bool:
    """Return whether an asset was taken from an earlier snapshot."""
    return STALE in asset.attributes


def _concerned(asset: Asset, silent: Sequence[Silent], named: bool, speaking: frozenset[str]) -> Silent | None:
    """Return the silent source that an asset of the last snapshot may be of; None where it is another's.

    What somebody else's plug-in gave does not say so: it carries the inventory's own name, or none that speaks now.
    """
    for one in silent:
        if any(source.startswith(one.source) for source in asset.sources):
            return one
    failed = next((one for one in silent if one.failed), None)
    if failed is None or named:
        return failed
    anybodys = all(failed.source.startswith(source) for source in asset.sources)
    return failed if anybodys or speaking.isdisjoint(asset.sources) else None


def _lost(old: Asset, new: Asset) -> bool:
    """Return whether an asset lacks facts of a source that it had."""
    return bool(source_facts(old).keys() - source_facts(new).keys())


def _stale(old: Asset, silent: Silent, last: Snapshot) -> Asset:
    labels = {key: label for key, label in old.labels.items() if label.rule == INVENTORY}
    attributes = {**old.attributes, STALE: old.attributes.get(STALE) or _mark(silent, last)}
    return replace(old, labels=labels, attributes=attributes)


def _completed(new: Asset, old: Asset, silent: Silent, last: Snapshot) -> Asset:
    kept = {name: value for name, value in old.attributes.items() if name not in new.attributes and name != IDENTITY}
    groups = {*_texts(old.attributes.get("groups")), *_texts(new.attributes.get("groups"))}
    mark = {**_mark(silent, last), "attributes": sorted(kept)}
    labels = {key: label for key, label in old.labels.items() if label.rule == INVENTORY}
    return replace(
        new,
        addresses=sorted_points((*old.addresses, *new.addresses)),
        labels={**labels, **new.labels},
        sources=tuple(sorted({*old.sources, *new.sources})),
        attributes={**kept, **new.attributes, "groups": sorted(groups), STALE: old.attributes.get(STALE) or mark},
    )


def _mark(silent: Silent, last: Snapshot) -> dict[str, object]:
    return {"since": last.taken.strftime("%Y-%m-%dT%H:%M:%SZ"), "source": silent.source}


def _problem(silent: Silent, names: Sequence[str], last: Snapshot) -> Problem:
    said = f"{silent.source} gave nothing: {silent.why}"
    if not names:
        return Problem(Severity.WARNING, f"{said}; the last snapshot has no asset of it", None, "make it answer")
    named = first_few([f"'{name}'" for name in names])
    when = last.taken.strftime("%Y-%m-%d %H:%M UTC")
    what = "1 asset stands as it was" if len(names) == 1 else f"{len(names)} assets stand as they were"
    remedy = "make it answer; where its assets are meant to go: delete its file, or ringfence assets accept"
    return Problem(Severity.WARNING, f"{said}; {what} at {when}: {named}", None, remedy)


def _unreached(variables: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    value = plain_value(variables.get(UNREACHED))
    if isinstance(value, dict):
        yield from ((source, str(why)) for source, why in value.items())
    elif isinstance(value, list):
        yield from ((source, "it was not reached") for source in value if isinstance(source, str))


def _files(paths: Sequence[Path], directory: Path) -> Iterator[Path]:
    for path in paths:
        whole = (directory / path).resolve()
        if whole.is_file():
            yield whole
        for file in sorted(below(whole).files) if whole.is_dir() else ():
            if file.is_file() and not set(_IGNORED) & set(file.relative_to(whole).parts):
                yield file


def _asks_others(path: Path) -> bool:
    """Return whether a file makes Ansible ask others: the configuration of a plug-in, or a script."""
    return os.access(path, os.X_OK) or any(line.startswith("plugin:") for line in _head(path))


def _is_ours(path: Path) -> bool:
    lines = [line.strip() for line in _head(path)]
    return any(line.startswith(_OURS) for line in lines) and not any(line.startswith(_NO_SOURCE) for line in lines)


def _head(path: Path) -> list[str]:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES).decode(errors="replace").splitlines()


def _shown(path: Path, directory: Path) -> str:
    base = directory.resolve()
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

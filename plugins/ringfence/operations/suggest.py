"""Rules that traffic suggests: a person reads, accepts or rejects them, and they stand in the policy's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ringfence.estate.queries import QueryReader
from ringfence.language.rejections import FILE, Rejection, add_rejections, read_rejections
from ringfence.model.addresses import addresses_of
from ringfence.model.errors import InputError
from ringfence.model.intervals import union
from ringfence.model.rules import Direction, Mode
from ringfence.model.services import parse_service
from ringfence.operations.execution import Execution
from ringfence.operations.suggest_draft import Draft, Fence
from ringfence.suggest.cover import DIALS
from ringfence.suggest.decided import Decided
from ringfence.suggest.groups import KEYS, Groups
from ringfence.suggest.judging import Score, judged
from ringfence.suggest.mining import UNLABELLED, Kept, Mined, Miner, Wish
from ringfence.suggest.refusals import Refusals
from ringfence.suggest.rules import Offered
from ringfence.suggest.traffic import Seen, Traffic

if TYPE_CHECKING:
    from ringfence.analysis.simulate import Simulation
    from ringfence.estate import Estate
    from ringfence.estate.draft_changes import Change
    from ringfence.flows.window import FlowWindow
    from ringfence.operations.flow_selection import FlowSelection

USUAL_KEYS = KEYS
_SINGLE_UNTIL = 0.25
_SHORTEST_ID = 4  # of its digits, which a person writes
_COMPARED = 2000  # wishes, of which other positions of the dial are looked at within a second


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: flows, how tight (0 to 1, or a word of DIALS), the labels to use, an application to fence."""

    flows: FlowSelection
    dial: str = "balanced"
    keys: Sequence[str] = KEYS
    fence: str | None = None

    def number(self) -> float:
        """Return the dial as a number. Raise InputError for what is none from 0 to 1."""
        if self.dial in DIALS:
            return DIALS[self.dial]
        try:
            number = float(self.dial)
        except ValueError:
            number = -1.0
        if not 0 <= number <= 1:
            raise InputError(
                f"'{self.dial}' is not a position of the dial", remedy=f"write {', '.join(DIALS)}, or 0 to 1"
            )
        return number


@dataclass(frozen=True, slots=True)
class Effect:
    """What the chosen suggestions would do, as if every mode were `full`, against the policy as it is.

    `breaking` are the tests and invariants that hold now and would not, each with the ids of the suggestions that allow
    what it forbids; `left_out` the hosts that could not take their tables any more, with the reason.
    """

    simulation: Simulation
    breaking: Sequence[tuple[str, Sequence[str]]]
    left_out: Mapping[str, str]

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        counts = self.simulation.categories
        return {
            "categories": {str(one): count.data() for one, count in counts.items()},
            "left_out": dict(self.left_out),
            "breaks": [{"what": what, "suggestions": list(causes)} for what, causes in self.breaking],
        }


@dataclass(frozen=True, slots=True)
class Suggested:
    """Suggestions in order, what is kept out, how good they are, and the difference that the chosen of them make.

    `same_as` are the other words of the dial that suggest the same. `changes` are the chosen ones for the draft that a
    person keeps (`operations.draft.change`), by their ids.
    """

    window: dict[str, object]
    offers: tuple[Offered, ...]
    names: dict[str, str]
    chosen: tuple[Offered, ...]
    fence: Fence | None
    kept: tuple[Kept, ...]
    groups: Groups
    allowed: int
    scores: tuple[Score, Score, Score] | None
    difference: str
    effect: Effect | None
    unlabelled: tuple[str, ...]
    rejected: tuple[Rejection, ...]
    wrong: int
    written: tuple[str, ...] = ()
    dial: str = "balanced"
    same_as: tuple[str, ...] = ()
    changes: Mapping[str, Change] = field(default_factory=dict)

    @property
    def guesses(self) -> int:
        """Return how many flows of the window have a direction that was only guessed."""
        return int(str(self.window["guesses"]))


@contextmanager
def suggest(
    estate: Estate,
    wanted: Wanted,
    only: Sequence[str] = (),
    *,
    write: bool = False,
    effect: bool = True,
    execution: Execution | None = None,
) -> Iterator[Suggested]:
    """Suggest rules for flows; within the context their window is open.

    `only` are ids of suggestions, the first four digits of some, or their numbers in this order; the difference, the
    effect and what is written are of these alone. Raise InputError for what is not suggested.
    """
    listener = (execution or Execution()).listener
    wanted.number()
    with wanted.flows.window(estate, listener) as window, listener.working("looking for rules"):
        miner, traffic, rejected, fence = _miner(estate, wanted, window)
        times = (traffic.first, traffic.last)
        span = (times[0], times[1]) if times[0] and times[1] else None
        mined = miner.mine(seen := traffic.seen(), span)
        fence = fence if mined.offers or fence is None or mined.allowed else None
        chosen, closing = _chosen(mined.offers, fence, only)
        scores = judged(miner, traffic, traffic.split) if traffic.split else None
        with TemporaryDirectory(prefix="ringfence-suggest-") as directory:
            draft = Draft(estate, Path(directory) / "chosen", wanted.keys[0])
            draft.write(chosen, closing)
            names = draft.names if chosen == mined.offers else _names(estate, Path(directory), mined.offers, wanted)
            found = _effect(estate, draft, window, miner, chosen) if effect and (chosen or closing) else None
            yield Suggested(
                {
                    "first_seen": _iso(times[0]),
                    "last_seen": _iso(times[1]),
                    "flows": traffic.flows,
                    "guesses": window.guesses,
                },
                mined.offers,
                {**names, **draft.names},
                chosen,
                fence,
                mined.kept,
                miner.groups,
                mined.allowed,
                scores,
                draft.difference(),
                found,
                _unlabelled(mined, miner.groups),
                rejected,
                window.wrong,
                tuple(draft.apply()) if write and not (found and found.breaking) else (),
                wanted.dial,
                tuple(_same_as(miner, seen, span, mined)),
                draft.changes,
            )


def reject(
    estate: Estate, wanted: Wanted, numbers: Sequence[str], because: str, execution: Execution | None = None
) -> dict[str, str]:
    """Write suggestions into `suggestions.yml` as rejected, with the reason; return their rules' names by their ids."""
    with suggest(estate, wanted, numbers, effect=False, execution=execution) as found:
        if not found.chosen:
            raise InputError("what closes an application is not rejected", remedy="leave it out: --only ID,ID --write")
        path = estate.directory / FILE
        day = estate.now.date().isoformat()
        add_rejections(
            path,
            [
                {
                    "id": one.id,
                    "from": one.peers("from"),
                    "to": one.peers("to"),
                    "allow": list(one.service_words()),
                    "because": because,
                    "date": day,
                }
                for one in found.chosen
            ],
        )
        return {one.id: found.names.get(one.id, "") for one in found.chosen}


def _miner(
    estate: Estate, wanted: Wanted, window: FlowWindow
) -> tuple[Miner, Traffic, tuple[Rejection, ...], Fence | None]:
    from ringfence.enforcers import abilities_of

    workspace, dial = estate.workspace, wanted.number()
    private = workspace.settings.private_addresses()
    compiled = estate.installed(full=True)
    snapshot = compiled.snapshot
    lists = {name: union(read) for name, read in workspace.definitions.read_lists.items()}
    control = addresses_of(workspace.settings.control.networks if workspace.settings.control else ())
    single = dial < _SINGLE_UNTIL
    known = {key for asset in snapshot.assets for key in asset.labels}
    for key in wanted.keys:
        if key not in known and key not in USUAL_KEYS:
            raise InputError(f"no asset has a label '{key}'", remedy=f"the keys are: {', '.join(sorted(known))}")
    rejected = read_rejections(estate.directory / FILE, workspace.definitions, estate.directory)
    peers = [peer for one in rejected for peer in (*one.sources, *one.destinations)]
    groups = Groups(
        snapshot, workspace.policy, private, lists, wanted.keys, control=control, single=single, rejected=peers
    )
    traffic = Traffic(window, groups)
    assets = snapshot.named()

    def sees(group: int, kind: str, direction: Direction) -> bool:
        members = groups.every[group].members
        return bool(members) and kind in abilities_of(assets[members[0]].enforcer).processes(direction)

    def addresses(wish: Wish, side: str) -> list[str]:
        return traffic.addresses(wish.client, wish.server, wish.service, side)

    inside, fence = _inside(estate, wanted, groups)
    miner = Miner(groups, Decided(compiled, groups), dial, Refusals(rejected, groups, private), inside, sees, addresses)
    return miner, traffic, rejected, fence


def _inside(estate: Estate, wanted: Wanted, groups: Groups) -> tuple[set[int] | None, Fence | None]:
    """Return the groups of the application to fence, and the entry that closes it where it is not closed."""
    if wanted.fence is None:
        return None, None
    word, key = wanted.fence, wanted.keys[0]
    snapshot = groups.snapshot
    values = {asset.labels[key].value for asset in snapshot.assets if key in asset.labels}
    text = f"{{{key}: {word!r}}}" if word in values else word
    chosen = {asset.name for asset in QueryReader(estate.workspace.definitions, snapshot).assets([text])}
    inside = {number for number, group in enumerate(groups.every) if chosen.intersection(group.members)}
    modes = estate.installed(full=False).enforcement
    closed = all(
        (entry := modes.get(name)) is not None and entry.inbound is entry.outbound is Mode.FULL
        for name in chosen
        if name in modes
    )
    if closed or word not in values:
        return inside, None
    return inside, Fence(word, {key: word})


def _chosen(
    offers: Sequence[Offered], fence: Fence | None, only: Sequence[str]
) -> tuple[tuple[Offered, ...], Fence | None]:
    """Return the suggestions of numbers and ids, all where none is given; the fence is the last number."""
    if not only:
        return tuple(offers), fence
    known: list[Offered | Fence] = [*offers, *([fence] if fence else [])]
    numbers = {str(number): one for number, one in enumerate(known, 1)}
    found: dict[str, Offered] = {}
    closing = None
    for word in only:
        meant = [numbers[word]] if word in numbers else [one for one in known if _is_called(one.id, word)]
        if len(meant) > 1:
            ids = ", ".join(one.id for one in meant)
            raise InputError(f"{word} begins several ids: {ids}", remedy="write more of the one that is meant")
        if not meant:
            raise InputError(
                f"there is no suggestion {word}",
                remedy="ringfence suggest shows their ids; what was written or rejected is not suggested again",
            )
        if isinstance(meant[0], Fence):
            closing = meant[0]
        else:
            found[meant[0].id] = meant[0]
    return tuple(found.values()), closing


def _is_called(suggestion: str, word: str) -> bool:
    return suggestion == word or (len(word) >= _SHORTEST_ID and suggestion.startswith(word))


def _same_as(miner: Miner, seen: Sequence[Seen], span: tuple[datetime, datetime] | None, mined: Mined) -> list[str]:
    """Return the words of the dial at which the same rules are suggested; none where that takes long to find out."""
    if miner.dial < _SINGLE_UNTIL or not mined.offers or len(mined.wishes) > _COMPARED:
        return []
    others = {word: dial for word, dial in DIALS.items() if dial >= _SINGLE_UNTIL and dial != miner.dial}
    ids = {one.id for one in mined.offers}
    return [
        word
        for word, dial in others.items()
        if {one.id for one in replace(miner, dial=dial).mine(seen, span).offers} == ids
    ]


def _names(estate: Estate, directory: Path, offers: Sequence[Offered], wanted: Wanted) -> dict[str, str]:
    draft = Draft(estate, directory / "every", wanted.keys[0])
    draft.write(offers)
    return draft.names


def _effect(estate: Estate, draft: Draft, window: FlowWindow, miner: Miner, chosen: Sequence[Offered]) -> Effect:
    from ringfence.analysis.invariants import broken
    from ringfence.analysis.policy_tests import failures
    from ringfence.analysis.simulate import simulate
    from ringfence.enforcers import enforcer
    from ringfence.plan import read_state
    from ringfence.plan.left_out import left_out

    now, then = estate.installed(full=True), draft.compiled()
    failed = {one.test.name for one in failures(now)}
    unmet = {one.invariant.name for one in broken(now)}
    breaking: list[tuple[str, Sequence[str]]] = []
    for one in failures(then):
        if one.test.name not in failed:
            breaking.append((str(one), miner.allowing(chosen, one.client, one.server, one.services)))
    for other in broken(then):
        if other.invariant.name not in unmet:
            example = other.example
            ends = f"{example.client} → {example.server} on {example.service}"
            causes = miner.allowing(chosen, example.client, example.server, parse_service(example.service).v4)
            breaking.append((f"invariant '{other.invariant.name}': {ends}", causes))
    held = read_state(estate.directory)
    unable = [left_out(one, held, enforcer) for one in (now, then)]
    more = {name: why for name, why in unable[1].items() if name not in unable[0]}
    return Effect(simulate(then.tables, then.snapshot, window, now.tables), breaking, more)


def _unlabelled(mined: Mined, groups: Groups) -> tuple[str, ...]:
    """Return the assets with wanted traffic that rules could name by nothing but their names."""
    ends = {number for wish in mined.wishes for number in (wish.client, wish.server)}
    ends |= {number for one in mined.kept if one.why == UNLABELLED for number in (one.seen.client, one.seen.server)}
    return tuple(sorted(one.asset for number in ends if (one := groups.every[number]).asset is not None))


def _iso(time: object) -> str | None:
    return time.isoformat() if hasattr(time, "isoformat") else None

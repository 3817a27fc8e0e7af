"""Rows of a simulation for the Simulate screen. In the engine process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from ringfence.model.errors import InputError
from ringfence.operations.interrupting import interruptible
from ringfence.operations.simulate import FlowChoice
from ringfence.presenting.simulation_rows import label_text, service_text

from ringfence_tui.clock import date_and_clock
from ringfence_tui.screens.simulate.kept import simulated
from ringfence_tui.screens.simulate.model import (
    KINDS,
    By,
    CountRow,
    FlowRow,
    Labels,
    Side,
    SimulateRequest,
    SimulateView,
    Step,
)

if TYPE_CHECKING:
    from ringfence.analysis.simulate_counts import Count
    from ringfence.analysis.simulate_judge import Category
    from ringfence.estate import Estate
    from ringfence.operations.simulate import Simulated

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession, Tell
    from ringfence_tui.screens.simulate.kept import Kept

MOST = 2000
FLOWS = 500
UNKNOWN = "unknown"


def rows(session: EngineSession, request: SimulateRequest, tell: Tell) -> SimulateView:
    """Return the rows of judged flows that a request means, the worst first; judge them where nothing is kept."""
    with simulated(session, request.since, request.against, tell, anew=request.anew) as kept:
        assert kept.found is not None
        assert kept.estate is not None
        execution = session.execution(tell)
        with interruptible(execution, kept.found.simulation.judged.window.connection):
            return _view(kept, kept.estate, kept.found, request)


def _view(kept: Kept, estate: Estate, found: Simulated, request: SimulateRequest) -> SimulateView:
    chosen = _chosen(estate, found, request.steps)
    result = found.simulation
    flows: tuple[FlowRow, ...] = ()
    counted: Sequence[CountRow] = ()
    more = 0
    if request.by is By.FLOW:
        names = {one.rule: one.name for one in result.by_rule} | {rule.id: rule.name for rule in found.policy.rules}
        flows = tuple(_flow(flow, names) for flow in _worst_first(chosen.flows(FLOWS)))
        more = sum(count.flows for count in chosen.chosen.categories.values()) - len(flows)
    else:
        counted = _counted(chosen, request.by)
        more = max(0, len(counted) - MOST)
    return SimulateView(
        request,
        tuple(counted[:MOST]),
        flows,
        more,
        {str(category): count.flows for category, count in result.categories.items()},
        result.watched.flows,
        result.depends.flows,
        result.refused.flows,
        result.gone.flows,
        str(found.against) if found.against else "",
        kept.warnings,
    )


def _chosen(estate: Estate, found: Simulated, steps: Iterable[Step]) -> Simulated:
    by = {one.by: one for one in steps}
    if not by:
        return found
    choice = FlowChoice(
        categories=(by[By.CATEGORY].key,) if By.CATEGORY in by else (),
        rules=(by[By.RULE].key,) if By.RULE in by else (),
        rulesets=(by[By.RULESET].key,) if By.RULESET in by else (),
    )
    labels = _numbers(found, by[By.PAIR]) if By.PAIR in by else None
    return found.choosing(estate, choice, labels, by[By.ASSET].key if By.ASSET in by else None)


def _counted(chosen: Simulated, by: By) -> Sequence[CountRow]:
    selection = chosen.chosen
    if by is By.CATEGORY:
        found = []
        for place, kind in enumerate(KINDS):
            count = {str(category): one for category, one in selection.categories.items()}[kind]
            counts = [0] * len(KINDS)
            counts[place] = count.flows
            watched = selection.watched.flows if kind == "still_allowed" else 0
            words = kind.replace("_", " ")
            step = Step(by, words, kind) if count.flows else None
            found.append(CountRow(words, tuple(counts), watched, step, "", count.connections))
        return found
    if by is By.RULE:
        return [
            CountRow(
                one.name,
                *_counts(one.categories, one.watched.flows),
                Step(by, one.name, one.rule),
                "inbound" if one.direction == "in" else "outbound",
                _connections(one.categories),
            )
            for one in selection.by_rule()
        ]
    if by is By.RULESET:
        return [
            CountRow(
                one.ruleset,
                *_counts(one.categories, one.watched.flows),
                Step(by, one.ruleset, one.ruleset) if ":" in one.ruleset or "." in one.ruleset else None,
                "",
                _connections(one.categories),
            )
            for one in selection.by_ruleset(chosen.policy)
        ]
    if by is By.PAIR:
        return [
            CountRow(
                f"{_short(one.source)} → {_short(one.destination)}",
                *_counts(one.categories, one.watched.flows),
                Step(
                    by,
                    f"{label_text(one.source)} → {label_text(one.destination)}",
                    labels=(_labels(one.source), _labels(one.destination)),
                ),
                "",
                _connections(one.categories),
            )
            for one in selection.by_labels()
        ]
    return [
        CountRow(
            one.asset,
            *_counts(one.categories, one.watched.flows),
            Step(by, one.asset, one.asset) if one.evidence.count.flows else None,
            "" if one.evidence.count.flows else "never seen",
            one.evidence.count.connections,
        )
        for one in selection.by_asset()
    ]


def _counts(categories: Mapping[Category, Count], watched: int) -> tuple[tuple[int, ...], int]:
    by = {str(category): count.flows for category, count in categories.items()}
    return tuple(by[kind] for kind in KINDS), watched


def _connections(categories: Mapping[Category, Count]) -> int:
    return sum(count.connections for count in categories.values())


def _short(labels: Mapping[str, str] | None) -> str:
    """Return the values of labels, as the map names its groups."""
    return UNKNOWN if labels is None else " ".join(labels.values()) or "no labels"


def _labels(labels: Mapping[str, str] | None) -> Labels:
    return None if labels is None else tuple(labels.items())


def _numbers(found: Simulated, step: Step) -> tuple[int | None, int | None]:
    """Return the numbers that a label pair has in this simulation. Raise InputError where no flow is between them."""
    for one in found.simulation.by_labels:
        if (_labels(one.source), _labels(one.destination)) == step.labels:
            return one.numbers
    raise InputError(f"no flow is between {step.words} any more", remedy="esc goes out of it")


def _worst_first(flows: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return sorted(flows, key=lambda one: (KINDS.index(str(one["category"])), not one["would_be_denied"]))


def _flow(flow: Mapping[str, object], names: Mapping[str, str]) -> FlowRow:
    client, server = (str(flow[f"{side}_asset"] or flow[side]) for side in ("client", "server"))
    process = str(flow["client_unit"] or flow["client_user"] or flow["client_process"] or "")
    return FlowRow(
        client,
        server,
        service_text(flow["protocol"], flow["port"]),
        process,
        int(str(flow["connections"])),
        str(flow["category"]),
        bool(flow["would_be_denied"]),
        bool(flow["depends_on_process"]),
        _day(flow["first_seen"]),
        _day(flow["last_seen"]),
        _sides(flow["sides"], names),
        _sides(flow["sides_now"], names),
    )


def _sides(sides: object, names: Mapping[str, str]) -> tuple[Side, ...]:
    found = []
    for one in cast("Sequence[Mapping[str, object]]", sides or ()):
        rule = str(one["rule"] or "")
        found.append(Side(str(one["side"]), str(one["verdict"]), names.get(rule, rule), bool(one["would_deny"])))
    return tuple(found)


def _day(time: object) -> str:
    return date_and_clock(str(time or ""))


QUESTIONS: Questions = {"rows": rows}

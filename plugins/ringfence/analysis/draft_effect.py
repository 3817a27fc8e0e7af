"""What differs between two states of a judged picture, and what a drafted rule decides of its flows."""

# ruff: noqa: S608 - the SQL is put together from names of ours and numbers
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.picture import JudgedPicture
from ringfence.analysis.picture_cells import flow_of
from ringfence.analysis.picture_counts import whole
from ringfence.analysis.picture_rejudging import changed_hosts
from ringfence.analysis.simulate_judge import BUILT_IN
from ringfence.model.draft_effect import DraftEffect, RuleEffect, SignChange, StandsBefore
from ringfence.model.picture import WORST_FIRST, PictureFlow, Sign, SignCount
from ringfence.model.rules import EMERGENCY, Action, Direction, Enforcement, Mode, Policy, Rule

LOOPBACK = {f"{BUILT_IN}loopback"}
MOST_BEFORE = 3
MOST_RULES = 20


@dataclass(frozen=True)
class After:
    """The policy after a change, the rules that it brought or edited, and the enforcement entry of each workload."""

    policy: Policy
    rules: Sequence[Rule]
    enforcement: Mapping[str, Enforcement | None]


def effect(picture: JudgedPicture, before: str, after: str, said: After, worst: int = 5) -> DraftEffect:
    """Return what differs between two judged states, and what the rules of the second one decide."""
    with picture.lock:
        rows = picture.engine.rows(
            f"SELECT {before}, {after}, count(*), sum(connections)::BIGINT FROM picture_flows WHERE NOT refused"
            " GROUP BY ALL ORDER BY ALL"
        )
        flows = 0
        denied = allowed = SignCount()
        watched = [SignCount(), SignCount()]
        changes: dict[tuple[Sign, Sign], SignCount] = {}
        bad: list[tuple[int, int]] = []
        for old, new, number, connections in rows:
            count = SignCount(whole(number), whole(connections))
            flows += count.flows
            pair = (whole(old), whole(new))
            signs = (picture.verdicts.signs[pair[0]], picture.verdicts.signs[pair[1]])
            for place, sign in enumerate(signs):
                if sign is Sign.WOULD_BE_DENIED:
                    watched[place] += count
            if signs[0] is not signs[1]:
                changes[signs] = changes.get(signs, SignCount()) + count
            passes = [picture.verdicts.passes(one) for one in pair]
            if passes[0] and not passes[1]:
                denied += count
                bad.append(pair)
            elif passes[1] and not passes[0]:
                allowed += count
        tables = [picture.tables[one].tables for one in (before, after)]
        return DraftEffect(
            flows,
            denied,
            allowed,
            (watched[0], watched[1]),
            tuple(SignChange(old, new, count) for (old, new), count in sorted(changes.items(), key=_worst_first)),
            _rules(picture, after, said),
            _worst(picture, before, after, bad, worst),
            tuple(sorted(changed_hosts(*tables))),
        )


def _worst_first(item: tuple[tuple[Sign, Sign], SignCount]) -> tuple[int, int, int]:
    (old, new), count = item
    return WORST_FIRST.index(new), -count.flows, WORST_FIRST.index(old)


def _worst(
    picture: JudgedPicture, before: str, after: str, bad: Sequence[tuple[int, int]], limit: int
) -> tuple[PictureFlow, ...]:
    if not bad or not limit:
        return ()
    columns = [[pair[0] for pair in bad], [pair[1] for pair in bad]]
    picture.engine.put("picture_bad", {"old": "INTEGER", "new": "INTEGER"}, columns)
    states = "".join(f", f.{state.value}" for state in picture.states)
    rows = picture.engine.rows(
        f"SELECT f.client, f.server, f.service, f.refused, f.connections, f.last{states} FROM picture_flows AS f"
        f" JOIN picture_bad AS b ON b.old = f.{before} AND b.new = f.{after}"
        f" WHERE NOT f.refused ORDER BY f.connections DESC, f.client, f.server, f.service LIMIT {limit}"
    )
    return tuple(flow_of(picture, row) for row in rows)


def _rules(picture: JudgedPicture, after: str, said: After) -> tuple[RuleEffect, ...]:
    if not said.rules:
        return ()
    known = {rule.id: rule for rule in said.policy.rules}
    return tuple(_rule(picture, after, said, rule, known) for rule in said.rules[:MOST_RULES])


def _rule(
    picture: JudgedPicture,
    after: str,
    said: After,
    rule: Rule,
    known: Mapping[str, Rule],
) -> RuleEffect:
    where = picture.matches.condition(picture.engine, rule, "picture_of_rule")
    rows = picture.engine.rows(
        f"SELECT f.{after}, count(*) FROM picture_flows AS f WHERE NOT f.refused{where} GROUP BY ALL ORDER BY ALL"
    )
    decides = every = 0
    others: dict[str, int] = {}
    for number, count in rows:
        verdict = picture.verdicts.verdicts[whole(number)]
        deciding = {outcome.rule for _, outcome in verdict.deciding()} if verdict else set()
        if deciding == LOOPBACK:
            continue  # a host with itself: no rule decides that
        every += whole(count)
        if rule.id in deciding:
            decides += whole(count)
        else:
            for one in deciding:
                others[one] = others.get(one, 0) + whole(count)
    ordered = sorted(others.items(), key=lambda item: (-item[1], item[0]))[:MOST_BEFORE]
    bites, hosts = _bites(rule, said, picture.matches.ends)
    return RuleEffect(
        rule.id,
        rule.name,
        str(rule.place),
        str(rule.action),
        decides,
        every,
        tuple(_before(one, count, known) for one, count in ordered),
        bites,
        hosts,
    )


def _before(rule: str, flows: int, known: Mapping[str, Rule]) -> StandsBefore:
    one = known.get(rule)
    if one is None:
        return StandsBefore(rule, rule, "", "", flows)  # a built-in, or the default
    return StandsBefore(rule, one.name, one.tier, str(one.place), flows)


def _bites(rule: Rule, said: After, ends: Ends) -> tuple[int, int]:
    """Return how many hosts enforce a rule, and how many it speaks for: servers, where it speaks for their side."""
    direction = Direction.IN if Direction.IN in rule.sides else Direction.OUT
    chosen = ends.assets(tuple(peer.selector for peer in rule.local(direction)))
    hosts = [asset.name for asset, _ in chosen if asset.name in said.enforcement]
    biting = 0
    for name in hosts:
        entry = said.enforcement[name]
        mode = entry.mode(direction) if entry else Mode.OBSERVE
        denies = rule.action is Action.DENY and (mode is Mode.SELECTIVE or rule.tier == EMERGENCY)
        biting += mode is Mode.FULL or denies
    return biting, len(hosts)

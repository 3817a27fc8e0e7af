"""How good suggested rules are: mined from the first part of the window, asked about the last, beside two baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ringfence.suggest.addressed import masks, opened, passes
from ringfence.suggest.cover import Service, bits
from ringfence.suggest.decided import OPEN
from ringfence.suggest.mining import Miner, Wish
from ringfence.suggest.rules import Offered
from ringfence.suggest.traffic import Seen, Traffic

OURS = "these rules"
EVERY_PAIR = "one rule per observed pair"
INSIDE_APP = "anything inside an app"


@dataclass(frozen=True, slots=True)
class Score:
    """What a set of rules, made before the last part of a window, does in that part.

    `recalled` of the `flows` wanted in it pass, and `recalled_new` of the `new` ones, which had not been seen before.
    `reach` counts the pairs of hosts and services that the rules open, `excess` those that nobody used in all the
    window; services are those that were seen at all.
    """

    name: str
    rules: int
    flows: int
    recalled: int
    new: int
    recalled_new: int
    reach: int
    excess: int

    @property
    def recall(self) -> float:
        """Return which part of the flows passes, 1.0 where there are none."""
        return self.recalled / self.flows if self.flows else 1.0

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        names = ("name", "rules", "flows", "recalled", "new", "recalled_new", "reach", "excess")
        return {**{name: getattr(self, name) for name in names}, "recall": round(self.recall, 4)}


def judged(miner: Miner, traffic: Traffic, split: datetime) -> tuple[Score, Score, Score] | None:
    """Return the scores of the rules and of both baselines; None where nothing was wanted in the last part."""
    every = [row for row in traffic.seen() if row.why is None]
    assert traffic.first is not None

    def addresses(wish: Wish, side: str) -> Sequence[str]:
        return traffic.addresses(wish.client, wish.server, wish.service, side, before=split)

    # what names addresses one by one has not seen the last part either
    miner = replace(miner, addresses=addresses)
    whole = replace(miner, inside=None)
    mined = miner.mine(traffic.seen(before=split), (traffic.first, split))
    rules = _Opened(miner, mined.offers)
    flows = recalled = new = recalled_new = paired = inside = inside_new = 0
    for client, server, protocol, port, source, destination, count, known in traffic.held_out(split, rules.named):
        if not _wanted(miner, client, server, protocol, port):
            continue
        flows, new, paired = flows + count, new + count - known, paired + known
        if rules.has(client, server, protocol, port, (source, destination)):
            recalled, recalled_new = recalled + count, recalled_new + count - known
        if _same_app(miner, client, server):
            inside, inside_new = inside + count, inside_new + count - known
    if not flows:
        return None
    wanted = [row for row in every if _wanted(miner, row.client, row.server, row.protocol, row.port)]
    pairs = {_key(row): row.pairs for row in wanted}
    # a rule for all hosts is used by those outside of a fence too
    used = {_key(row): row.pairs for row in every if _wanted(whole, *_key(row))}
    seen_before = sum(wish.pairs for wish in mined.wishes)
    reach, excess = rules.reach(), rules.excess(used)
    apps = _applications(miner, {(row.protocol, row.port) for row in wanted})
    used_inside = sum(count for key, count in pairs.items() if _same_app(miner, *key[:2]))
    return (
        Score(OURS, len(mined.offers), flows, recalled, new, recalled_new, reach, excess),
        Score(EVERY_PAIR, seen_before, flows, paired, new, 0, seen_before, 0),
        Score(INSIDE_APP, apps[0], flows, inside, new, inside_new, apps[1], max(0, apps[1] - used_inside)),
    )


def _key(row: Seen) -> tuple[int, int, int, int]:
    return row.client, row.server, row.protocol, row.port


def _wanted(miner: Miner, client: int, server: int, protocol: int, port: int) -> bool:
    if miner.inside is not None and client not in miner.inside and server not in miner.inside:
        return False
    if miner.unnamed.intersection((client, server)):
        return False
    verdict = miner.decided.verdict(client, server, protocol, port)
    return verdict == OPEN and miner.refusals.why(client, server, Service(protocol, port, port)) is None


def _same_app(miner: Miner, client: int, server: int) -> bool:
    found = [_app(miner, one) for one in (client, server)]
    return found[0] is not None and found[0] == found[1]


def _app(miner: Miner, number: int) -> str | None:
    """Return an application: the value of the first of the labels that rules are made of."""
    keys = miner.groups.keys
    return dict(miner.groups.every[number].labels).get(keys[0]) if keys else None


def _applications(miner: Miner, services: set[tuple[int, int]]) -> tuple[int, int]:
    """Return how many applications there are, and how many pairs and services they have inside."""
    sizes: dict[str, int] = {}
    for number, group in enumerate(miner.groups.every):
        app = _app(miner, number)
        if app is not None and (miner.inside is None or number in miner.inside):
            sizes[app] = sizes.get(app, 0) + len(group.members)
    return len(sizes), len(services) * sum(size * (size - 1) for size in sizes.values())


class _Opened:
    """What rules open together, by service: for each group of clients the groups of servers, as bits.

    Rules that name single addresses are apart: groups of addresses are more than they mean.
    """

    def __init__(self, miner: Miner, offers: Sequence[Offered]) -> None:
        self._reach = miner.reach
        self._addressed = [one for one in offers if any(one.addresses)]
        self.named = {address for one in self._addressed for side in one.addresses for address in side}
        self._services: dict[Service, dict[int, int]] = {}
        for one in offers:
            if any(one.addresses):
                continue
            clients, servers = miner.masks(one)
            for service in one.services:
                of_service = self._services.setdefault(service, {})
                for client in bits(clients):
                    of_service[client] = of_service.get(client, 0) | servers
        self._ranges = [one for one in self._services if one.low != one.high]

    def has(self, client: int, server: int, protocol: int, port: int, addresses: tuple[str, str]) -> bool:
        """Return whether a connection passes."""
        return self._has(client, server, protocol, port) or any(
            passes(self._reach, one, (client, server), addresses)
            for one in self._addressed
            if _serves(one, protocol, port)
        )

    def reach(self) -> int:
        """Return how many pairs of hosts and services are open; a range of ports counts as one service."""
        return self._by_groups() + sum(opened(self._reach, one) for one in self._addressed)

    def excess(self, pairs: Mapping[tuple[int, int, int, int], int]) -> int:
        """Return how many of them nobody used, by how many pairs of hosts were seen of each connection of groups."""
        unused = max(0, self._by_groups() - sum(count for key, count in pairs.items() if self._has(*key)))
        for one in self._addressed:
            clients, servers = masks(self._reach, one)
            used = sum(
                count
                for (client, server, protocol, port), count in pairs.items()
                if clients >> client & 1 and servers >> server & 1 and _serves(one, protocol, port)
            )
            unused += max(0, opened(self._reach, one) - used)
        return unused

    def _has(self, client: int, server: int, protocol: int, port: int) -> bool:
        services: Iterable[Service] = (
            Service(protocol, port, port),
            *(one for one in self._ranges if one.protocol == protocol and one.low <= port <= one.high),
        )
        return any(self._services.get(one, {}).get(client, 0) >> server & 1 for one in services)

    def _by_groups(self) -> int:
        return sum(
            self._reach.opened(1 << client, servers, service)
            for service, by_client in self._services.items()
            for client, servers in by_client.items()
        )


def _serves(one: Offered, protocol: int, port: int) -> bool:
    return any(service.protocol == protocol and service.low <= port <= service.high for service in one.services)

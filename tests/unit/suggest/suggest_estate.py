"""A small estate, flows between its hosts, and what is mined of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringfence.compiler import compile_policy
from ringfence.flows.window import FlowWindow
from ringfence.language.rejections import Rejection
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.flows import Flow
from ringfence.model.rules import Policy, Rule, Settings
from ringfence.suggest.decided import Decided
from ringfence.suggest.groups import Groups
from ringfence.suggest.judging import Score, judged
from ringfence.suggest.mining import Mined, Miner
from ringfence.suggest.refusals import Refusals
from ringfence.suggest.traffic import Traffic

from tests.unit.flows.flow_factory import NOON, asset, flow, snapshot

WEEK = timedelta(days=7)


def shop(*, web: int = 2, environments: Iterable[str] = ("prod", "dev")) -> list[Asset]:
    """Return hosts of one application: web, api and db of each environment; their addresses tell which they are."""
    found = []
    for place, env in enumerate(environments):
        for number in range(web):
            found.append(asset(f"{env}-web-{number}", f"10.0.{place}.{10 + number}", app="shop", env=env, role="web"))
        found.append(asset(f"{env}-api", f"10.0.{place}.20", app="shop", env=env, role="api"))
        found.append(asset(f"{env}-db", f"10.0.{place}.30", app="shop", env=env, role="db"))
    return found


def shop_named(app: str) -> list[Asset]:
    """Return the hosts of another application that is built as the shop is."""
    found = []
    for place, env in enumerate(("prod", "dev")):
        roles = (("web-1", "web"), ("api", "api"), ("db", "db"))
        for number, (name, role) in enumerate(roles):
            address = f"10.1.{place}.{number + 10}"
            found.append(asset(f"{app}-{env}-{name}", address, app=app, env=env, role=role))
    return found


@dataclass
class Seen:
    """Flows of a week, by the names of hosts or by addresses."""

    assets: list[Asset]
    rules: tuple[Rule, ...] = ()
    flows: list[Flow] = field(default_factory=list)
    rejected: tuple[Rejection, ...] = ()
    fence: tuple[str, str] | None = None

    def talk(self, client: str, server: str, port: int, protocol: int = 6, **more: object) -> Seen:
        """Add a flow that is seen on every day of the week."""
        for day in range(7):
            self.once(client, server, port, protocol, NOON + timedelta(days=day), **more)
        return self

    def once(self, client: str, server: str, port: int, protocol: int = 6, at: datetime = NOON, **more: object) -> Seen:
        """Add a flow of one moment."""
        self.flows.append(flow(self._address(client), self._address(server), port, protocol, at, **more))
        return self

    def mined(self, dial: float = 0.5) -> Mined:
        """Return what is mined of all flows."""
        with self._window() as window:
            miner, traffic = self._miner(window, dial)
            assert traffic.first is not None
            assert traffic.last is not None
            return miner.mine(traffic.seen(), (traffic.first, traffic.last))

    def scores(self, dial: float = 0.5) -> tuple[Score, Score, Score]:
        """Return how good rules of the first part of the week are in its last."""
        with self._window() as window:
            miner, traffic = self._miner(window, dial)
            assert traffic.split is not None
            found = judged(miner, traffic, traffic.split)
            assert found is not None
            return found

    @property
    def snapshot(self) -> Snapshot:
        return snapshot(*self.assets)

    def _window(self) -> FlowWindow:
        return FlowWindow.of_flows(self.flows, [self.snapshot])

    def _miner(self, window: FlowWindow, dial: float) -> tuple[Miner, Traffic]:
        settings, policy = Settings(), Policy(self.rules)
        peers = [peer for one in self.rejected for peer in (*one.sources, *one.destinations)]
        groups = Groups(self.snapshot, policy, settings.private_addresses(), {}, rejected=peers)
        traffic = Traffic(window, groups)
        compiled = compile_policy(self.snapshot, policy, settings, full=True)
        sees = lambda _group, _kind, _direction: True  # noqa: E731
        refusals = Refusals(self.rejected, groups, settings.private_addresses())
        named = lambda wish, side: traffic.addresses(wish.client, wish.server, wish.service, side)  # noqa: E731
        decided = Decided(compiled, groups)
        inside = {number for number, one in enumerate(groups.every) if self.fence and self.fence in one.labels}
        miner = Miner(groups, decided, dial, refusals, inside if self.fence else None, sees, named)
        return miner, traffic

    def _address(self, name: str) -> str:
        from ringfence.model.addresses import address_text

        return next((address_text(one.addresses[0]) for one in self.assets if one.name == name), name)


def said(mined: Mined) -> list[tuple[object, object, tuple[str, ...]]]:
    """Return the rules in short, in a fixed order: from, to, services."""
    return sorted(((one.peers("from"), one.peers("to"), one.service_words()) for one in mined.offers), key=str)


def reasons(mined: Mined) -> set[str]:
    """Return why something is kept out."""
    return {one.why for one in mined.kept}

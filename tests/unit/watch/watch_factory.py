"""Small hosts, policies and events for tests of watching, and a reader that a test plays."""

from __future__ import annotations

from datetime import UTC, datetime

from ringfence.compiler import Compilation, compile_policy
from ringfence.model.addresses import point_of
from ringfence.model.rules import Action, Mode
from ringfence.watch.events import End, Kind, WatchEvent
from ringfence.watch.judge import Judge
from ringfence.watch.told import FlowTold

from tests.unit.estate_factory import SETTINGS, asset, labelled, policy, rule, snapshot

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
WEB, DB, DEV, STRANGER = "10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.9"


def compiled(mode: Mode = Mode.FULL) -> Compilation:
    """Return tables of three hosts: web may reach db on tcp/5432, dev never does."""
    hosts = snapshot(asset("web", WEB, role="web"), asset("db", DB, role="db"), asset("dev", DEV, role="dev"))
    rules = (
        rule("web2db", labelled(role="web"), labelled(role="db"), "tcp/5432"),
        rule("nodev", labelled(role="dev"), labelled(role="db"), "any", action=Action.DENY),
    )
    return compile_policy(hosts, policy(*rules, mode=mode), SETTINGS)


def judge(mode: Mode = Mode.FULL) -> Judge:
    """Return what judges by these tables."""
    return Judge(compiled(mode), {})


def flow(client: str, server: str, port: int | None = 5432, protocol: int = 6, *, answered: bool = True) -> FlowTold:
    """Return a flow as a host tells it."""
    return FlowTold(protocol, point_of(client), point_of(server), port, answered)


def event(
    kind: Kind = Kind.DENIED, client: str = "dev", port: int = 5432, second: float = 0.0, **fields: object
) -> WatchEvent:
    """Return an event of dev, or of another, with the database, some seconds after NOW."""
    time = datetime.fromtimestamp(NOW.timestamp() + second, UTC)
    ends = {"dev": End(point_of(DEV), "dev", {"role": "dev"}), "stranger": End(point_of(STRANGER))}
    given: dict[str, object] = {"rule": "nodev", "answered": False, **fields}
    server = given.pop("server", End(point_of(DB), "db", {"role": "db"}))
    return WatchEvent(kind, time, "db", ends[client], server, 6, port, **given)  # type: ignore[arg-type]

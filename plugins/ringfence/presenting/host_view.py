"""What hosts enforce and what they denied or would have denied, as rows and data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ringfence.model.intervals import IntervalSet
from ringfence.model.services import BLOCK, PORT_PROTOCOL_NAMES, service_texts
from ringfence.presenting.beside_view import beside_data
from ringfence.presenting.line import Line
from ringfence.presenting.rollout_view import failed_lines
from ringfence.rollout.host_counters import packets, packets_of, rule_words
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.operations.hosts import HostsResult
    from ringfence.operations.plan_result import PlanResult

STATE_COLUMNS = ("host", "state", "enforced by", "plan", "#number", "#denied", "#would be denied")
DENIAL_COLUMNS = ("host", "rule", "side", "peer", "service", "#packets", "verdict")
TOLD = (
    "enforcer",
    "plan",
    "sequence",
    "applied",
    "waiting",
    "damaged",
    "unknown",
    "features",
    "counters",
    "denials",
    "denials_full",
    "emergency",
    "forwards",
)
VERDICTS = {"deny": "denied", "watch": "would be denied"}


def state_rows(done: HostsResult) -> Iterator[tuple[object, ...]]:
    """Yield a row for each host that answered, under STATE_COLUMNS; packets are counted since its table was loaded."""
    for name, host in sorted(done.result.hosts.items()):
        if host.ok:
            told = host.result
            denied, watched = (packets(host, effect) for effect in ("deny", "watch"))
            plan = str(told.get("plan") or "")[:12]
            enforcer = str(told.get("enforcer") or "") or None
            yield name, host.state, enforcer, plan or None, told.get("sequence") or None, denied, watched


def denial_rows(done: HostsResult) -> Iterator[tuple[object, ...]]:
    """Yield a row for each recorded denial, under DENIAL_COLUMNS, those of one rule together."""
    for name, host in sorted(done.result.hosts.items()):
        denials = _mappings(host.result.get("denials"))
        for one in sorted(denials, key=lambda one: (rule_words(one), str(one.get("direction")), -packets_of(one))):
            yield (
                name,
                rule_words(one),
                "to" if one.get("direction") == "in" else "from",
                one.get("peer"),
                _service(one),
                one.get("packets"),
                VERDICTS.get(str(one.get("effect")), one.get("effect")),
            )


def emergency_lines(done: HostsResult | PlanResult) -> Iterator[Line]:
    """Yield what stands on hosts beside their tables: by whom, why, until when, and whether the kernel holds it.

    Hosts that say the same share a line.
    """
    found: dict[tuple[str, bool], list[str]] = {}
    for name, host in sorted(done.result.hosts.items()):
        held = host.result.get("held")
        told = held if isinstance(held, Mapping) else host.result
        for one in _mappings(told.get("emergency")):
            ends = one.get("ends")
            until = f"until {_time(ends)} UTC" if isinstance(ends, int) and ends else "until it is released"
            who = f"{one.get('who') or 'somebody'}, because {one.get('why') or 'nobody said why'}"
            what = ", isolates this host" if one.get("isolates") else ""
            fault = "" if one.get("held") is True else "; its kernel does not hold it"
            approved = one.get("approved_by")
            if isinstance(approved, list) and approved:
                who = f"{who}, approved by {' and '.join(map(str, approved))}"
            released = one.get("released_at")
            if isinstance(released, int) and released:
                by = one.get("released_by") or "somebody"
                until = f"released by {by} {_time(released)} UTC, and this host still holds it"
            text = f"{one.get('kind')} {one.get('id')} ({who}){what}, {until}{fault}"
            found.setdefault((text, bool(fault or released)), []).append(name)
    for (text, wrong), names in found.items():
        which = ", ".join(names) if wrong else first_few(names)
        yield Line(f"{which}: {text}", style="red" if wrong else "yellow")


def forward_lines(done: HostsResult) -> Iterator[Line]:
    """Yield what hosts forward for others, which no table judges."""
    from ringfence.operations.other_firewalls import forwarded

    for name, host in sorted(done.result.hosts.items()):
        for one in forwarded(host):
            yield Line(f"{name}: {one}", style="yellow")


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def host_data(done: HostsResult) -> dict[str, object]:
    """Return plain data for JSON."""
    hosts = [
        {**host.data(), **{key: host.result[key] for key in TOLD if key in host.result}, **beside_data(host)}
        for _, host in sorted(done.result.hosts.items())
    ]
    return {"ok": done.result.ok, "hosts": hosts}


def done_lines(done: HostsResult, what: str) -> Iterator[Line]:
    """Yield how many hosts did it, and why others did not."""
    style = "green" if done.result.ok else "red"
    yield Line(f"{done.well}/{len(done.result.hosts)} hosts {what}", style=style, bold=True)
    yield from failed_lines(done.result)


def _service(entry: Mapping[str, object]) -> str:
    """Return the service of a denial; packets without ports have their protocol alone."""
    protocol, port = entry.get("protocol"), entry.get("port")
    if not isinstance(protocol, int):
        return str(protocol)
    if not isinstance(port, int):
        return PORT_PROTOCOL_NAMES.get(protocol, f"ip/{protocol}")
    point = protocol * BLOCK + port
    return ", ".join(service_texts(IntervalSet(((point, point),))))


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []

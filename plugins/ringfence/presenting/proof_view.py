"""What hosts enforce beside what a plan says, in lines and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ringfence.model.safe_text import clean_line
from ringfence.presenting.beside_view import beside_data, beside_lines
from ringfence.presenting.line import Line

if TYPE_CHECKING:
    from ringfence.operations.plan_result import PlanResult
    from ringfence.rollout import HostResult

TOLD = ("drift", "differences", "not_proven", "older", "dead_elements", "leftovers", "standing", "answers")


def proof_data(done: PlanResult) -> dict[str, object]:
    """Return plain data for JSON."""
    hosts = [
        {**host.data(), **{key: host.result[key] for key in TOLD if key in host.result}, **beside_data(host)}
        for _, host in sorted(done.result.hosts.items())
    ]
    return {"plan": done.plan.digest, "ok": done.result.ok, "interrupted": done.interrupted, "hosts": hosts}


def proof_lines(done: PlanResult) -> Iterator[Line]:
    """Yield what differs, host by host, and how many are proven."""
    for _, host in sorted(done.result.hosts.items()):
        yield from _host(host)
    yield from beside_lines(done.result.hosts)
    yield Line(
        f"plan {done.plan.short}: {done.well}/{len(done.result.hosts)} hosts proven"
        + (", then interrupted" if done.interrupted else ""),
        style="green" if done.result.ok else "red",
        bold=True,
    )


def _host(host: HostResult) -> Iterator[Line]:
    name = clean_line(host.host)
    drift = host.result.get("drift")
    if isinstance(drift, list) and drift:
        yield Line(f"{name}: drift", style="red", bold=True)
        for sentence in drift:
            yield Line(f"  {clean_line(str(sentence))}")
    elif not host.ok:
        yield Line(f"{name}: {host.state}" + (f": {clean_line(host.reason)}" if host.reason else ""), style="red")
    answers = host.result.get("answers")
    for asked, found in answers.items() if isinstance(answers, dict) else ():
        yield Line(f"{name}: {asked} is {', '.join(map(_answer, found)) or 'not answered here: nothing is a member'}")
    older = host.result.get("older")
    for sentence in older if isinstance(older, list) else ():
        yield Line(f"{name}: {clean_line(str(sentence))}", style="yellow")
    foreign = host.result.get("not_proven")
    if isinstance(foreign, list) and foreign:
        yield Line(f"{name}: not proven for what these touch: {'; '.join(map(str, foreign))}", style="yellow")


def _answer(found: Mapping[str, object]) -> str:
    return f"{found['address']} (given {found['age']} s ago)"

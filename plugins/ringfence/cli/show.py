"""`ringfence show`: a plan for people, host by host and rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from ringfence.cli.completing import plan_names
from ringfence.cli.session import Session, command
from ringfence.cli.text import clean_line
from ringfence.model.counts import counted
from ringfence.model.processes import PLATFORMS

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue

    from ringfence.plan import Plan

Data = Mapping[str, "JsonValue"]
SIGNS = {"opens": "+", "closes": "-", "watches": "~", "unwatches": "~", "renames": "="}
COLOURS = {"opens": "green", "closes": "red", "watches": "yellow", "unwatches": "yellow"}
WORKLOADS_NAMED = 8
LABELS_NAMED = 12


@command("show", "show 5f3a", "show latest --host web-1")
@click.argument("name", metavar="[PLAN]", default="latest", shell_complete=plan_names)
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="These hosts alone.")
@click.option("--all", "everything", is_flag=True, help="Also what only another rule decides now, and all labels.")
def show(session: Session, name: str, hosts: tuple[str, ...], everything: bool) -> None:
    """Show PLAN (its first digits, a path; the latest unless said): waves, diff, simulation."""
    from ringfence.cli.driving import refuse_unknown
    from ringfence.plan import find, read, verify_files
    from ringfence.workspace import PLANS

    directory = find(session.directory / PLANS, name)
    plan = read(directory)
    verify_files(directory, plan)
    refuse_unknown(hosts, {*plan.hosts, *plan.left_out}, f"plan {plan.short}")
    if session.output.as_json:
        session.output.data({"plan": plan.digest, **plan.model_dump(mode="json", by_alias=True)})
        return
    _head(session, plan, directory)
    sets = plan.diff.get("peers")
    for group in _groups(plan, hosts):
        _group(session, group, sets if isinstance(sets, dict) else {}, everything)
    by_rule = plan.simulation.get("by_rule")
    if isinstance(by_rule, list) and by_rule:
        session.output.line()
        session.output.line(str(plan.simulation.get("summary", "")), bold=True)
        _simulation(session, by_rule)


def _head(session: Session, plan: Plan, directory: Path) -> None:
    say = session.output.line
    say(f"plan {plan.digest}", bold=True)
    say(f"  number {plan.sequence}, made {plan.created}, valid until {plan.valid_until}")
    if plan.restores:
        say(f"  brings back plan {plan.restores[:12]}")
    say("  signed" if (directory / "plan.json.sig").exists() else "  not signed: its digest is a transport check only")
    inputs = plan.inputs
    flows = inputs.flows[:12] or "none"
    say(f"  made from inventory {inputs.inventory[:12]}, policy {inputs.policy[:12]}, flows {flows}")
    say(f"  {counted(len(plan.hosts), 'workload')}, {counted(len(plan.changed), 'changes', 'change')}")
    for number, wave in enumerate(plan.waves):
        label = "canary" if number == 0 else f"wave {number}"
        say(f"  {label}: {', '.join(wave[:WORKLOADS_NAMED])}{_more(len(wave), WORKLOADS_NAMED)}")
        if number == 0 and plan.canary is not None:
            say(clean_line(f"    {plan.canary.host} is first: {plan.canary.why}"))
    for name, why in sorted(plan.left_out.items()):
        say(f"  left out: {clean_line(name)}: {why}", style="yellow")


def _groups(plan: Plan, hosts: tuple[str, ...]) -> Iterator[Data]:
    groups = plan.diff.get("groups")
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, dict):
            continue
        workloads = group.get("workloads")
        if not hosts or (isinstance(workloads, list) and set(hosts) & {str(name) for name in workloads}):
            yield group


def _group(session: Session, group: Data, sets: Data, everything: bool) -> None:
    say = session.output.line
    names = _texts(group.get("workloads"))
    came = " (nothing is enforced there now)" if group.get("added") else ""
    went = " (nothing will be enforced there)" if group.get("removed") else ""
    say()
    say(f"{', '.join(names[:WORKLOADS_NAMED])}{_more(len(names), WORKLOADS_NAMED)}{came}{went}", bold=True)
    say(f"  {'; '.join(_texts(group.get('labels')))}")
    renamed = 0
    changes = group.get("changes")
    for change in changes if isinstance(changes, list) else []:
        if not isinstance(change, dict):
            continue
        does = str(change.get("does"))
        if does == "renames" and not everything:
            renamed += 1
            continue
        say(f"  {SIGNS.get(does, '?')} {_change(change, sets, everything)}", style=COLOURS.get(does))
    if renamed:
        say(f"  = {renamed} more are decided by another rule with the same effect (--all)")


def _change(change: Data, sets: Data, everything: bool) -> str:
    inbound = change.get("direction") == "in"
    peers = sets.get(str(change.get("peers")))
    process = " ".join(str(change[key]) for kinds in PLATFORMS.values() for key in kinds if change.get(key))
    services = _texts(change.get("services") or change.get("services_except"))
    shown = ("" if "services" in change else "all but ") + ", ".join(services[:6]) + _more(len(services), 6)
    who = f" for {process}" if process else ""
    before, after = change.get("before"), change.get("after")
    far = _peers(peers, everything) if isinstance(peers, dict) else "nobody"
    if change.get("members"):
        far = f"{far}; if {change['members']}"
    return f"{'from' if inbound else 'to'} {far}  {shown}{who}: {_by(before)} → {_by(after)}"


def _peers(peers: Data, everything: bool) -> str:
    """Return who is meant: assets by their labels with their number, and what no asset holds."""
    named = _mappings(peers.get("assets", peers.get("assets_except")))
    limit = len(named) if everything else LABELS_NAMED
    words = "; ".join(f"{one['labels']} ({one['count']})" for one in named[:limit]) + _more(len(named), limit)
    if "assets_except" in peers:
        words = f"every asset but {words}" if words else "every asset"
    unknown = _texts(peers.get("unknown"))
    if peers.get("every_unknown"):
        outside = "unknown"
    else:
        more = len(unknown) > 3 or peers.get("unknown_more")
        outside = f"unknown {', '.join(unknown[:3])}{' …' if more else ''}" if unknown else ""
    return "; ".join(part for part in (words, outside) if part) or "nobody"


def _by(outcome: JsonValue) -> str:
    if not isinstance(outcome, dict):
        return "?"
    name = outcome.get("name")
    return f"{outcome.get('effect')}" + (f" by '{name}'" if name else "")


def _simulation(session: Session, rows: list[JsonValue]) -> None:
    categories = ("still_allowed", "newly_allowed", "newly_denied", "still_denied", "would_be_denied")
    session.output.table(
        ("rule", "side", *(f"#{name.replace('_', ' ')}" for name in categories)),
        (
            (row["name"], "to" if row["direction"] == "in" else "from", *(_flows(row.get(name)) for name in categories))
            for row in _mappings(rows)
        ),
    )


def _flows(count: JsonValue) -> JsonValue:
    return count.get("flows") if isinstance(count, dict) else None


def _texts(value: JsonValue) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _mappings(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _more(count: int, shown: int) -> str:
    return f" and {count - shown} more" if count > shown else ""

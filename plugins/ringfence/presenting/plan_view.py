"""A plan for people, host by host and rule by rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.model.processes import PLATFORMS
from ringfence.model.safe_text import clean_line
from ringfence.presenting.line import Line
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from pydantic import JsonValue

    from ringfence.operations.flow_selection import FlowSelection
    from ringfence.operations.plan import MadePlan
    from ringfence.operations.plans import ChosenPlan
    from ringfence.plan import Plan

Data = Mapping[str, "JsonValue"]
SIGNS = {"opens": "+", "closes": "-", "watches": "~", "unwatches": "~", "renames": "="}
COLOURS = {"opens": "green", "closes": "red", "watches": "yellow", "unwatches": "yellow"}
ALL = "--all"  # what shows the changes that are only counted
WORKLOADS_NAMED = 8
LABELS_NAMED = 12
CATEGORIES = ("still_allowed", "newly_allowed", "newly_denied", "still_denied", "would_be_denied")
SIMULATION_COLUMNS = ("rule", "side", *(f"#{name.replace('_', ' ')}" for name in CATEGORIES))


def made_lines(made: MadePlan, flows: FlowSelection | None) -> Iterator[Line]:
    """Yield what a plan that was just made is."""
    plan = made.draft.plan
    changed = len(plan.changed)
    yield Line(
        f"{counted(len(plan.hosts), 'workload')}, {counted(len(made.draft.tables), 'distinct table')}; "
        f"{counted(changed, 'host changes', 'hosts change')}"
    )
    yield from _containers(plan)
    yield from _forwarded(plan)
    for name, why in sorted(plan.left_out.items()):
        yield Line(f"left out: {clean_line(name)}: {why}", style="yellow")
    if made.flow_words:
        yield Line(made.flow_words)
    if flows is not None:
        for warning in (flows.wrong_words(made.wrong), flows.guessed_words(made.guesses)):
            if warning:
                yield Line(warning, style="yellow")
    short = plan.digest[:4]
    yield Line(f"plan {plan.short}  (ringfence show {short} for the diff, host by host and rule by rule)", bold=True)
    if plan.canary is not None:
        yield Line(clean_line(f"  canary: {plan.canary.host}: {plan.canary.why}"))


def head(chosen: ChosenPlan) -> Iterator[Line]:
    """Yield what a plan is, its waves, and who is left out."""
    plan = chosen.plan
    yield Line(f"plan {plan.digest}", bold=True)
    yield Line(f"  number {plan.sequence}, made {plan.created}, valid until {plan.valid_until}")
    if plan.restores:
        yield Line(f"  brings back plan {plan.restores[:12]}")
    yield Line("  signed" if chosen.signed else "  not signed: its digest is a transport check only")
    inputs = plan.inputs
    flows = inputs.flows[:12] or "none"
    yield Line(f"  made from inventory {inputs.inventory[:12]}, policy {inputs.policy[:12]}, flows {flows}")
    yield Line(f"  {counted(len(plan.hosts), 'workload')}, {counted(len(plan.changed), 'changes', 'change')}")
    yield from _containers(plan, "  ")
    yield from _forwarded(plan, "  ")
    yield from _enforcers(plan)
    for number, wave in enumerate(plan.waves):
        label = "canary" if number == 0 else f"wave {number}"
        yield Line(f"  {label}: {', '.join(wave[:WORKLOADS_NAMED])}{_more(len(wave), WORKLOADS_NAMED)}")
        if number == 0 and plan.canary is not None:
            yield Line(clean_line(f"    {plan.canary.host} is first: {plan.canary.why}"))
    for name, why in sorted(plan.left_out.items()):
        yield Line(f"  left out: {clean_line(name)}: {why}", style="yellow")


def _containers(plan: Plan, indented: str = "") -> Iterator[Line]:
    """Yield how many containers hosts enforce on, and what nobody knows of them before the rollout."""
    hosts = [name for name, host in sorted(plan.hosts.items()) if host.containers]
    if hosts:
        count = counted(sum(len(plan.hosts[name].containers) for name in hosts), "container")
        yield Line(clean_line(f"{indented}{count} enforced on by {first_few(hosts)}"))
        bridged = [name for name in hosts if plan.hosts[name].facts.get("bridged") is True]
        if bridged:
            yield Line(clean_line(f"{indented}  net.bridge.bridge-nf-call-* is switched on: {first_few(bridged)}"))
        if others := [name for name in hosts if name not in bridged]:
            yield Line(
                clean_line(
                    f"{indented}  not proven: what containers on one bridge send each other, where "
                    f"net.bridge.bridge-nf-call-* is off; verify says where: {first_few(others)}"
                ),
                style="yellow",
            )


def _forwarded(plan: Plan, indented: str = "") -> Iterator[Line]:
    """Yield how many workloads hosts judge as they forward for them."""
    judged = {name: [one for way in host.forwarded for one in way.assets] for name, host in sorted(plan.hosts.items())}
    for name, assets in judged.items():
        if assets:
            whom = f"{counted(len(assets), 'workload')}: {first_few(sorted(assets))}"
            text = f"{indented}{name} judges what it forwards for {whom}"
            yield Line(clean_line(text))


def _enforcers(plan: Plan) -> Iterator[Line]:
    """Yield how many hosts each enforcer has, where that is not one alone, and why facts decided on one."""
    counts = Counter(host.enforcer for host in plan.hosts.values())
    decided: dict[tuple[str, str], list[str]] = {}
    for name, host in sorted(plan.hosts.items()):
        if host.chosen:
            decided.setdefault((host.enforcer, host.chosen), []).append(name)
    if len(counts) > 1 or decided:
        yield Line(f"  enforced by: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}")
    for (enforcer, why), hosts in sorted(decided.items()):
        yield Line(clean_line(f"    {enforcer} for {first_few(hosts)}: {why}"))


def difference(plan: Plan, hosts: Collection[str], *, everything: bool, more: str = ALL) -> Iterator[Line]:
    """Yield what changes, hosts that share their changes together; with `hosts` theirs alone.

    `more` is what shows the changes that are only counted.
    """
    yield from changed_tables(plan.diff, hosts, everything=everything, more=more)


def changed_tables(diff: Data, hosts: Collection[str] = (), *, everything: bool, more: str = ALL) -> Iterator[Line]:
    """Yield what a difference of tables (`plan.diff`) is, as `difference` does."""
    sets = diff.get("peers")
    for group in _groups(diff, hosts):
        yield from _group(group, sets if isinstance(sets, dict) else {}, everything, more)


def _groups(diff: Data, hosts: Collection[str]) -> Iterator[Data]:
    groups = diff.get("groups")
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, dict):
            continue
        workloads = group.get("workloads")
        if not hosts or (isinstance(workloads, list) and set(hosts) & {str(name) for name in workloads}):
            yield group


def _group(group: Data, sets: Data, everything: bool, more: str) -> Iterator[Line]:
    names = _texts(group.get("workloads"))
    came = " (nothing is enforced there now)" if group.get("added") else ""
    went = " (nothing will be enforced there)" if group.get("removed") else ""
    yield Line()
    yield Line(f"{', '.join(names[:WORKLOADS_NAMED])}{_more(len(names), WORKLOADS_NAMED)}{came}{went}", bold=True)
    yield Line(f"  {'; '.join(_texts(group.get('labels')))}")
    renamed = 0
    changes = group.get("changes")
    for change in changes if isinstance(changes, list) else []:
        if not isinstance(change, dict):
            continue
        does = str(change.get("does"))
        if does == "renames" and not everything:
            renamed += 1
            continue
        yield Line(f"  {SIGNS.get(does, '?')} {_change(change, sets, everything)}", style=COLOURS.get(does))
    if renamed:
        are = "is" if renamed == 1 else "are"
        yield Line(f"  = {renamed} more {are} decided by another rule with the same effect ({more})")


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


def simulation_rows(plan: Plan) -> list[tuple[JsonValue, ...]]:
    """Return what a plan does to traffic, a row a rule, under SIMULATION_COLUMNS."""
    rows = plan.simulation.get("by_rule")
    return [
        (row["name"], "to" if row["direction"] == "in" else "from", *(_flows(row.get(name)) for name in CATEGORIES))
        for row in _mappings(rows)
    ]


def evidence_lines(plan: Plan, when: Callable[[str], str] = str) -> Iterator[Line]:
    """Yield how long the flows that a plan was made with were seen, and which workloads it has no evidence for.

    `when` says a time as it is shown, which is ISO text here.
    """
    if not plan.simulation:
        yield Line("no flow was looked at: nothing says what this plan does to traffic", style="yellow")
        return
    window = plan.simulation.get("window")
    if isinstance(window, dict) and window.get("first_seen"):
        yield Line(f"the flows were seen from {when(str(window['first_seen']))} to {when(str(window['last_seen']))}")
    if unseen := _texts(plan.simulation.get("unseen")):
        workloads = counted(len(unseen), "workload")
        yield Line(f"no evidence for {workloads}, no flow was seen there: {first_few(unseen)}", style="yellow")


def _flows(count: JsonValue) -> JsonValue:
    return count.get("flows") if isinstance(count, dict) else None


def _texts(value: JsonValue) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _mappings(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _more(count: int, shown: int) -> str:
    return f" and {count - shown} more" if count > shown else ""

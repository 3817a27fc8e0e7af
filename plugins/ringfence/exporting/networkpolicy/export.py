"""The export: rules laid out in tiers, each made an object, everything that has no word refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringfence.compiler.precedence import in_deciding_order
from ringfence.compiler.selection import holds_locally
from ringfence.exporting.networkpolicy.cluster import Cluster, cluster_of
from ringfence.exporting.networkpolicy.layout import MOST_PRIORITIES, Group, Layout, layout
from ringfence.exporting.networkpolicy.objects import (
    ACTIONS,
    Ends,
    Object,
    cluster_policies,
    isolation,
    network_policies,
    whole_cluster,
)
from ringfence.exporting.networkpolicy.peers import far_end, near_end, ports_of
from ringfence.exporting.networkpolicy.refusals import Inexpressible, Refusal, Refusals
from ringfence.exporting.networkpolicy.terms import NONE, Terms, either, every
from ringfence.exporting.networkpolicy.yaml_text import yaml_text
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.rules import Action, Direction, Enforcement, Mode, Policy, Rule, Settings
from ringfence.model.selectors import Not


@dataclass(frozen=True, slots=True)
class Exported:
    """The objects, and as files by name; with a refusal there is neither.

    `left_out` are the rules that speak for no pod; `unlogged` those whose `log` these APIs cannot say; `on_nodes` the
    pods with the network of their node, for which and from which selectors hold nothing.
    """

    cluster: str
    pods: int
    objects: tuple[Object, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Rule, ...] = ()
    unlogged: tuple[Rule, ...] = ()
    on_nodes: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """Return the text of each file by its name: one for the cluster, and one a namespace."""
        texts: dict[str, list[str]] = {}
        for one in self.objects:
            metadata = one["metadata"]
            space = metadata.get("namespace") if isinstance(metadata, dict) else None
            name = f"networkpolicies-{space}.yaml" if space else "clusternetworkpolicies.yaml"
            texts.setdefault(name, []).append(yaml_text(one))
        return {name: "".join(parts) for name, parts in sorted(texts.items())}


@dataclass(frozen=True)
class _Direction:
    """One direction of an export: its pods by mode, and where what it cannot say is kept."""

    cluster: Cluster
    policy: Policy
    settings: Settings
    direction: Direction
    refusals: Refusals
    full: Terms = NONE
    spoken: list[Rule] = field(default_factory=list)

    def objects(self) -> Iterator[Object]:
        rules = [rule for rule in self.policy.rules if self._speaks(rule)]
        self.spoken.extend(rules)
        laid = layout(in_deciding_order(rules, self.settings.tiers))
        if laid.refused:
            why = "a 'pass' leads to a tier behind which another 'pass' or 'deny' follows"
            remedy = "Kubernetes has one tier before NetworkPolicy and one behind: put these tiers together"
            self.refusals.add(laid.refused.name, Inexpressible(why, remedy), laid.refused.place)
        yield from self._tier("Admin", laid.admin, last=False)
        yield from self._tier("Baseline", laid.baseline, last=True)
        yield from self._undecided(laid)
        for rule in laid.network:
            ends = self._ends(rule)
            if ends is not None:
                try:
                    yield from network_policies(ends, every([ends.near, self.full]), self.cluster)
                except Inexpressible as error:
                    self.refusals.add(rule.name, error, rule.place)

    def _speaks(self, rule: Rule) -> bool:
        """Return whether a rule is about a pod of the cluster in this direction."""
        return self.direction in rule.sides and any(
            holds_locally(peer.selector, pod.label_values(), pod.name, point)
            for peer in rule.local(self.direction)
            for pod in self.cluster.pods
            for point in pod.addresses
        )

    def _ends(self, rule: Rule) -> Ends | None:
        private = self.settings.private_addresses()
        try:
            ports = ports_of(rule)
            near = near_end(rule.local(self.direction), self.cluster)
            return Ends(rule, self.direction, near, far_end(rule.remote(self.direction), self.cluster, private), ports)
        except Inexpressible as error:
            self.refusals.add(rule.name, error, rule.place)
            return None

    def _tier(self, tier: str, groups: Sequence[Group], *, last: bool) -> Iterator[Object]:
        priority = 0
        for group in groups:
            for rule in group:
                if priority >= MOST_PRIORITIES - 1:
                    self.refusals.add(
                        rule.name, Inexpressible(f"tier {tier} holds {MOST_PRIORITIES} priorities"), rule.place
                    )
                    return
                ends = self._ends(rule)
                if ends is None:
                    continue
                try:
                    if last and rule.action is Action.PASS:  # what passes here is undecided, so the mode decides
                        yield from self._denied(ends, tier, priority)
                        yield from self._policies(ends, tier, priority + 1)
                    else:
                        yield from self._policies(ends, tier, priority)
                except Inexpressible as error:
                    self.refusals.add(rule.name, error, rule.place)
            priority += 2 if last and group[0].action is Action.PASS else 1

    def _policies(self, ends: Ends, tier: str, priority: int) -> list[Object]:
        return cluster_policies(ends, ends.near, self.cluster, tier, priority, ACTIONS[ends.rule.action])

    def _denied(self, ends: Ends, tier: str, priority: int) -> list[Object]:
        """Return a pass of the last tier as what it is to pods in mode `full`."""
        near = every([ends.near, self.full])
        made = cluster_policies(ends, near, self.cluster, tier, priority, ACTIONS[Action.DENY])
        return [_renamed(one, "-full") for one in made]

    def _undecided(self, laid: Layout) -> Iterator[Object]:
        """Yield what denies, to pods in mode `full`, what nothing has decided."""
        if not self.full:
            return
        if not laid.by_baseline:
            try:
                yield from isolation(self.direction, self.full, self.cluster)
            except Inexpressible as error:
                self.refusals.add("mode full", error)
            return
        first = laid.baseline[0][0]
        entry: Object = {"name": "full", "action": "Deny", "to": [{"networks": ["0.0.0.0/0", "::/0"]}]}
        name = f"ringfence-baseline-full-{self.direction}"
        try:
            if self.direction is Direction.IN:
                raise Inexpressible(
                    "behind a 'pass', a later 'deny' is of the tier Baseline, whose ingress denies pods alone",
                    "put the denies before the tier of the 'pass', or leave 'pass' out",
                )
            where = (self.full, self.cluster, "Baseline", MOST_PRIORITIES, self.direction)
            yield from whole_cluster(name, *where, [entry], None)
        except Inexpressible as error:
            self.refusals.add(first.name, error, first.place)


def export(
    snapshot: Snapshot,
    policy: Policy,
    settings: Settings,
    cluster: str | None = None,
    keys: Mapping[str, str] | None = None,
) -> Exported:
    """Return a policy as objects for the pods of a cluster; `keys` are the Kubernetes labels behind labels of ours.

    Raise InputError where the inventory has no such cluster.
    """
    its = cluster_of(snapshot, settings, cluster, keys or {})
    refusals = Refusals()
    made: list[Object] = []
    spoken: set[str] = set()
    for direction in Direction:
        full = _in_full(its, policy, direction, refusals)
        one = _Direction(its, policy, settings, direction, refusals, full)
        made.extend(one.objects())
        spoken.update(rule.id for rule in one.spoken)
    refused = tuple(refusals.found)
    return Exported(
        its.name,
        len(its.pods),
        () if refused else tuple(made),
        refused,
        tuple(rule for rule in policy.rules if rule.id not in spoken),
        tuple(rule for rule in policy.rules if rule.id in spoken and rule.log),
        its.on_nodes,
    )


def _in_full(cluster: Cluster, policy: Policy, direction: Direction, refusals: Refusals) -> Terms:
    """Return the pods whose mode is `full` in a direction; a pod that observes is refused."""
    for pod in cluster.pods:
        found = _enforcement(policy, pod)
        if found is None or found.mode(direction) is Mode.OBSERVE:
            reason = f"'{pod.name}' observes, and nothing in these APIs records what it would deny"
            remedy = "choose the cluster's pods with mode 'full' or 'selective' in 'enforce'"
            refusals.add(f"mode observe ({direction})", Inexpressible(reason, remedy), found.place if found else None)
            return NONE
    earlier: list[Terms] = []
    chosen: list[Terms] = []
    for one in policy.enforcement:
        try:
            reader = cluster.reader()
            terms = reader.terms(one.where)
            if one.mode(direction) is Mode.FULL:
                chosen.append(every([terms, *earlier]))
            earlier.append(reader.terms(Not(one.where)))
        except Inexpressible as error:
            refusals.add("enforce", error, one.place)
    return either(chosen)


def _enforcement(policy: Policy, pod: Asset) -> Enforcement | None:
    labels = pod.label_values()
    return next(
        (
            one
            for one in policy.enforcement
            if any(holds_locally(one.where, labels, pod.name, point) for point in pod.addresses)
        ),
        None,
    )


def _renamed(one: Object, ending: str) -> Object:
    metadata = one["metadata"]
    assert isinstance(metadata, dict)
    return {**one, "metadata": {**metadata, "name": f"{metadata['name']}{ending}"}}

"""One family's half of a ruleset: the variant that carries it, its fixed rules, its processes, its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.service_line import Piece
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.address_line import (
    FAMILIES,
    fused,
    interval_of,
)

from .graph import Graph, Region
from .listing import Chain, Listing
from .regions import without
from .rules import marked
from .runtime_elements import counters, cut_of, process_of
from .shapes import (
    FIXED_CHAINS,
    HOOKS,
    IDENTITY_CHAIN,
    MARK_CHAINS,
    OURS,
    PASSES,
    POLICY_CHAIN,
    PROCESS_CHAIN,
    SIDES,
    control_rule,
    fixed_rules,
    marking_rules,
    outcome_of,
)
from .variants import carrying, check_entries, check_marks

Interval = tuple[int, int]
Report = Callable[..., None]
Process = tuple["str | None", "str | None"]
Cell = tuple[
    "str | None", "str | None", "list[Interval]", "list[Interval]", "tuple[Piece, ...]", "dict[str, list[str]]"
]


class Family:
    """What is listed of one family; `present` says whether anything of ours is."""

    def __init__(self, listing: Listing, family: int, report: Report) -> None:
        self.family, self.report = family, report
        self.variant, tables = carrying(listing, family, report)
        self.chains = _ours(tables.get("filter", {}))
        self.marking = _ours(tables.get("mangle", {}))
        self.passes = self._take_passes()
        self.present = bool(self.chains or self.marking)
        self.sets = listing.sets
        self.graph = Graph(family, self.chains, listing.sets, report)
        self.identities = [match[1] for match in map(IDENTITY_CHAIN.fullmatch, self.chains) if match]
        self.met: dict[str, bool] = check_entries(tables, family, report) if self.present else {}
        if not self.present:
            report(0, f"chains of IPv{family}", "are not there: everything is open", "open")
            return
        self._check_names(tables)
        self._check_named()
        self.marks = {direction: self._marks(direction) for direction in HOOKS}
        masks = {mask for _, mask in self.marks.values() if mask}
        self._check_clearing(masks)
        for mask in masks:
            check_marks(tables, mask, report)

    def _take_passes(self) -> bool:
        """Take the rule for connections of permissions off our chains; return whether it was there."""
        chains = [self.chains[name] for name in ("rf_in", "rf_out") if name in self.chains]
        there = [chain for chain in chains if chain.rules and chain.rules[0].text.replace('"', "") == PASSES]
        for chain in there:
            rule = chain.rules.pop(0)
            if len(there) != len(HOOKS):
                self.report(rule.line, rule.text, "lets connections of permissions pass in one direction alone")
        return bool(there)

    def _check_names(self, tables: dict[str, dict[str, Chain]]) -> None:
        for table, chains in tables.items():
            for name, chain in _ours(chains).items():
                known = table == "filter" and (
                    name in FIXED_CHAINS
                    or any(shape.fullmatch(name) for shape in (IDENTITY_CHAIN, PROCESS_CHAIN, POLICY_CHAIN))
                    or outcome_of(name)
                )
                if not known and not (table == "mangle" and name in MARK_CHAINS.values()):
                    self.report(chain.line, f"chain {name} of {table}", "is nothing that we make")
        for name in self.chains:
            if IDENTITY_CHAIN.fullmatch(name):
                for rule in self.chains[name].rules:
                    self.graph.stranger(self.chains[name], rule)

    def _check_named(self) -> None:
        """Report rules of ours that name a set or a chain which is not there."""
        for chains in (self.chains, self.marking):
            for chain in chains.values():
                for rule in chain.rules:
                    verb, *words = rule.parsed.verdict.split(" ")
                    named = [one.split(" ")[1] for one in rule.parsed.conditions if one.lstrip("!").startswith("set ")]
                    named += words[:1] if verb in ("add", "map") else []
                    if any(name not in self.sets for name in named):
                        self.report(rule.line, rule.text, "names a set that is not there")
                    if verb in ("goto", "jump") and words[0] not in chains:
                        self.report(rule.line, rule.text, "leads to a chain that is not there")

    def _check_clearing(self, masks: set[int]) -> None:
        """Report where what leaves this host keeps our bits of the mark."""
        post = self.marking.get("rf_post")
        mask = self.marks["out"][1]
        if len(masks) > 1:
            self.report(0, f"IPv{self.family} mangle", "takes other bits of the mark in than out")
        if mask and post is None:
            self.report(0, "chain rf_post of mangle", "is not there: what leaves this host keeps its mark")
        elif post is not None:
            self.graph.align(post, post.rules, [((), f"mark 0x0/{mask:#x}")] if mask else [])

    def _marks(self, direction: str) -> tuple[Region, int]:
        """Return the remote addresses of a direction by the mark that they are given, and the bits it uses."""
        whole = self.graph.whole()
        chain = self.marking.get(f"rf_{direction}")
        if chain is None:
            return whole, 0
        maps = [rule.parsed.verdict.split(" ")[1] for rule in chain.rules if rule.parsed.verdict.startswith("map ")]
        masks = [
            marked(rule.parsed.verdict.split(" ")[1])[1]
            for rule in chain.rules
            if rule.parsed.verdict.startswith("mark ")
        ]
        if len(maps) != 1 or len(masks) != 1:
            self.report(chain.line, f"chain {chain.name} of mangle", "does not mark packets as ours does")
            return whole, masks[0] if masks else 0
        self.graph.align(chain, chain.rules, marking_rules(direction, self.family, maps[0], masks[0]))
        if not self.met.get(f"mark {direction}"):
            return whole, masks[0]
        return self._classes(maps[0], masks[0]), masks[0]

    def _classes(self, name: str, mask: int) -> Region:
        block = self.sets.get(name)
        region: Region = {}
        if block is None:
            self.report(0, f"set {name}", "is not there")
            return self.graph.whole()
        last = -1
        for line, key, options in sorted(block.elements, key=lambda element: _interval(element[1])):
            low, high = _interval(key)
            value, of = _marked(options)
            words = f"{name}: {' '.join((key, *options))}"
            if low < 0 or of != mask or not value or value & ~mask:
                self.report(line, words, "is not an element of ours")
            elif low <= last:
                self.report(line, words, "lies inside of another network, whose class it takes addresses from")
            else:
                last = high
                region.setdefault(value, []).append((low, high))
        region = {value: fused(intervals) for value, intervals in region.items()}
        covered = fused([one for intervals in region.values() for one in intervals])
        rest = without([FAMILIES[self.family]], covered)
        return {**region, 0: rest} if rest else region

    def control(self) -> tuple[list[Interval], set[int]]:
        """Return the addresses of the control path, and the ports that rules open for them."""
        name = f"rf_control{self.family}"
        if name not in self.sets or not self.present:
            return [], set()
        ports: set[int] = set()
        for direction in HOOKS:
            chain = self.chains.get(f"rf_{direction}")
            for rule in chain.rules if chain else ():
                if any(one.startswith(f"set {name} ") for one in rule.parsed.conditions):
                    numbers = [
                        one.split(" ")[1] for one in rule.parsed.conditions if one.startswith(("dport ", "sport "))
                    ]
                    ports |= {int(number) for number in numbers if number.isdigit()}
        return self.graph.intervals(name), ports

    def processes(self, direction: str) -> tuple[int, int]:
        """Return how many units and users the chains of a direction tell apart."""
        if direction == "in":
            return 0, 0
        matches = [match for match in map(PROCESS_CHAIN.fullmatch, self.chains) if match]
        units, users = (max((int(m[group]) + 1 for m in matches if m[group]), default=0) for group in (1, 2))
        return units, users

    def cells(self, direction: str, units: int, users: int) -> Iterator[Cell]:
        """Yield unit, user, local and remote addresses, services and dynamic sets for everything of a direction."""
        if not self.present or not self.met.get(direction):
            return
        starts = self._starts(direction, units, users)
        marks, mask = self.marks[direction]
        there, here = SIDES[direction][:2]
        for (unit, user), start in starts.items():
            for target, local in self.graph.led(start, here, self.graph.whole()).items():
                for last, remote in self.graph.led(target, there, marks, mask).items():
                    met = fused([one for intervals in remote.values() for one in intervals])
                    for (inside, outside), leaf in self.graph.cases(last, there):
                        sets = {"inside": sorted(inside), "outside": sorted(outside)} if inside or outside else {}
                        yield unit, user, fused(local[0]), met, self.graph.services(leaf), sets

    def _starts(self, direction: str, units: int, users: int) -> dict[Process, str]:
        """Return where every process class is led; what no rule asks for is judged as any other process."""
        base = self._chain(f"rf_{direction}")
        ports = self.control()[1]
        control = [control_rule(direction, self.family, min(ports))] if ports else []
        end = self._end(base, [*control, *fixed_rules(direction, self.family)])
        if direction == "in":
            return {(None, None): end}
        asks_units, asks_users = end == "rf_units_out", False
        if asks_units:
            end = self._process_end("rf_units_out")
        elif units:
            self.report(base.line, "chain rf_out", "does not ask for units: they are judged as any other process")
        if end == "rf_users_out":
            asks_users, end = True, self._process_end("rf_users_out")
        elif users:
            self.report(base.line, "chain rf_out", "does not ask for users: they are judged as any other process")
        starts: dict[Process, str] = {(None, None): end}
        for m in range(users):
            of_user = self._end(self._chain(f"rf_out_x{m}"), [])
            starts[None, f"x{m}"] = of_user if asks_users else end
        for n in range(units):
            of_unit = self._process_end(f"rf_out_u{n}")
            starts[f"u{n}", None] = of_unit if asks_units else end
            for m in range(users):
                of_both = self._end(self._chain(f"rf_out_u{n}_x{m}"), [])
                starts[f"u{n}", f"x{m}"] = of_both if asks_units else starts[None, f"x{m}"]
        self._check_shadows()
        return starts

    def _check_shadows(self) -> None:
        """Report units that are never found, because a control group around theirs is asked for before."""
        passed: list[str] = []
        for rule in self.chains["rf_units_out"].rules if "rf_units_out" in self.chains else ():
            element = process_of("rf_units_out", rule)
            path = str(element["key"]) if element else ""
            if path and any(f"{path}/".startswith(f"{one}/") for one in passed):
                self.report(rule.line, rule.text, "is never met: a control group around it is asked for before")
            passed += [path] if path else []

    def _process_end(self, name: str) -> str:
        """Return where a chain of processes leads all whom it does not ask for."""
        chain = self._chain(name)
        leads = "rf_out_u" if name == "rf_units_out" else "rf_out_x" if name == "rf_users_out" else f"{name}_x"
        for rule in chain.rules[:-1]:
            element = process_of(name, rule)
            target = rule.parsed.verdict.removeprefix("goto ")
            known = target.startswith(leads) and target.removeprefix(leads).isdigit() and target in self.chains
            if element is None or not known:
                self.report(rule.line, rule.text, "leads a process where we lead none")
        return self._end(Chain(chain.name, chain.line, chain.policy, chain.rules[-1:]), [])

    def _chain(self, name: str) -> Chain:
        if name not in self.chains:
            self.report(0, f"chain {name} of IPv{self.family}", "is not there", "open")
        return self.chains.get(name) or Chain(name, 0)

    def _end(self, chain: Chain, before: list[tuple[tuple[str, ...], str]]) -> str:
        """Return where a chain's last rule leads; every other rule must be one of `before`, in order."""
        last = chain.rules[-1].parsed if chain.rules else None
        leads = last is not None and last.known and not last.conditions and last.verdict.startswith("goto ")
        self.graph.align(chain, chain.rules[:-1] if leads else chain.rules, before)
        if last is None or not leads:
            problem = "does not lead to the policy: what reaches its end passes"
            self.report(chain.line, f"chain {chain.name}", problem, "open")
            return "return"
        return last.verdict.removeprefix("goto ")

    def fill(self, found: dict[str, list[dict[str, object]]]) -> None:
        """Add what chains hold to what sets hold."""
        for name, chain in self.chains.items():
            if name.startswith("rf_cut_"):
                for rule in chain.rules:
                    cut = cut_of(rule) if rule.parsed.known else None
                    if cut is None:
                        self.graph.stranger(chain, rule)
                    else:
                        found["cut"].append(cut)
            elif name in ("rf_units_out", "rf_users_out") or PROCESS_CHAIN.fullmatch(name):
                elements = [process_of(name, rule) for rule in chain.rules[:-1]]
                found["processes"] += [one for one in elements if one and one not in found["processes"]]
        found["counters"] += counters(self.chains)


def _ours(chains: dict[str, Chain]) -> dict[str, Chain]:
    return {name: chain for name, chain in chains.items() if OURS.fullmatch(name)}


def _interval(key: str) -> Interval:
    """Return the addresses of an element, a negative number where it has none."""
    try:
        return interval_of(key)
    except ValueError:
        return -1, -1


def _marked(options: tuple[str, ...]) -> tuple[int, int]:
    """Return value and mask of the mark that an element gives, zeros where it gives none."""
    try:
        return marked(options[1]) if len(options) == 2 and options[0] == "skbmark" else (0, 0)
    except ValueError:
        return 0, 0

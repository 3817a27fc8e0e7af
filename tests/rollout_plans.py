"""Plans for rollout tests: small verdict tables by hand, rendered by the real enforcer, in a plan directory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

from ringfence.enforcers import Targets, iptables, nftables
from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Control
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import Membership
from ringfence.model.rules import Mode
from ringfence.model.services import EVERY_SERVICE
from ringfence.model.tables import (
    DEFAULT_RULE,
    Cell,
    DirectionTable,
    Effect,
    Outcome,
    ProcessClass,
    ServiceMap,
    VerdictTable,
)

ENFORCERS = {"nftables": nftables.ENFORCER, "iptables": iptables.ENFORCER}
EVERYWHERE = addresses_of(["0.0.0.0/0", "::/0"])
LAB = ("10.203.0.0/16", "fd52:6600:0:1::/64")
CONTROLLER = ("10.203.0.1", "fd52:6600:0:1::1")
RULE = "5f3a9c01"
EMERGENCY_RULE = "e0e0e0e0"


@dataclass(frozen=True)
class Wanted:
    """What a host shall let in: points of the service line from some addresses, by unit (None: any other process).

    `names` gives what it shall let out as well: a TCP port at whatever addresses a name resolves to. `points` are
    points of the service line that it lets in beside TCP ports. With `emergency` a rule of that tier denies all else,
    in both directions.
    """

    allow: Mapping[str | None, tuple[int, ...]] = field(default_factory=lambda: {None: (7000,)})
    peers: Sequence[str] = LAB
    control: Sequence[str] = CONTROLLER
    outbound: Mode = Mode.OBSERVE
    port: int = 22
    names: Mapping[str, int] = field(default_factory=dict)
    points: tuple[int, ...] = ()
    emergency: bool = False

    def table(self) -> VerdictTable:
        """Return the verdict table: TCP ports from the peers, nothing else; outbound all that the mode lets pass."""
        units = tuple(sorted(unit for unit in self.allow if unit))
        peers = addresses_of(self.peers)
        cells = []
        for unit in (None, *units):
            allowed = _only(self.allow.get(unit, ()), Effect.ALLOW, Effect.DENY, self.points, self._rest)
            denied = _only((), Effect.ALLOW, Effect.DENY, rule=self._rest)
            process = ProcessClass(unit)
            if peers:
                cells.append(Cell(EVERYWHERE, process, peers, allowed))
            if rest := EVERYWHERE - peers:
                cells.append(Cell(EVERYWHERE, process, rest, denied))
        out = Effect.DENY if self.outbound is Mode.FULL or self.emergency else Effect.WATCH
        return VerdictTable(
            inbound=DirectionTable(Mode.FULL, tuple(cells), units=units),
            outbound=DirectionTable(self.outbound, tuple(self._out(out))),
            control=Control(tuple(self.control), self.port),
            rule_names={RULE: "the peers may"},
        )

    @property
    def _rest(self) -> str:
        return EMERGENCY_RULE if self.emergency else DEFAULT_RULE

    def _out(self, rest: Effect) -> Iterator[Cell]:
        sets = tuple(f"fqdn:{name}" for name in sorted(self.names))
        for number in range(len(sets) + 1):
            for inside in combinations(sets, number):
                ports = sorted(self.names[name.removeprefix("fqdn:")] for name in inside)
                membership = Membership(inside, tuple(name for name in sets if name not in inside))
                yield Cell(
                    EVERYWHERE,
                    ProcessClass(),
                    EVERYWHERE,
                    _only(ports, Effect.ALLOW, rest, rule=self._rest),
                    membership,
                )


@dataclass(frozen=True)
class OneUnitOut(Wanted):
    """As any other of what a host lets in, and lets out what one unit sends and nothing else."""

    unit: str = "echo.service"

    def table(self) -> VerdictTable:
        """Return the verdict table."""
        table = super().table()
        cells = tuple(
            Cell(EVERYWHERE, ProcessClass(unit), EVERYWHERE, _only((), Effect.ALLOW, rest))
            for unit, rest in ((None, Effect.DENY), (self.unit, Effect.ALLOW))
        )
        return replace(table, outbound=DirectionTable(Mode.FULL, cells, (self.unit,)))


@dataclass(frozen=True)
class PlanMaker:
    """Writes plans below a directory and counts their sequence by itself unless told."""

    directory: Path
    enforcer: str = "nftables"

    def write(
        self,
        hosts: Mapping[str, Wanted],
        *,
        sequence: int = 1,
        expects: Mapping[str, str] | None = None,
        waves: Sequence[Sequence[str]] = (),
        cut: bool = False,
        valid_for: timedelta = timedelta(days=1),
    ) -> Path:
        """Write a plan and return its directory."""
        files: dict[str, str] = {}
        entries = {}
        for name, wanted in hosts.items():
            table = wanted.table()
            enforcer = ENFORCERS[self.enforcer]
            rendered = enforcer.renderer(Targets({}, {})).render(table, enforcer.profile({}))
            ruleset = hashlib.sha256(rendered.text.encode()).hexdigest()
            files[f"rulesets/{ruleset}.{enforcer.suffix}"] = rendered.text
            files[f"tables/{table.digest}.json"] = table.text()
            entries[name] = {
                "enforcer": self.enforcer,
                "table": table.digest,
                "ruleset": ruleset,
                "expects": (expects or {}).get(name, ""),
                "control": {"from": list(wanted.control), "port": wanted.port},
                "options": {"cut": cut},
                "facts": {},
                "runtime": rendered.runtime,
                "chosen": "",
            }
        now = datetime.now(UTC)
        plan = {
            "format": 2,
            "sequence": sequence,
            "created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "valid_until": f"{now + valid_for:%Y-%m-%dT%H:%M:%SZ}",
            "inputs": {"inventory": "0" * 64, "policy": "0" * 64, "flows": ""},
            "waves": [list(wave) for wave in waves] or [sorted(hosts)],
            "hosts": entries,
            "rules": {
                RULE: {"name": "the peers may", "place": "policy/shop.yml:8:5"},
                EMERGENCY_RULE: {"name": "quarantine", "place": "policy/quarantine.yml:3:5", "emergency": True},
            },
            "simulation": {},
            "diff": {},
            "left_out": {},
            "restores": "",
        }
        text = json.dumps(plan, sort_keys=True, indent=1) + "\n"
        directory = self.directory / "plans" / hashlib.sha256(text.encode()).hexdigest()[:12]
        for folder in ("rulesets", "tables"):
            (directory / folder).mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            (directory / path).write_text(content)
        (directory / "plan.json").write_text(text)
        return directory


def digest_for(wanted: Wanted) -> str:
    """Return the digest of the ruleset that a host gets for this."""
    return hashlib.sha256(nftables.render(wanted.table()).encode()).hexdigest()


def _only(
    ports: Sequence[int], listed: Effect, rest: Effect, points: Sequence[int] = (), rule: str = DEFAULT_RULE
) -> ServiceMap:
    """Return a service map with one outcome for these TCP ports and points and another, by a rule, for all else."""
    chosen = IntervalSet.of((one, one) for one in (*(6 * 65536 + port for port in ports), *points))
    outcomes = [(low, high, Outcome(listed, RULE)) for low, high in chosen]
    outcomes += [(low, high, Outcome(rest, rule)) for low, high in EVERY_SERVICE - chosen]
    return ServiceMap(tuple(sorted(outcomes)))

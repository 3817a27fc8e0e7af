"""Whether Ansible still reaches the hosts of a plan: over jump hosts that are assets, no step may be cut.

Where the variables of a host name jump hosts, its way in leads through these, one after the other. Otherwise it begins
at the single addresses of its control path, as far as assets hold these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ringfence.analysis.lookup import TableLookup
from ringfence.compiler import Compilation
from ringfence.enforcers import Reason
from ringfence.model.addresses import address_text, addresses_of, family_of
from ringfence.model.addresses import point_of as address_point
from ringfence.model.assets import Asset, Control
from ringfence.model.intervals import Interval, IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.services import TCP, point_of
from ringfence.model.tables import ProcessClass
from ringfence.plan.jump_hosts import Named, is_address, jump_hosts

_LET_OUT = "allow tcp/{port} from {machine} to the hosts that Ansible reaches from it"


@dataclass(frozen=True, slots=True)
class _Step:
    """A machine on the way to a host: its addresses, the port of its sshd, and its asset, None where none is known."""

    said: str
    points: tuple[int, ...]
    port: int
    asset: Asset | None


class ControlPathCheck:
    """What the tables of a compilation let out of the assets that Ansible comes through, and into those behind them."""

    def __init__(self, compilation: Compilation) -> None:
        self._assets = compilation.snapshot.named()
        self._control = compilation.settings.control
        self._tables = compilation.tables
        self._holders = {point: name for name in compilation.tables for point in self._assets[name].addresses}
        self._named = Named(compilation.snapshot.assets)
        self._lookups: dict[str, TableLookup] = {}

    def closed(self, asset: Asset, control: Control, target: int | None, seen: int | None = None) -> Reason | None:
        """Return what cuts the way to a host, with the remedy; None if a way in remains, or may remain.

        `target` is the address that Ansible connects to, None if it is not known: then every address of the host may
        be it. `seen` is the address from which the host saw Ansible come, which may be that of a NAT. Nobody can judge
        a way through a jump host that is neither an asset nor an address.
        """
        end = _Step(f"'{asset.name}'", asset.addresses if target is None else (target,), control.port, asset)
        steps = self._steps(asset)
        if not steps:
            return self._not_let_out(control, end)
        first = steps[0]
        own = first.asset.control if first.asset else None
        begins = own or self._control
        if begins is not None and (first.asset is None or first.asset.name not in self._tables):
            # What has a table is a host of the plan, and judged as such.
            reason = self._not_let_out(begins, first, hop=True)
            if reason is not None:
                return reason
        for near, far in pairwise((*steps, end)):
            if reason := self._between(near, far, last=far is end):
                return reason
        inside = _inside(control)
        return None if seen is not None and seen in inside else self._outside(steps[-1], end, control)

    def _steps(self, asset: Asset) -> list[_Step]:
        """Return the jump hosts on the way to a host; one that leads through itself has none from there on."""
        steps = []
        for hop in jump_hosts(asset.attributes):
            name = self._named.called(hop.host)
            if name == asset.name:
                break
            if name is not None:
                machine = self._assets[name]
                own = machine.control or self._control
                port = hop.port or (own.port if own else 22)
                steps.append(_Step(f"'{name}'", machine.addresses, port, machine))
            else:
                points = (address_point(hop.host),) if is_address(hop.host) else ()
                steps.append(_Step(hop.host, points, hop.port or 22, None))
        return steps

    def _between(self, near: _Step, far: _Step, *, last: bool) -> Reason | None:
        """Return what keeps one machine on the way from the next, where no address of it comes to any of the other."""
        pairs = [(a, b) for a in near.points for b in far.points if family_of(a) == family_of(b)]
        if not pairs:
            return None
        out = [(a, b) for a, b in pairs if self._passes(Direction.OUT, near.asset, a, b, far.port)]
        if not out:
            why = f"Ansible comes through {near.said}, which this policy does not let out to tcp/{far.port} there"
            return why, f"add a rule: {_LET_OUT.format(port=far.port, machine=near.said)}"
        if last or any(self._lets_in(far, a, b) for a, b in out):
            return None
        why = (
            f"Ansible comes through {near.said} to {far.said}, which this policy does not let it into at tcp/{far.port}"
        )
        return why, f"add the address of {near.said} to control.from of {far.said}, or a rule that allows it"

    def _outside(self, near: _Step, end: _Step, control: Control) -> Reason | None:
        """Return that the last machine on the way has no address in the control path of a host, if its are known."""
        families = {family_of(point) for point in end.points}
        points = [point for point in near.points if family_of(point) in families]
        inside = _inside(control)
        if not points or end.asset is None or end.asset.name not in self._tables or any(p in inside for p in points):
            return None
        networks = ", ".join(control.networks)
        said = near.said if near.asset is None else f"{near.said} ({', '.join(map(address_text, points))})"
        why = f"Ansible comes through {said}, which lies outside control.from ({networks}): the way in would be cut"
        return why, f"add the address from which {near.said} reaches the hosts behind it to control.from"

    def _lets_in(self, far: _Step, remote: int, local: int) -> bool:
        own = (far.asset.control if far.asset else None) or self._control
        if own is not None and own.port == far.port and remote in _inside(own):
            return True
        return self._passes(Direction.IN, far.asset, local, remote, far.port)

    def _not_let_out(self, control: Control, end: _Step, *, hop: bool = False) -> Reason | None:
        """Return what single addresses of a control path are not let out to, where no other way in is left.

        A network of several addresses, and an address that no workload holds, are ways in that no table closes. Ansible
        comes to a `hop` from elsewhere than from itself.
        """
        shut = ""
        realm = end.asset.realm if end.asset else None
        for low, high in _ways(control):
            reached = list(_reached(end, low))
            if not reached or (hop and low == high and low in end.points):
                continue
            holder = self._holders.get(low) if low == high else None
            machine = self._assets[holder] if holder else None
            if machine is None or machine is end.asset or (realm is not None and machine.realm != realm):
                return None
            if all(self._passes(Direction.OUT, machine, low, far, end.port) for far in reached):
                return None
            shut = f"'{holder}' ({address_text(low)})"
        if not shut:
            return None
        why = f"Ansible comes from {shut}, which this policy does not let out to tcp/{end.port} there"
        return why, f"add a rule: {_LET_OUT.format(port=end.port, machine=shut)}"

    def _passes(self, direction: Direction, machine: Asset | None, local: int, remote: int, port: int) -> bool:
        """Return whether the table of a machine lets ssh through; what has none lets everything through."""
        table = self._tables.get(machine.name) if machine else None
        if table is None or machine is None or local not in machine.addresses:
            return True
        lookup = self._lookups.setdefault(machine.name, TableLookup(table))
        return lookup.outcome(direction, local, remote, ProcessClass(), point_of(TCP, port)).passes


@lru_cache(maxsize=1024)
def _ways(control: Control) -> tuple[Interval, ...]:
    """Return the networks of a control path, in its order: most hosts share one."""
    return tuple(interval for network in control.networks for interval in addresses_of([network]))


@lru_cache(maxsize=1024)
def _inside(control: Control) -> IntervalSet:
    return addresses_of(control.networks)


def _reached(end: _Step, near: int) -> Iterator[int]:
    """Yield the addresses of a machine that are reached from an address of the same family."""
    return (point for point in end.points if family_of(point) == family_of(near))

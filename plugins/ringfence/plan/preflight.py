"""What a plan is refused for before any host is touched: a line that would be cut, a lacking feature, a lost host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from ringfence.analysis.forwarding_hosts import forwarding_problems
from ringfence.compiler import Compilation
from ringfence.enforcers import Enforcer, Reason
from ringfence.model.addresses import addresses_of, family_of, point_of
from ringfence.model.assets import Asset, Control
from ringfence.model.counts import counted
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet
from ringfence.model.problems import Problem, Severity
from ringfence.plan.control_path_check import ControlPathCheck
from ringfence.plan.left_out import refused
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.plan.host_records import Held

SSH_CONNECTIONS = ("ssh", "ansible.builtin.ssh", "paramiko", "ansible.netcommon.libssh")


def refusals(
    compilation: Compilation,
    held: Mapping[str, Held],
    dropped: Iterable[str],
    enforcer: Callable[[str], Enforcer],
    *,
    force_lockout: bool = False,
) -> list[InputError]:
    """Return every reason, in the order of the hosts' names, not to make a plan of these tables.

    `held` is what hosts are known to have and their facts; `dropped` are the hosts that may be missing. With
    `force_lockout` a plan may cut the connection that it comes by.
    """
    named = compilation.snapshot.named()
    check = None if force_lockout else ControlPathCheck(compilation)
    reasons: list[tuple[str, Reason]] = []
    for name in sorted(compilation.tables):
        if enforcer(named[name].enforcer).abilities.control:
            reasons += [(name, reason) for reason in _of_host(named[name], compilation, held.get(name), check)]
    outside = {} if force_lockout else _outside(compilation, held)
    if _most(outside, compilation):
        reasons += outside.items()
    lacking = refused(compilation, held, enforcer)
    if len(lacking) == len(compilation.tables):
        reasons += lacking.items()
    found = [InputError(words, remedy=remedy) for words, remedy in _by_reason(reasons)]
    return found + _lost(compilation, held, frozenset(dropped))


def doubts(compilation: Compilation, held: Mapping[str, Held]) -> list[Problem]:
    """Return what stops no plan: lines that hosts themselves keep from being cut, and what is forwarded unjudged."""
    outside = _outside(compilation, held)
    few = [] if _most(outside, compilation) else outside.items()  # those of most hosts stop the plan
    told = [Problem(Severity.WARNING, words, remedy=remedy) for words, remedy in _by_reason(few)]
    return told + forwarding_problems(compilation)


def _by_reason(told: Iterable[tuple[str, Reason]]) -> Iterator[tuple[str, str]]:
    """Yield a message for all hosts that one reason is told of, and the way out."""
    hosts: dict[Reason, list[str]] = {}
    for name, reason in told:
        hosts.setdefault(reason, []).append(name)
    for (why, remedy), names in hosts.items():
        yield f"{first_few(names)}: {why}", remedy


def control_of(asset: Asset, compilation: Compilation) -> Control | None:
    """Return the control path of a host: its own, else the workspace's."""
    return asset.control or compilation.settings.control


@lru_cache(maxsize=1024)
def _networks(control: Control) -> IntervalSet:
    """Return the addresses of a control path: most hosts share one."""
    return addresses_of(control.networks)


def _of_host(asset: Asset, compilation: Compilation, held: Held | None, check: ControlPathCheck | None) -> list[Reason]:
    control = control_of(asset, compilation)
    if control is None or not control.networks:
        why = "no control path is known, so nothing could keep Ansible's line open"
        return [(why, "write 'control: {from: [the networks Ansible comes from]}' in ringfence.yml")]
    return _line(asset, control, _address(held.reached_from) if held else None, check) if check else []


def _line(asset: Asset, control: Control, seen: int | None, check: ControlPathCheck) -> list[Reason]:
    found = []
    attributes = asset.attributes
    networks = ", ".join(control.networks)
    connection = attributes.get("ansible_connection", "ssh")
    port = attributes.get("ansible_port")
    if connection in SSH_CONNECTIONS and port is not None and str(port) != str(control.port):
        why = f"Ansible connects to port {port}, the control path opens port {control.port} only"
        found.append((why, "write the port that the host's sshd listens on into 'control'"))
    target = _address(attributes.get("ansible_host"))
    if target is not None and not any(family_of(low) == family_of(target) for low, _ in _networks(control)):
        family = f"IPv{family_of(target)}"
        why = f"Ansible connects by {family}, but control.from ({networks}) has no {family} network"
        found.append((why, f"add the {family} network that Ansible comes from to control.from"))
    if cut := check.closed(asset, control, target, seen):
        found.append(cut)
    return found


def _address(value: object) -> int | None:
    try:
        return point_of(value) if isinstance(value, str) and value else None
    except InputError:
        return None


def _outside(compilation: Compilation, held: Mapping[str, Held]) -> dict[str, Reason]:
    """Return the hosts that report a connection from outside their control path, which their tables would cut."""
    named = compilation.snapshot.named()
    found = {}
    for name in sorted(compilation.tables.keys() & held.keys()):
        control = control_of(named[name], compilation)
        origin = _address(held[name].reached_from)
        if control is not None and origin is not None and origin not in _networks(control):
            networks = ", ".join(control.networks)
            why = (
                f"Ansible came from {held[name].reached_from} as the host reports it, which lies outside control.from "
                f"({networks}): it refuses a plan that would cut the line it is applied over"
            )
            found[name] = (why, "look on the controller from which address it reaches hosts, and compare control.from")
    return found


def _most(hosts: Mapping[str, Reason], compilation: Compilation) -> bool:
    """Return whether more than half of all workloads are meant: what one says of the controller may be a lie."""
    return 2 * len(hosts) > len(compilation.tables)


def _lost(compilation: Compilation, held: Mapping[str, Held], dropped: frozenset[str]) -> list[InputError]:
    assets = compilation.snapshot.named()
    lost = sorted(
        name for name, one in held.items() if one.ruleset and name not in compilation.tables and name not in dropped
    )
    if not lost:
        return []
    gone = [name for name in lost if name not in assets]
    unenforced = [name for name in lost if name in compilation.unenforced]
    if len(unenforced) == len(lost):
        enforcers = ", ".join(sorted({assets[name].enforcer for name in lost}))
        why = f"no enforcer is called '{enforcers}'"
    elif len(gone) == len(lost):
        why = "no source names them any more"
    else:
        why = "a source names them no more, or as no workload, or without an address, or with another enforcer"
    return [
        InputError(
            f"{counted(len(lost), 'host that is', 'hosts that are')} enforced on would be dropped: "
            f"{why}: {first_few(lost)}",
            remedy="look whether a source went silent; where they are meant to go: --drop NAME, or --drop-missing",
        )
    ]

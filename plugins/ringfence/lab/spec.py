"""What a lab host is asked to be, and what it is: plain values that travel as JSON."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal, TypedDict, cast

from ringfence.model.errors import InputError

Kind = Literal["machines", "namespaces"]
HostState = Literal["running", "off", "failed"]
Variant = Literal["full", "furnished", "busybox", "no-python"]

RELEASES = ("bullseye", "bookworm", "trixie")
VARIANTS = ("full", "furnished", "busybox", "no-python")
NETWORK_4 = ipaddress.IPv4Network("10.203.0.0/16")
NETWORK_6 = ipaddress.IPv6Network("fd52:6600:0:1::/64")
CONTROLLER_4 = NETWORK_4[1]
CONTROLLER_6 = NETWORK_6[1]
FIRST_HOST = 11

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?")
_USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_UNIT_NAME = re.compile(r"[A-Za-z0-9:_.@-]+\.service")
_PORT = re.compile(r"(tcp|udp)/([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Talk:
    """Steady traffic to one port of a host: `port` as `tcp/8443`, one exchange every `every` seconds."""

    host: str
    port: str
    every: float = 5.0


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """A service of a host: it listens on `listens` (`tcp/80`, `udp/53`) and keeps up `talks`, as `user`."""

    name: str
    listens: tuple[str, ...] = ()
    talks: tuple[Talk, ...] = ()
    user: str = "root"


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A host that a lab shall have; without `addresses` the lab gives it one of each family.

    `release` and `variant` say which machine it is; a namespace host has the release and the tools of the machine
    that holds the lab. `labels` go into the inventory as `ringfence_labels` where there are any.
    """

    name: str
    release: str = "bookworm"
    addresses: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    units: tuple[UnitSpec, ...] = ()
    variant: Variant = "full"

    @property
    def image(self) -> str:
        """The root file system that a machine stands on: its release's, or the one with more packages."""
        return f"{self.release}-{self.variant}" if self.variant == "furnished" else self.release


@dataclass(frozen=True, slots=True)
class HostStatus:
    """What a lab host is now; `boots` counts its starts, `pid` is its first process as this machine sees it."""

    name: str
    kind: Kind
    release: str
    variant: str
    addresses: tuple[str, ...]
    state: HostState
    boots: int
    pid: int | None


class _TalkData(TypedDict):
    host: str
    port: str
    every: float


class _UnitData(TypedDict):
    name: str
    listens: list[str]
    talks: list[_TalkData]
    user: str


class HostData(TypedDict):
    """A host's spec as JSON."""

    name: str
    release: str
    addresses: list[str]
    labels: dict[str, str]
    units: list[_UnitData]
    variant: Variant


def to_data(host: HostSpec) -> HostData:
    """Return the spec as plain data for JSON."""
    return cast(HostData, dataclasses.asdict(host))


def from_data(data: HostData) -> HostSpec:
    """Return the spec that `to_data` made this from."""
    units = tuple(
        UnitSpec(
            name=unit["name"],
            listens=tuple(unit["listens"]),
            talks=tuple(Talk(**talk) for talk in unit["talks"]),
            user=unit["user"],
        )
        for unit in data["units"]
    )
    return HostSpec(data["name"], data["release"], tuple(data["addresses"]), data["labels"], units, data["variant"])


def addressed(hosts: Sequence[HostSpec]) -> list[HostSpec]:
    """Return the hosts, each with addresses. Raise InputError where names, addresses or units cannot be."""
    if not hosts:
        raise InputError("a lab needs at least one host")
    names = {host.name for host in hosts}
    if len(names) != len(hosts):
        raise InputError("two lab hosts have the same name")
    given = [ipaddress.ip_address(text) for host in hosts for text in _valid(host, names).addresses]
    if len(set(given)) != len(given):
        raise InputError("two lab hosts have the same address")
    taken = {CONTROLLER_4, CONTROLLER_6}
    if taken & set(given):
        raise InputError(f"{CONTROLLER_4} and {CONTROLLER_6} are the controller's in every lab")
    taken |= set(given)
    done: list[HostSpec] = []
    number = FIRST_HOST
    for host in hosts:
        if host.addresses:
            done.append(host)
            continue
        while NETWORK_4[number] in taken or NETWORK_6[number] in taken:
            number += 1
        done.append(dataclasses.replace(host, addresses=(str(NETWORK_4[number]), str(NETWORK_6[number]))))
        number += 1
    return done


def port_of(text: str) -> tuple[str, int]:
    """Return protocol and port of `tcp/80`. Raise InputError for what is neither TCP nor UDP with a port."""
    match = _PORT.fullmatch(text)
    if not match or not 0 < int(match[2]) < 65536:
        raise InputError(f"'{text}' is not a valid port of a lab unit", remedy="write tcp/NUMBER or udp/NUMBER")
    return match[1], int(match[2])


def _valid(host: HostSpec, names: Set[str]) -> HostSpec:
    if not _HOST_NAME.fullmatch(host.name):
        raise InputError(f"'{host.name}' is not a valid name for a lab host", remedy="use a-z, 0-9 and '-', at most 48")
    if host.release not in RELEASES:
        raise InputError(f"no Debian release '{host.release}' for a lab", remedy=f"one of {', '.join(RELEASES)}")
    if host.variant not in VARIANTS:
        raise InputError(f"no variant '{host.variant}' of a lab host", remedy=f"one of {', '.join(VARIANTS)}")
    for address in host.addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise InputError(f"lab host {host.name}: {error}") from error
    for unit in host.units:
        if not _UNIT_NAME.fullmatch(unit.name) or not _USER_NAME.fullmatch(unit.user):
            raise InputError(f"lab host {host.name}: no unit '{unit.name}' of a user '{unit.user}' can be made")
        for port in (*unit.listens, *(talk.port for talk in unit.talks)):
            port_of(port)
        for talk in unit.talks:
            if talk.host not in names:
                raise InputError(f"lab host {host.name}: {unit.name} talks to no host '{talk.host}' of the lab")
    return host

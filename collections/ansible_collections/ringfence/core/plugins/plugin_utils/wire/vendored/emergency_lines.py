"""Emergencies of one host as lines: what it is cut off from, and what it is let through to for a while.

A head line, and element lines behind it, in words without blanks that a POSIX shell reads with `read`:

    emergency ID KIND SINCE ENDS WHO WHY
    element container NAME ADDRESS...
    element isolated all
    element isolated @NAME...
    element quarantined NETWORK...
    element kept NETWORK...
    element permitted DIRECTION PROTOCOL PORTS LOCAL NETWORK...

`KIND` is `quarantine` or `permission`; `SINCE` and `ENDS` are seconds since the epoch, `ENDS` 0 until somebody ends
it; `WHO` and `WHY` are percent-encoded, `-` for none. `NETWORK` is an address, or one with its length. `PROTOCOL` is a
number or `any`, `PORTS` are `22,8000-8010` (of ICMP, message types) or `any`, `LOCAL` are networks with
commas or `any`.

A container that the host holds is named by `container`, with the addresses that it was last known to have: the host
puts in those that it has now. Wherever networks are, `@NAME` stands for its addresses. `DIRECTION` is `in` or `out` for
the host itself, `to` or `from` for the container that is `LOCAL`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from .address_line import V6_BASE, address_text, fused, interval_of

QUARANTINE, PERMISSION = "quarantine", "permission"
# Characters of `who` and `why`, emergencies of a host, networks that one of them names, and services of a permission.
MOST_WHO, MOST_WHY, MOST_ENTRIES, MOST_NETWORKS, MOST_GRANTS = 200, 500, 500, 2000, 100
LAST_SECOND = 99_999_999_999
# Seconds that one may last which ends by itself: the kernel counts a timeout in 32 bits of milliseconds.
LONGEST = 30 * 86400
WITH_PORTS = {6: 65535, 17: 65535, 132: 65535, 1: 255, 58: 255}
_ID = re.compile(r"(q|p)-[0-9a-f]{8}", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,10}", re.ASCII)
_KINDS = {"q": QUARANTINE, "p": PERMISSION}
# What its engine calls a container; behind `~`, which no engine takes, a machine that the host forwards for.
_NAMED = re.compile(r"@~?[A-Za-z0-9][A-Za-z0-9_.-]{0,255}", re.ASCII)


class EmergencyError(ValueError):
    """What was given is no list of emergencies; the text says which line, where there is one, and why."""


@dataclass(frozen=True)
class Grant:
    """One service that a permission opens on this host: `in` where the host serves it, `out` where it asks for it.

    `to` and `from` are the same for a container of the host, which `local` names.
    `protocol` is a number, None for all; `ports` are closed intervals of the server's port (of ICMP, of the message's
    type), none for all; `remote` and `local` are addresses, ranges or networks, `local` none for all of the host.
    """

    direction: str
    protocol: int | None
    remote: tuple[str, ...]
    ports: tuple[tuple[int, int], ...] = ()
    local: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Put addresses and ports into their one form. Raise EmergencyError where something is not valid."""
        if self.direction not in ("in", "out", "to", "from"):
            raise EmergencyError(f"'{self.direction}' is no direction: in, out, to or from")
        if (self.direction in ("to", "from")) != (len(self.local) == 1 and _NAMED.fullmatch(self.local[0]) is not None):
            raise EmergencyError("to and from are of one container, in and out of the host itself")
        if self.protocol is not None and not 0 <= self.protocol <= 255:
            raise EmergencyError(f"{self.protocol} is no protocol: 0 to 255")
        most = WITH_PORTS.get(-1 if self.protocol is None else self.protocol)
        if self.ports and most is None:
            raise EmergencyError(f"protocol {'any' if self.protocol is None else self.protocol} has no ports")
        for low, high in self.ports:
            if not 0 <= low <= high <= (most or 0):
                raise EmergencyError(f"{low}-{high} are no ports of protocol {self.protocol}")
        if not self.remote:
            raise EmergencyError("a permission names no remote address")
        if len({one.startswith("@") for one in self.remote}) > 1:
            raise EmergencyError("a service is opened for containers or for networks")
        object.__setattr__(self, "ports", tuple(fused(list(self.ports))))
        object.__setattr__(self, "remote", ends(self.remote))
        object.__setattr__(self, "local", ends(self.local))


@dataclass(frozen=True)
class Emergency:
    """One emergency as a host holds it; `id` is `q-` or `p-` and 8 hexadecimal digits, times are whole seconds.

    Of a quarantine, `isolates` says that this host itself is cut off, from all but `kept`, `inside` the same of
    containers that it holds; `remote` are the addresses that are cut off from it. Of a permission, `grants` are what it
    opens. `containers` are those that any of this names, with their addresses. Networks are put into their one form.
    """

    id: str
    kind: str
    since: int
    ends: int = 0
    who: str = ""
    why: str = ""
    isolates: bool = False
    remote: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    containers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    inside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Put addresses into their one form. Raise EmergencyError where something is not valid."""
        found = _ID.fullmatch(self.id)
        if not found or _KINDS[found[1]] != self.kind:
            raise EmergencyError(f"'{self.id}' is no id of a {self.kind}: q- or p- and 8 hexadecimal digits")
        if not (0 <= self.since <= LAST_SECOND and 0 <= self.ends <= LAST_SECOND):
            raise EmergencyError(f"{self.id}: {self.since} or {self.ends} is no second since the epoch")
        if self.ends and not 0 < self.ends - self.since <= LONGEST:
            raise EmergencyError(f"{self.id} must end behind its beginning, and within 30 days of it")
        for name, text, most in (("who", self.who, MOST_WHO), ("why", self.why, MOST_WHY)):
            if len(text) > most or any(unicodedata.category(sign)[0] == "C" for sign in text):
                raise EmergencyError(f"{self.id}: {name} must be at most {most} characters of text on one line")
        object.__setattr__(self, "remote", networks(self.remote))
        object.__setattr__(self, "kept", ends(self.kept))
        object.__setattr__(self, "inside", tuple(sorted(set(self.inside))))
        object.__setattr__(self, "containers", tuple(sorted(self.containers)))
        cuts = self.isolates or self.inside or self.remote
        if self.kind == QUARANTINE and (self.grants or not cuts):
            raise EmergencyError(
                f"{self.id}: a quarantine isolates its host or names remote addresses, and grants nothing"
            )
        if self.kind == PERMISSION and (cuts or self.kept or not self.grants):
            raise EmergencyError(f"{self.id}: a permission grants something, and nothing else")
        if len(self.grants) > MOST_GRANTS:
            raise EmergencyError(f"{self.id} grants more than {MOST_GRANTS} services")
        self._check_containers()

    def _check_containers(self) -> None:
        """Raise EmergencyError unless the containers are exactly those that something names."""
        if self.isolates and self.inside:
            raise EmergencyError(f"{self.id}: a host that is isolated isolates its containers as well")
        if self.kept and not (self.isolates or self.inside or self.remote):
            raise EmergencyError(f"{self.id}: only what is isolated keeps something")
        texts = [*self.kept, *(one for grant in self.grants for one in (*grant.local, *grant.remote))]
        named = {*(f"@{name}" for name in self.inside), *(one for one in texts if one.startswith("@"))}
        known = [f"@{name}" for name, _ in self.containers]
        if len(known) > MOST_ENTRIES or len(set(known)) < len(known) or not all(map(_NAMED.fullmatch, known)):
            raise EmergencyError(f"{self.id}: its containers are not valid, or too many")
        if named != set(known):
            raise EmergencyError(
                f"{self.id}: the containers that it names are not those that it tells the addresses of"
            )
        if any(low != high for low, high in map(_interval, (one for _, some in self.containers for one in some))):
            raise EmergencyError(f"{self.id}: a container has addresses, no networks")

    def addresses_of(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Return networks with the addresses of containers in the place of their names, in order, each once."""
        held = {f"@{name}": addresses for name, addresses in self.containers}
        points = {_interval(one)[0] for text in texts for one in held.get(text, ())}
        return (*(one for one in texts if one not in held), *(address_text(point) for point in sorted(points)))


def networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the fewest networks that hold exactly some addresses, ranges and networks, in order.

    Raise EmergencyError for what is none of these, or for more than MOST_NETWORKS.
    """
    try:
        intervals = fused([interval_of(text) for text in texts])
    except ValueError as error:
        raise EmergencyError(str(error)) from None
    found: list[str] = []
    for low, high in intervals:
        for text in _cut(low, high):
            found.append(text)
            if len(found) > MOST_NETWORKS:
                raise EmergencyError(f"more than {MOST_NETWORKS} networks")
    return tuple(found)


def _interval(text: str) -> tuple[int, int]:
    try:
        return interval_of(text)
    except ValueError as error:
        raise EmergencyError(str(error)) from None


def ends(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the same behind the names of containers, `@NAME`."""
    given = list(texts)
    names = sorted({one for one in given if one.startswith("@")})
    for one in names:
        if not _NAMED.fullmatch(one):
            raise EmergencyError(f"'{one[:40]}' is no name of a container")
    return (*names, *networks(one for one in given if not one.startswith("@")))


def _cut(low: int, high: int) -> Iterator[str]:
    base, bits = (V6_BASE, 128) if low >= V6_BASE else (0, 32)
    at = low
    while at <= high:
        number = at - base
        # all of a family are two halves: ipset knows no network of all
        free = (number & -number).bit_length() - 1 if number else bits - 1
        free = min(free, (high - at + 1).bit_length() - 1)
        yield f"{address_text(at)}/{bits - free}" if free else address_text(at)
        at += 1 << free


def format(entries: Iterable[Emergency]) -> str:  # noqa: A001 - the wire's own pair of parse
    """Return some emergencies as lines, in the order given."""
    return "".join(_lines(entry) for entry in entries)


def parse(text: str) -> tuple[Emergency, ...]:
    """Return the emergencies of some lines. Raise EmergencyError for anything that `format` does not write."""
    if text and not text.endswith("\n"):
        raise EmergencyError("the last line is cut short")
    blocks: list[list[str]] = []
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        if line.startswith("emergency "):
            blocks.append([line])
        elif line.startswith("element ") and blocks:
            blocks[-1].append(line)
        else:
            raise EmergencyError(f"line {number}: neither the head of an emergency nor one of its elements")
    if len(blocks) > MOST_ENTRIES:
        raise EmergencyError(f"more than {MOST_ENTRIES} emergencies")
    found: dict[str, Emergency] = {}
    for block in blocks:
        entry = _entry(block)
        if entry.id in found:
            raise EmergencyError(f"{entry.id} is there twice")
        if _lines(entry) != "".join(f"{line}\n" for line in block):
            raise EmergencyError(f"{entry.id} is not written as Ringfence writes it")
        found[entry.id] = entry
    return tuple(found.values())


def _entry(block: list[str]) -> Emergency:
    head = block[0].split(" ")[1:]
    if len(head) != 6:
        raise EmergencyError(f"'{block[0][:60]}' is no head of an emergency")
    elements: dict[str, tuple[str, ...]] = {"isolated": (), "quarantined": (), "kept": ()}
    grants: list[Grant] = []
    containers: list[tuple[str, tuple[str, ...]]] = []
    for line in block[1:]:
        name, *values = line.split(" ")[1:]
        if name == "container" and values:
            containers.append((values[0], tuple(values[1:])))
        elif name == "permitted" and len(values) > 4:
            direction, protocol, ports, local, *remote = values
            grants.append(
                Grant(
                    direction,
                    None if protocol == "any" else _number(protocol),
                    tuple(remote),
                    () if ports == "any" else tuple(_ports(word) for word in ports.split(",")),
                    () if local == "any" else tuple(local.split(",")),
                )
            )
        elif elements.get(name) == () and values:
            elements[name] = tuple(values)
        else:
            raise EmergencyError(f"{head[0][:20]}: '{line[:60]}' is no element of an emergency, or is there twice")
    inside = () if elements["isolated"] == ("all",) else elements["isolated"]
    if not all(map(_NAMED.fullmatch, inside)):
        raise EmergencyError(f"{head[0][:20]}: a host is isolated from all, or containers are by their names")
    identity, kind, since, ends, who, why = head
    return Emergency(
        identity,
        kind,
        _number(since),
        _number(ends),
        _decoded(who),
        _decoded(why),
        elements["isolated"] == ("all",),
        elements["quarantined"],
        elements["kept"],
        tuple(grants),
        tuple(containers),
        tuple(one[1:] for one in inside),
    )


def _lines(entry: Emergency) -> str:
    words = [entry.id, entry.kind, str(entry.since), str(entry.ends), _encoded(entry.who), _encoded(entry.why)]
    lines = ["emergency " + " ".join(words)]
    lines += [" ".join(("element container", name, *addresses)) for name, addresses in entry.containers]
    if entry.isolates:
        lines.append("element isolated all")
    if entry.inside:
        lines.append("element isolated " + " ".join(f"@{name}" for name in entry.inside))
    if entry.remote:
        lines.append("element quarantined " + " ".join(entry.remote))
    if entry.kept:
        lines.append("element kept " + " ".join(entry.kept))
    for grant in entry.grants:
        protocol = "any" if grant.protocol is None else str(grant.protocol)
        ports = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in grant.ports) or "any"
        local = ",".join(grant.local) or "any"
        lines.append(f"element permitted {grant.direction} {protocol} {ports} {local} " + " ".join(grant.remote))
    return "".join(f"{line}\n" for line in lines)


def _encoded(text: str) -> str:
    """Return a text as one word; `-` alone stands for none, so that one is encoded too."""
    return "%2D" if text == "-" else quote(text, safe="") or "-"


def _decoded(word: str) -> str:
    try:
        text = unquote(word, errors="strict") if word != "-" else ""
    except UnicodeDecodeError:
        raise EmergencyError(f"'{word[:40]}' is no percent-encoded text") from None
    if _encoded(text) != word:
        raise EmergencyError(f"'{word[:40]}' is not percent-encoded as Ringfence does it")
    return text


def _number(word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise EmergencyError(f"'{word[:40]}' is no number")
    return int(word)


def _ports(word: str) -> tuple[int, int]:
    low, _, high = word.partition("-")
    return _number(low), _number(high or low)

"""Tests of iptables, as `iptables-save` writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ringfence.beside import values
from ringfence.beside.ipsets import IpSet
from ringfence.beside.packets import PORTS, Packet
from ringfence.beside.rules import Match, Test, Truth, any_of, negated, never_known, remembered
from ringfence.beside.values import Field, Ranges
from ringfence.model.services import ICMP, ICMPV6

# Modules whose options say all that they test; another one tests something by itself.
_BY_OPTIONS = {
    "tcp", "udp", "udplite", "sctp", "dccp", "multiport", "conntrack", "state", "comment", "addrtype", "icmp", "icmp6",
    "ipv6-icmp", "iprange", "set", "pkttype", "physdev", "mark", "connmark", "limit", "hashlimit", "recent", "owner",
    "length", "ttl", "hl", "mac", "string", "time", "statistic", "quota", "connlimit", "connbytes", "helper", "policy",
    "tos", "dscp", "cgroup", "geoip",
}  # fmt: skip
_TYPES = {
    "UNSPEC": 0, "UNICAST": 1, "LOCAL": 2, "BROADCAST": 3, "ANYCAST": 4, "MULTICAST": 5, "BLACKHOLE": 6,
    "UNREACHABLE": 7, "PROHIBIT": 8,
}  # fmt: skip
# What asks for an extension header of IPv6, or for a later fragment: the packets that are judged have neither.
_OF_HEADERS = {"rt", "frag", "hbh", "dst"}
_STATES = {name.upper(): bit for name, bit in values.STATES.items()}
_TRANSLATED = {"SNAT", "DNAT"}
_FLAGS = {**{name.upper(): bit for name, bit in values.FLAGS.items()}, "ECN": 64, "ALL": 63, "NONE": 0}
# How many words follow an option that says nothing of a packet.
_SILENT = {"--comment": 1}


class IptablesMatches:
    """Reads tests of one family; `sets` are those of ipset, `edges` the ports and types at which tests may turn."""

    # Targets that are no chain and that nobody here can follow.
    targets_of_nobody = frozenset(
        {
            "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "TPROXY", "NFQUEUE", "QUEUE", "SYNPROXY", "CT",
            "NOTRACK", "DNPT", "SNPT", "CLUSTERIP", "SAME", "MIRROR", "TARPIT", "DELUDE", "CHAOS", "ECHO", "PROTO",
        }
    )  # fmt: skip

    def __init__(self, family: int, sets: Mapping[str, IpSet], changing: frozenset[str], edges: set[int]) -> None:
        self.family = family
        self.sets = sets
        self.changing = changing
        self.edges = edges
        self._kept: dict[tuple[str, ...], Test] = {}

    def read(self, words: Sequence[str]) -> tuple[Match, ...]:
        """Return the tests of a rule's words; an option that is not understood is a test that is never known."""
        found: list[Match] = []
        module = ""
        at = 0
        while at < len(words):
            opposite = words[at] == "!"
            start, at = at, at + opposite
            option = words[at] if at < len(words) else ""
            at += 1
            arguments = []
            while at < len(words) and words[at] != "!" and not _is_option(words[at]):
                arguments.append(words[at])
                at += 1
            text = " ".join(words[start:at])
            if option == "-m":
                module = text
                if len(arguments) == 1 and arguments[0] in _OF_HEADERS:
                    found.append(Match(_never, text))
                elif len(arguments) != 1 or arguments[0] not in _BY_OPTIONS:
                    found.append(Match(never_known, text))
                continue
            if option in _SILENT:
                at = start + opposite + 1 + _SILENT[option]
                continue
            called = text if option in _OPTIONS or not module else f"{module} {text}"
            found.append(Match(self._test(option, arguments, opposite=opposite), called))
        return tuple(found)

    def _test(self, option: str, arguments: list[str], *, opposite: bool) -> Test:
        try:
            return self._understood(option, arguments, opposite)
        except (ValueError, KeyError, IndexError):
            return never_known

    def _understood(self, option: str, arguments: list[str], opposite: bool) -> Test:
        read = _OPTIONS.get(option)
        if option == "-f" and not arguments:
            return _turned(_never, opposite)
        if option == "--match-set" and len(arguments) == 2:
            return _turned(self._in_set(*arguments), opposite)
        if option == "--syn" and not arguments:
            return _turned(_flags(["FIN,SYN,RST,ACK", "SYN"]), opposite)
        if option == "--tcp-flags" and len(arguments) == 2:
            return _turned(_flags(arguments), opposite)
        if read is None or len(arguments) != 1:
            raise ValueError("an option")
        if option in _PORTED:
            return self._ports(option, arguments[0], opposite)
        if option in ("--icmp-type", "--icmpv6-type"):
            return _turned(self._message(option, arguments[0]), opposite)
        return _turned(read(arguments[0]), opposite)

    def _ports(self, option: str, text: str, opposite: bool) -> Test:
        intervals = []
        for part in text.split(","):
            low, colon, high = part.partition(":")
            intervals.append((int(low or 0), int(high or 65535) if colon else int(low)))
        self.edges.update(edge for first, last in intervals for edge in (first, last + 1))
        ranges = Ranges(intervals)
        tests = [
            values.within(values.of_protocols(field, PORTS), ranges)
            for field in (values.source_port, values.destination_port)
        ]
        if option in ("--sport", "--sports"):
            tests = tests[:1]
        elif option in ("--dport", "--dports"):
            tests = tests[1:]

        def test(packet: Packet) -> Truth:
            if packet.protocol not in PORTS:
                return False
            found = any_of(one(packet) for one in tests)
            return negated(found) if opposite else found

        return test

    def _message(self, option: str, text: str) -> Test:
        kind, slash, code = text.replace("any", "255").partition("/")
        number = int(kind)
        protocol = ICMPV6 if option == "--icmpv6-type" else ICMP
        if number == 255 and protocol == ICMP and not slash:
            return lambda packet: packet.protocol == protocol
        self.edges.update((number, number + 1))
        of_type = values.within(values.of_protocols(values.message, (protocol,)), Ranges([(number, number)]))
        if not slash:
            return of_type
        # what is asked for by its type may have any code, but a request of an echo has none but 0
        echo = int(code) == 0 and number in ((128, 129) if protocol == ICMPV6 else (8, 0))
        return of_type if echo else lambda packet: False if of_type(packet) is False else None

    def _in_set(self, name: str, which: str) -> Test:
        key = ("set", name, which)
        if key not in self._kept:
            self._kept[key] = remembered(self._membership(name, which.split(",")))
        return self._kept[key]

    def _membership(self, name: str, which: list[str]) -> Test:
        one = self.sets[name]
        if not one.known or name in self.changing or len(which) != len(one.kind.partition(":")[2].split(",")):
            raise ValueError("a set")
        if one.rows or one.kind.endswith(",port"):
            return self._rows(one, which)
        if one.kind == "bitmap:port":
            for low, high in one.ranges.intervals:
                self.edges.update((low, high + 1))
            return values.within(values.of_protocols(_END_PORTS[which[0]], PORTS), one.ranges)
        return values.within(_ENDS[which[0]], one.ranges)

    def _rows(self, one: IpSet, which: list[str]) -> Test:
        for _, (low, high) in one.rows:
            self.edges.update((low & 0xFFFF, (high & 0xFFFF) + 1))
        address, port = _ENDS[which[0]], _END_PORTS[which[1]]

        def test(packet: Packet) -> Truth:
            (point,) = address(packet) or (0,)
            near = [service for (low, high), service in one.rows if low <= point <= high]
            if not near:
                return False
            found = port(packet)
            if packet.protocol not in PORTS or not found:
                return None
            service = (packet.protocol << 16) + found[0]
            return any(low <= service <= high for low, high in near)

        return test


_ENDS: Mapping[str, Field] = {"src": values.source, "dst": values.destination}
_END_PORTS: Mapping[str, Field] = {"src": values.source_port, "dst": values.destination_port}
_PORTED = ("--dport", "--sport", "--dports", "--sports", "--ports")


def _address(field: Field) -> Callable[[str], Test]:
    return lambda text: values.within(field, Ranges([values.addresses(text)]))


def _interface(inward: bool) -> Callable[[str], Test]:
    return lambda text: values.interface_is(text[:-1] + "*" if text.endswith("+") else text, inward)


def _address_type(field: Field) -> Callable[[str], Test]:
    return lambda text: values.within(field, Ranges([(_TYPES[one], _TYPES[one]) for one in text.split(",")]))


def _state(text: str) -> Test:
    names = set(text.split(","))
    bits = [_STATES[name] for name in names - _TRANSLATED]
    # a connection that was translated is not followed any further
    return values.within(values.state, Ranges([(bit, bit) for bit in bits]))


def _flags(arguments: list[str]) -> Test:
    mask, wanted = (sum({_FLAGS[name] for name in one.split(",")}) for one in arguments)

    def test(packet: Packet) -> Truth:
        if packet.protocol != values.PROTOCOLS["tcp"]:
            return False
        found = {(flags & mask) == wanted for flags in packet.flags}
        return found.pop() if len(found) == 1 else None

    return test


def _protocol(text: str) -> int:
    return int(text) if text.isdigit() else values.PROTOCOLS[text]


def _protocols(text: str) -> Test:
    if text in ("all", "0"):
        return lambda _packet: True
    number = _protocol(text)
    return lambda packet: packet.protocol == number


def _direction(text: str) -> Test:
    wanted = {"ORIGINAL": False, "REPLY": True}[text]
    return lambda packet: packet.reply == wanted


def _cast(text: str) -> Test:
    wanted = {"unicast", "broadcast", "multicast"}
    if text not in wanted:
        raise ValueError("a kind of packet")
    return lambda packet: (text == "unicast") if packet.inward and not packet.own else None


def _never(_packet: Packet) -> Truth:
    return False


def _turned(test: Test, opposite: bool) -> Test:
    return (lambda packet: negated(test(packet))) if opposite else test


_OPTIONS: Mapping[str, Callable[[str], Test]] = {
    "-s": _address(values.source),
    "-d": _address(values.destination),
    "--src-range": _address(values.source),
    "--dst-range": _address(values.destination),
    "-i": _interface(True),
    "-o": _interface(False),
    "-p": _protocols,
    "--src-type": _address_type(values.source_type),
    "--dst-type": _address_type(values.destination_type),
    "--ctstate": _state,
    "--state": _state,
    "--ctdir": _direction,
    "--pkt-type": _cast,
    **dict.fromkeys((*_PORTED, "--icmp-type", "--icmpv6-type"), lambda _text: never_known),
}


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not word[1].isdigit()

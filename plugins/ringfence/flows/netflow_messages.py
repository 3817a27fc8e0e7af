"""Messages of NetFlow v5, v9 and IPFIX taken apart: records of the elements that flows are made of.

IPFIX is RFC 7011 and 5102, NetFlow v9 RFC 3954; both send templates that later records are read by, v5 has one form.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

# Elements by their number in IPFIX, which v9 shares; (`REVERSE`, number) is the other direction's (RFC 5103).
REVERSE = 29305
BYTES, PACKETS, PROTOCOL, FLAGS, SOURCE_PORT, SOURCE, INPUT, TARGET_PORT, TARGET = 1, 2, 4, 6, 7, 8, 10, 11, 12
LAST_UPTIME, FIRST_UPTIME, SOURCE_V6, TARGET_V6, ICMP_CODED, TOTAL_BYTES, TOTAL_PACKETS = 21, 22, 27, 28, 32, 85, 86
FORWARDING, ICMP_CODED_V6, FIRST_S, LAST_S, FIRST_MS, LAST_MS, FIRST_US, LAST_US = 89, 139, 150, 151, 152, 153, 154, 155
BOOTED_MS, ICMP_TYPE, ICMP_TYPE_V6, FIREWALL_EVENT = 160, 176, 178, 233
EXPORTED_MS, UPTIME_MS = -1, -2  # of the message's head
ANY_LENGTH = 65535

Record = dict[int | tuple[int, int], bytes | int]
_V5 = struct.Struct("!4s4s4xH2xIIIIHHxBB9x")
assert _V5.size == 48


class Malformed(Exception):
    """A message that is not what its version says."""


@dataclass(frozen=True, slots=True)
class _Template:
    """The elements of a record and their lengths; records of options tell of no flow."""

    elements: tuple[tuple[int | tuple[int, int], int], ...]
    options: bool = False


@dataclass
class Decoder:
    """Reads messages in their order; what came before its template waits for it, `waiting` counts such sets."""

    _templates: dict[tuple[object, ...], _Template] = field(default_factory=dict)
    _pending: dict[tuple[object, ...], list[tuple[bytes, Record]]] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Return the number of sets whose template never came."""
        return sum(map(len, self._pending.values()))

    def records(self, message: bytes, exporter: object = None) -> Iterator[Record]:
        """Yield the records of one message; raise Malformed for one that is not right."""
        try:
            version = message[0] << 8 | message[1]
            if version == 5:
                yield from _version_5(message)
            elif version == 9:
                _, uptime, seconds, _, domain = struct.unpack_from("!HIIII", message, 2)
                head: Record = {EXPORTED_MS: seconds * 1000, UPTIME_MS: uptime}
                yield from self._sets(message[20:], (exporter, 9, domain), head, ipfix=False)
            elif version == 10:
                seconds, _, domain = struct.unpack_from("!III", message, 4)
                yield from self._sets(message[16:], (exporter, 10, domain), {EXPORTED_MS: seconds * 1000}, ipfix=True)
            else:
                raise Malformed(f"version {version} is none of NetFlow v5, v9 and IPFIX")
        except (struct.error, IndexError) as error:
            raise Malformed("a message ends too early") from error

    def _sets(self, body: bytes, scope: tuple[object, ...], head: Record, *, ipfix: bool) -> Iterator[Record]:
        at = 0
        while at + 4 <= len(body):
            number, length = struct.unpack_from("!HH", body, at)
            if length < 4 or at + length > len(body):
                raise Malformed(f"a set of {length} bytes does not fit into its message")
            content = body[at + 4 : at + length]
            at += length
            if number in (0, 1, 2, 3):
                options = number in (1, 3)
                for template, found in _templates(content, options=options, ipfix=ipfix):
                    key = (*scope, template)
                    self._templates[key] = found
                    for waiting, its_head in self._pending.pop(key, ()):
                        yield from _rows(found, waiting, its_head)
            elif number >= 256:
                key = (*scope, number)
                if key in self._templates:
                    yield from _rows(self._templates[key], content, head)
                else:
                    self._pending.setdefault(key, []).append((content, head))


def message_length(data: bytes, at: int, before: int = 0) -> int:
    """Return the length of the message that begins at a place of a part of a file, of which `before` bytes came."""
    try:
        version, count = struct.unpack_from("!HH", data, at)
        if version == 5:
            return 24 + 48 * int(count)
        if version == 10:
            return int(count)
        if version == 9:
            return _length_9(data, at)
    except struct.error as error:
        raise Malformed("the file ends in the middle of a message") from error
    raise Malformed(f"no message of NetFlow v5, v9 or IPFIX begins at byte {before + at}")


def _length_9(data: bytes, at: int) -> int:
    """Return the length of a message of v9, which does not say it: up to what no longer is a set."""
    end = at + 20
    while end + 4 <= len(data):
        number, length = struct.unpack_from("!HH", data, end)
        if length < 4 or (1 < number < 256) or end + length > len(data):
            break
        end += length
    return end - at


def _version_5(message: bytes) -> Iterator[Record]:
    count, uptime, seconds, nanoseconds = struct.unpack_from("!HIII", message, 2)
    exported = seconds * 1000 + nanoseconds // 1_000_000
    if len(message) < 24 + 48 * count:
        raise Malformed("a message ends too early")
    for number in range(count):
        source, target, port_in, packets, size, first, last, sport, dport, flags, protocol = _V5.unpack_from(
            message, 24 + 48 * number
        )
        yield {
            EXPORTED_MS: exported,
            UPTIME_MS: uptime,
            SOURCE: source,
            TARGET: target,
            INPUT: port_in,
            PACKETS: packets,
            BYTES: size,
            FIRST_UPTIME: first,
            LAST_UPTIME: last,
            SOURCE_PORT: sport,
            TARGET_PORT: dport,
            FLAGS: flags,
            PROTOCOL: protocol,
        }


def _templates(content: bytes, *, options: bool, ipfix: bool) -> Iterator[tuple[int, _Template]]:
    at = 0
    while at + 4 <= len(content):
        number, count = struct.unpack_from("!HH", content, at)
        at += 4
        if number < 256:
            return  # padding
        if options:
            (more,) = struct.unpack_from("!H", content, at)
            at += 2
            if not ipfix:
                count = (count + more) // 4
        elements: list[tuple[int | tuple[int, int], int]] = []
        for _ in range(count):
            element, length = struct.unpack_from("!HH", content, at)
            at += 4
            name: int | tuple[int, int] = element
            if ipfix and element & 0x8000:
                (enterprise,) = struct.unpack_from("!I", content, at)
                at += 4
                name = (enterprise, element & 0x7FFF)
            elements.append((name, length))
        yield number, _Template(tuple(elements), options)


def _rows(template: _Template, content: bytes, head: Record) -> Iterator[Record]:
    least = sum(1 if length == ANY_LENGTH else length for _, length in template.elements)
    at = 0
    while not template.options and least and at + least <= len(content):
        row: Record = dict(head)
        for name, fixed in template.elements:
            length = fixed
            if fixed == ANY_LENGTH:
                length = content[at]
                at += 1
                if length == 255:
                    (length,) = struct.unpack_from("!H", content, at)
                    at += 2
            value = content[at : at + length]
            if len(value) < length:
                raise Malformed("a record ends too early")
            at += length
            row[name] = value if name in (SOURCE, TARGET, SOURCE_V6, TARGET_V6) else int.from_bytes(value, "big")
        yield row

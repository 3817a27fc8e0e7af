"""Messages of flow exporters in files: one after another (as RFC 5655 keeps IPFIX), or captured as pcap."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from ringfence.flows.netflow_messages import Malformed, message_length
from ringfence.flows.unpacked import Unpacked, unpacked
from ringfence.model.errors import InputError, Place

_PCAP = {
    b"\xa1\xb2\xc3\xd4": ">",
    b"\xd4\xc3\xb2\xa1": "<",
    b"\xa1\xb2\x3c\x4d": ">",
    b"\x4d\x3c\xb2\xa1": "<",
}
_NFCAPD = "send it with nfreplay and capture that as pcap, or give CSV with client, server, port, protocol"
_OTHERS = {
    b"\x0a\x0d\x0d\x0a": ("pcapng", "convert it with 'editcap -F pcap'"),
    b"\x0c\xa5": ("a file of nfcapd", _NFCAPD),
    b"\xa5\x0c": ("a file of nfcapd", _NFCAPD),
}
# Bytes before the network's header, by link type (https://www.tcpdump.org/linktypes.html).
_LINKS = {0: 4, 1: 14, 101: 0, 113: 16, 228: 0, 229: 0, 276: 20}
_VLANS = (0x8100, 0x88A8)
_UDP = 17
_MOST = 1 << 20  # bytes of a message or a packet: UDP takes 64 KiB, and no capture more than 256


def messages(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the exporter's address (nothing where the file does not say it) and each message.

    Raise InputError for a file of another kind, Malformed where it breaks off.
    """
    with unpacked(path, lines=False) as (file, raw):
        start = file.peek(4)[:4]
        for magic, (what, remedy) in _OTHERS.items():
            if start.startswith(magic):
                raise InputError(f"the file is {what}, which is not read", Place(str(path)), remedy)
        order = _PCAP.get(start)
        try:
            yield from _captured(file, order) if order else _adjoined(file)
        except Malformed:
            if not raw.broken:
                raise
        if raw.broken:
            raise Malformed(raw.broken)


def _adjoined(file: BufferedReader[Unpacked]) -> Iterator[tuple[bytes, bytes]]:
    data, before = b"", 0
    while True:
        more = file.read(_MOST)
        at, data = 0, data + more
        # a message is taken when all of it is certain to be there: v9 does not say how long it is
        while at < len(data) and (not more or len(data) - at >= _MOST):
            length = message_length(data, at, before)
            if length < 16 or at + length > len(data):
                raise Malformed("the file ends in the middle of a message")
            yield b"", data[at : at + length]
            at += length
        data, before = data[at:], before + at
        if not more:
            return


def _captured(file: BufferedReader[Unpacked], order: str) -> Iterator[tuple[bytes, bytes]]:
    head = file.read(24)
    if len(head) < 24:
        raise Malformed("the file ends in the middle of its head")
    link = struct.unpack_from(f"{order}I", head, 20)[0] & 0xFFFF
    if link not in _LINKS:
        raise Malformed(f"packets of link type {link} are not read")
    while front := file.read(16):
        if len(front) < 16:
            raise Malformed("the file ends in the middle of a packet")
        (length,) = struct.unpack_from(f"{order}I", front, 8)
        if length > _MOST:
            raise Malformed(f"a packet of {length} bytes cannot be")
        packet = file.read(length)
        if len(packet) < length:
            raise Malformed("the file ends in the middle of a packet")
        found = _payload(packet, link)
        if found and found[1][:2] in (b"\0\5", b"\0\x09", b"\0\x0a"):
            yield found


def _payload(packet: bytes, link: int) -> tuple[bytes, bytes] | None:
    """Return the sender and the payload of a packet of UDP; of others, and of fragments, None."""
    at = _LINKS[link]
    if link == 1:
        at = 12
        while int.from_bytes(packet[at : at + 2], "big") in _VLANS:
            at += 4
        at += 2
    head = packet[at:]
    if len(head) < 28:
        return None
    if head[0] >> 4 == 4:
        size = (head[0] & 15) * 4
        fragment = int.from_bytes(head[6:8], "big") & 0x3FFF
        whole = int.from_bytes(head[2:4], "big")
        return (head[12:16], head[size + 8 : whole]) if head[9] == _UDP and not fragment else None
    if head[0] >> 4 == 6 and head[6] == _UDP:
        return head[8:24], head[48 : 40 + int.from_bytes(head[4:6], "big")]
    return None

"""NetFlow v5, v9 and IPFIX: files of export messages one after another, and captures of them as pcap.

A record is what an exporter counted of one direction in one of its spans; the records of a connection become one.
"""

# ruff: noqa: S608 - the SQL is put together from names of tables of ours
from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import duckdb

from ringfence.flows import netflow_messages as nf
from ringfence.flows.datagrams import messages
from ringfence.flows.netflow_messages import Decoder, Malformed, Record
from ringfence.flows.reading import Reading
from ringfence.flows.relation import insert_rows, new_table
from ringfence.flows.sightings import RAW_COLUMNS, add_sightings, new_sightings
from ringfence.flows.text_lines import alone, files_below
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, Place
from ringfence.model.services import ICMP, ICMPV6, TCP

SOURCE = "netflow"
SYN, RST, ACK = 2, 4, 16
DROPPED, DENIED = 2, 3  # forwardingStatus (its upper two bits), firewallEvent
REPLIES = {(ICMP, 0): 8, (ICMP, 14): 13, (ICMPV6, 129): 128}  # types that answer, and the one that asked
# Echo and timestamp, and what neighbours and routers are asked with, say who began.
ASKING = {(ICMP, 8), (ICMP, 13), *((ICMPV6, kind) for kind in (128, 130, 133, 135))}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = {
    **dict.fromkeys(("n", "said"), "BIGINT"),
    **dict.fromkeys(("first", "last"), "TIMESTAMP"),
    **dict.fromkeys(("colon", "empty", "refused", "alone", "reset"), "BOOLEAN"),
}
_COLUMNS = {name: _TYPES.get(name, "VARCHAR") for name in RAW_COLUMNS}


def sightings(connection: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> str:
    """Return the table of sightings of a file; raise InputError for a single file of another kind."""
    found = new_sightings(connection)
    several = path.is_dir()
    for file in files_below(path, reading):
        place = Place(str(file))
        table = new_table(connection, _COLUMNS)
        with alone(file, several, reading):
            insert_rows(connection, table, _rows(file, reading), _COLUMNS)
        add_sightings(connection, found, f"SELECT * FROM {table}", reading, _everywhere(place))
    return found


def _everywhere(place: Place) -> Callable[[int], Place]:
    return lambda _: place


def _rows(path: Path, reading: Reading) -> Iterator[tuple[object, ...]]:
    """Yield rows of `RAW_COLUMNS`; what cannot be taken apart goes to the reading."""
    decoder = Decoder()
    number = 0
    try:
        for exporter, message in messages(path):
            try:
                for record in decoder.records(message, exporter):
                    for row in _directions(record):
                        number += 1
                        yield (number, *row)
            except Malformed as error:
                reading.reject(InputError(str(error)), Place(str(path)))
    except Malformed as error:
        reading.reject(InputError(str(error), remedy="fetch the file again"), Place(str(path)))
    if decoder.waiting:
        remedy = "capture until the exporter has sent its templates again"
        reason = f"{counted(decoder.waiting, 'set')} of records came without a template"
        reading.reject(InputError(reason, remedy=remedy), Place(str(path)), decoder.waiting)


def _directions(record: Record) -> Iterator[tuple[object, ...]]:
    source, target = (_address(record, *names) for names in _ENDS)
    if source is None and target is None:
        return  # a record of something else, as of NAT or of an interface
    protocol = _number(record, nf.PROTOCOL)
    sport, dport = _number(record, nf.SOURCE_PORT), _number(record, nf.TARGET_PORT)
    said: int | None = None
    if protocol in (ICMP, ICMPV6):
        sport, dport, said = _icmp(record, protocol, dport)
    flags, packets = _number(record, nf.FLAGS), _first(record, nf.PACKETS, nf.TOTAL_PACKETS)
    alone = reset = False
    if protocol == TCP and flags is not None:
        alone = flags & (SYN | ACK) == SYN
        reset = flags & (SYN | RST) == RST
        said = 1 if alone else said
    dropped = (_number(record, nf.FORWARDING) or 0) >> 6 == DROPPED
    refused = dropped or _number(record, nf.FIREWALL_EVENT) == DENIED
    back = _number(record, (nf.REVERSE, nf.PACKETS)) or 0
    times = _times(record)
    observer = f"interface {record.get(nf.INPUT, '')}"
    size = _first(record, nf.BYTES, nf.TOTAL_BYTES)
    colon = ":" in f"{source}{target}"
    if back:  # RFC 5103: the source of a biflow began it
        said, alone = 1, False
    yield (
        *(colon, None, False, source, target, sport, dport, protocol, *times, None, packets, size),
        *(observer, refused, said, alone, reset, None),
    )
    if back:
        size = _number(record, (nf.REVERSE, nf.BYTES))
        yield (
            *(colon, None, False, target, source, dport, sport, protocol, *times, None, back, size),
            *(observer, refused, -1, False, False, None),
        )


_WRAP = 1 << 32  # milliseconds
_ENDS = ((nf.SOURCE, nf.SOURCE_V6), (nf.TARGET, nf.TARGET_V6))


def _icmp(record: Record, protocol: int, dport: int | None) -> tuple[int | None, int | None, int | None]:
    """Return the ports that stand for an ICMP message, by its type, and who asked where the type says it."""
    kind = _first(record, nf.ICMP_TYPE, nf.ICMP_TYPE_V6)
    coded = _first(record, nf.ICMP_CODED, nf.ICMP_CODED_V6)
    if kind is None:
        coded = dport if coded is None else coded
        kind = None if coded is None else coded >> 8
    asked = REPLIES.get((protocol, -1 if kind is None else kind))
    if asked is not None:
        return asked, None, -1
    return None, kind, 1 if (protocol, kind) in ASKING else None


def _times(record: Record) -> tuple[str | None, str | None]:
    exported = _number(record, nf.EXPORTED_MS) or 0
    uptime, booted = _number(record, nf.UPTIME_MS), _number(record, nf.BOOTED_MS)
    if booted is None and uptime is not None:
        booted = exported - uptime
    found = []
    for relative, seconds, milliseconds in (
        (nf.FIRST_UPTIME, nf.FIRST_S, nf.FIRST_MS),
        (nf.LAST_UPTIME, nf.LAST_S, nf.LAST_MS),
    ):
        since_boot = _number(record, relative)
        if (at := _number(record, milliseconds)) is None:
            whole = _number(record, seconds)
            at = None if whole is None else whole * 1000
        if at is None and since_boot is not None and booted is not None:
            # A counter of 32 bits begins anew after 49.7 days: of the times that it may mean, the one near the export.
            at = exported + (booted + since_boot - exported + _WRAP // 2) % _WRAP - _WRAP // 2
        found.append(at)
    first, last = found
    first = (exported if last is None else last) if first is None else first
    return _stamp(first), _stamp(first if last is None else last)


def _stamp(milliseconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).replace(tzinfo=None).isoformat(" ")
    except OverflowError:
        return None


def _address(record: Record, *names: int) -> str | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, bytes) and len(value) in (4, 16):
            return str(ip_address(value))
    return None


def _number(record: Record, name: int | tuple[int, int]) -> int | None:
    value = record.get(name)
    return value if isinstance(value, int) else None


def _first(record: Record, *names: int) -> int | None:
    return next((value for name in names if (value := _number(record, name)) is not None), None)

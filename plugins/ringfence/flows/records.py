"""A flow as a record: the field names of the word list, one parser from text and JSON, one printer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ringfence.flows.possible import FAMILY_OF_ICMP, WITH_PORTS, latest_time, refuse_impossible
from ringfence.model.addresses import address_text, point_of
from ringfence.model.errors import InputError
from ringfence.model.flows import ANSWERED, OUTCOMES, Flow
from ringfence.model.services import ICMP, ICMP_TYPES, ICMPV6, ICMPV6_TYPES, PORT_PROTOCOLS

REQUIRED = ("client", "server", "port", "protocol")
TIMES = ("first_seen", "last_seen")
COUNTS = ("connections", "packets", "bytes")
PROCESSES = ("client_unit", "client_user", "client_process", "server_unit", "server_user", "server_process")
FIELDS = (*REQUIRED, *TIMES, *COUNTS, *PROCESSES, "source", "outcome", "direction_by", "attributes")

# IANA, "Assigned Internet Protocol Numbers"; the names are those of /etc/protocols, and what people write for them.
PROTOCOLS: Mapping[str, int] = {
    **PORT_PROTOCOLS,
    "icmp": ICMP,
    "igmp": 2,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": ICMPV6,
    "ipv6-icmp": ICMPV6,
    "ospf": 89,
    "vrrp": 112,
    "dccp": 33,
    "udplite": 136,
}
PROTOCOL_NAMES: Mapping[int, str] = {number: name for name, number in PROTOCOLS.items() if name != "ipv6-icmp"}
LONGEST_TEXT = 256
CACHED = 1 << 16  # addresses and times come again and again in one file
MOST = (1 << 63) - 1  # counts are kept as signed 64-bit numbers
ABSENT = ("", "-")  # `-` is what Zeek and AWS write where there is nothing
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Parts of a second since 1970 by the digits of their number, which are told apart from 1973 until 2286.
UNITS: Mapping[int, int] = {9: 1, 10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
DAY_DIGITS = 8


def flow_of(record: Mapping[str, object], *, observed: datetime, source: str, latest: datetime | None = None) -> Flow:
    """Return the flow of a record; where it names no time or source, `observed` and `source` stand in.

    Values may be text (CSV) or numbers (JSON); absent, null, empty and `-` are the same. Raise InputError naming the
    field, and for a flow that cannot be; `latest` is the last time that it can have been seen at.
    """
    protocol = protocol_of(_text(record, "protocol") or _missing("protocol"))
    first_text, last_text = _text(record, "first_seen"), _text(record, "last_seen")
    last = time_of(last_text, "last_seen") if last_text else None
    first = time_of(first_text, "first_seen") if first_text else last or observed
    flow = Flow(
        client=flow_point(_text(record, "client") or _missing("client")),
        server=flow_point(_text(record, "server") or _missing("server")),
        port=port_of(_text(record, "port"), protocol),
        protocol=protocol,
        first_seen=first,
        last_seen=last or first,
        connections=_count(record, "connections", 1),
        packets=_count(record, "packets", 0),
        bytes=_count(record, "bytes", 0),
        client_unit=_text(record, "client_unit"),
        client_user=_text(record, "client_user"),
        client_process=_text(record, "client_process"),
        server_unit=_text(record, "server_unit"),
        server_user=_text(record, "server_user"),
        server_process=_text(record, "server_process"),
        source=_text(record, "source") or source,
        outcome=_outcome(record),
        direction_by=_text(record, "direction_by") or "",
        attributes=_attributes(record),
    )
    refuse_impossible(flow, latest or latest_time())
    return flow


def record_of(flow: Flow) -> dict[str, object]:
    """Return a flow as plain data under the names of `FIELDS`; `flow_of` gives it back."""
    return {
        "client": address_text(flow.client),
        "server": address_text(flow.server),
        "port": flow.port,
        "protocol": PROTOCOL_NAMES.get(flow.protocol, str(flow.protocol)),
        "first_seen": time_text(flow.first_seen),
        "last_seen": time_text(flow.last_seen),
        "connections": flow.connections,
        "packets": flow.packets,
        "bytes": flow.bytes,
        "client_unit": flow.client_unit,
        "client_user": flow.client_user,
        "client_process": flow.client_process,
        "server_unit": flow.server_unit,
        "server_user": flow.server_user,
        "server_process": flow.server_process,
        "source": flow.source,
        "outcome": flow.outcome,
        "direction_by": flow.direction_by or None,
        "attributes": json.loads(flow.attributes) if flow.attributes else None,
    }


@lru_cache(maxsize=CACHED)
def flow_point(text: str) -> int:
    """Return the point of an address as flows carry it: an IPv4 address mapped into IPv6 becomes the IPv4 address."""
    return point_of(text)


@lru_cache(maxsize=CACHED)
def protocol_of(text: str) -> int:
    """Return a protocol number from its name or number in text form."""
    name = text.lower()
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    number = _number(name, 255)
    if number is not None:
        return number
    raise InputError(
        f"protocol '{text}' is not a valid IP protocol", remedy="write tcp, udp, icmp, … or a number from 0 to 255"
    )


def port_of(text: str | None, protocol: int) -> int | None:
    """Return the server's port, or an ICMP type by number or name.

    Where none is given it is None for ICMP, whose type is unknown then, and 0 for a protocol that has no ports.
    """
    if text is None:
        if protocol in WITH_PORTS:
            raise InputError("port is missing")
        return None if protocol in FAMILY_OF_ICMP else 0
    types = {ICMP: ICMP_TYPES, ICMPV6: ICMPV6_TYPES}.get(protocol, {})
    if text in types:
        return types[text]
    if protocol in FAMILY_OF_ICMP:
        number = _number(text, 255)
        if number is None:
            raise InputError(
                f"port '{text}' is not an ICMP type, a number from 0 to 255",
                remedy="NetFlow writes type * 256 + code: give the type alone",
            )
        return number
    number = _number(text, 65535)
    if number is None:
        raise InputError(f"port '{text}' is not a number from 0 to 65535")
    return number


@lru_cache(maxsize=CACHED)
def time_of(text: str, name: str) -> datetime:
    """Return a time in UTC from ISO 8601 (UTC where no zone is given), or from a number since 1970.

    A number of 9 or 10 digits counts seconds, of 13 milliseconds, of 16 microseconds, of 19 nanoseconds; one of 8 is a
    date such as 20261124. Raise InputError for any other text.
    """
    try:
        whole, dot, fraction = text.partition(".")
        if whole.isascii() and whole.isdigit() and (not dot or (fraction.isascii() and fraction.isdigit())):
            if len(whole) == DAY_DIGITS and not dot:
                return datetime.strptime(whole, "%Y%m%d").replace(tzinfo=UTC)
            if len(whole) not in UNITS:
                raise ValueError(f"{len(whole)} digits")
            seconds, parts = divmod(int(whole), UNITS[len(whole)])
            microseconds = parts * 10**6 // UNITS[len(whole)]
            if len(whole) <= 10 and fraction:
                microseconds = int(fraction[:6].ljust(6, "0"))
            return EPOCH + timedelta(seconds=seconds, microseconds=microseconds)
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(
            f"{name} '{text}' is not a valid time", remedy="write 2026-11-24T07:00:00Z or seconds since 1970"
        ) from error


def time_text(time: datetime) -> str:
    """Return a UTC time as `2026-11-24T07:00:00Z`, with microseconds where there are any."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def clean_text(text: str) -> str:
    r"""Return text that is safe on a terminal: what is not printable becomes `\x1b`, and 256 characters are kept.

    Process names, units and users come from hosts that may be hostile.
    """
    if text.isprintable():
        return text[:LONGEST_TEXT]
    cleaned = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )
    return cleaned[:LONGEST_TEXT]


def _text(record: Mapping[str, object], name: str) -> str | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{name} is neither text nor a number")
    text = clean_text(str(value).strip(" "))
    return None if text in ABSENT else text


def _outcome(record: Mapping[str, object]) -> str:
    text = (_text(record, "outcome") or ANSWERED).lower()
    if text not in OUTCOMES:
        raise InputError(f"outcome '{text}' is not valid", remedy=f"write {', '.join(OUTCOMES)}")
    return text


def _attributes(record: Mapping[str, object]) -> str:
    """Return what a source says besides as the text of an object whose names and values are text."""
    value = record.get("attributes")
    if isinstance(value, str) and value.strip() not in ABSENT:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise InputError("attributes is not valid JSON", remedy='write {"name": "value"}') from error
    if not value or value in ABSENT:
        return ""
    if not isinstance(value, dict):
        raise InputError("attributes is not an object", remedy='write {"name": "value"}')
    said = {clean_text(str(name)): text for name in sorted(value) if (text := _text(value, name)) is not None}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) if said else ""


def _count(record: Mapping[str, object], name: str, otherwise: int) -> int:
    text = _text(record, name)
    if text is None:
        return otherwise
    number = _number(text, MOST)
    if number is None:
        raise InputError(f"{name} '{text}' is not a valid count")
    return number


def _number(text: str, most: int) -> int | None:
    """Return a number of decimal digits up to `most`, None for any other text."""
    # 19 digits hold MOST; Python refuses to read numbers of thousands of digits.
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > most:
        return None
    return int(text)


def _missing(name: str) -> str:
    raise InputError(f"{name} is missing")

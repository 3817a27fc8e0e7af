"""A row of AWS's flow logs as what all sensors say of packets: where its values stand, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.flows.readers.vpc_fields import ATTRIBUTES, LOST
from ringfence.flows.reading import Reading

# Bits of `tcp-flags`; AWS sets ACK only beside SYN.
SYN, RST, ACK = 2, 4, 16
# A SYN that nobody answers is sent again up to six times (Linux, tcp_syn_retries), each as large as the first.
MOST_SYNS = 7
SYN_BYTES = (40, 80)
# The fields that are numbers, by the type that each is cast to.
NUMBERS = {
    **dict.fromkeys(("srcport", "dstport", "tcp-flags"), "INTEGER"),
    **dict.fromkeys(("start", "end", "packets", "bytes", *LOST), "BIGINT"),
    "protocol": "UTINYINT",
}
_MOST_SECONDS = 10**11 - 1


def row_columns(values: Mapping[str, str], malformed: str, reading: Reading, *, numbers: bool = False) -> str:
    """Return the columns `RAW_COLUMNS` of the values of fields, as SQL.

    Values are text; with `numbers`, those of `NUMBERS` are of its types.
    """

    def value(*names: str) -> str:
        found = [values[name] for name in names if name in values]
        return f"coalesce({', '.join(found)})" if len(found) > 1 else (found or ["NULL::VARCHAR"])[0]

    source, destination = value("pkt-srcaddr", "srcaddr"), value("pkt-dstaddr", "dstaddr")
    flags, action = f"try_cast({value('tcp-flags')} AS INTEGER)", value("action")
    packets, size = value("packets"), value("bytes")
    first, last = (_time(value(name), name in values, reading, numbers=numbers) for name in ("start", "end"))
    if "start" not in values or "end" not in values:
        first, last = (last, last) if "end" in values else (first, first)
    lost = " + ".join(f"coalesce(try_cast({value(name)} AS BIGINT), 0)" for name in LOST if name in values) or "0"
    # AWS says of no answer only by leaving it out, and sets no ACK: a client that got on is told by what it sent.
    count, total = f"nullif(try_cast({packets} AS BIGINT), 0)", f"try_cast({size} AS BIGINT)"
    syns = (
        f"{flags} = {SYN} AND {count} BETWEEN 1 AND {MOST_SYNS} AND {total} % {count} = 0"
        f" AND {total} // {count} BETWEEN {SYN_BYTES[0]} AND {SYN_BYTES[1]}"
    )
    attributes = ", ".join(f"'{name}', {values[name]}" for name in ATTRIBUTES if name in values)
    packed = f"json_merge_patch('{{}}'::JSON, json_object({attributes}))::VARCHAR" if attributes else "NULL"
    # A format without the status has dashes alone where no traffic was.
    status = f"coalesce(upper({value('log-status')}) IN ('NODATA', 'SKIPDATA'), false)"
    status = status if "log-status" in values else "true"
    columns = {
        "n": "n",
        "colon": "colon",
        "malformed": f"coalesce({malformed}, CASE WHEN upper({action}) NOT IN ('ACCEPT', 'REJECT')"
        f" THEN format('action ''{{}}'' is neither ACCEPT nor REJECT', {action}) END)",
        "empty": f"{source} IS NULL AND {destination} IS NULL AND {status}",
        "src": source,
        "dst": destination,
        "sport": f"CASE WHEN {value('protocol')} NOT IN ('1', '58') THEN {value('srcport')} END",
        "dport": f"CASE WHEN {value('protocol')} NOT IN ('1', '58') THEN {value('dstport')} END",
        "protocol": value("protocol"),
        "first": first,
        "last": last,
        "times": "NULL" if numbers else f"concat_ws(' to ', {value('start')}, {value('end')})",
        "packets": packets,
        "bytes": size,
        "observer": value("interface-id", "tgw-attachment-id", "resource-id"),
        "refused": f"upper({action}) = 'REJECT'",
        "said": f"CASE {flags} & {SYN | ACK} WHEN {SYN} THEN 1 WHEN {SYN | ACK} THEN -1 END",
        "alone": f"{syns} OR ({packets} = '0' AND {lost} > 0)",
        "reset": f"{flags} & {SYN | RST | ACK} = {RST}",
        "attributes": f"nullif({packed}, '{{}}')",
    }
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _time(value: str, known: bool, reading: Reading, *, numbers: bool) -> str:
    """Return the SQL of a time in seconds since 1970; a format without times takes that of the file."""
    if not known:
        assert reading.observed is not None
        return f"TIMESTAMP '{reading.observed:%Y-%m-%d %H:%M:%S}'"
    if numbers:
        return f"CASE WHEN {value} BETWEEN 0 AND {_MOST_SECONDS} THEN make_timestamp({value} * 1000000) END"
    return f"CASE WHEN regexp_full_match({value}, '[0-9]{{1,11}}') THEN make_timestamp({value}::BIGINT * 1000000) END"

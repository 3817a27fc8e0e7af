"""Flows that hosts report: results of the module `ringfence.core.linux_flows_info`, and what Windows tells.

A host's answer is what a stranger may have written: it speaks for that host alone, whatever names and addresses stand
in it, and what is wrong in it costs that host.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from ringfence.flows.gathering import at
from ringfence.flows.listeners import told_listeners
from ringfence.flows.possible import refuse_time
from ringfence.flows.readers.json import json_lines
from ringfence.flows.reading import Reading
from ringfence.flows.records import clean_text, flow_of, time_of
from ringfence.flows.text_lines import open_text
from ringfence.flows.windows_report import is_windows, windows_report
from ringfence.model.addresses import addresses_of
from ringfence.model.counts import counted
from ringfence.model.errors import InputError, Place
from ringfence.model.flows import Flow

SOURCE = "hosts"
SUFFIX, PACKED = ".json", ".gz"
# The module reports 20,000 flows unless told otherwise, about 300 bytes each.
MOST_ROWS = 100_000
MOST_LETTERS = 64 << 20
# nf_conntrack_max is at most a few millions; what counts more in one look is made up.
MOST_CONNECTIONS = 1 << 32
# The time at which this machine had a result, in what it wrote itself.
ARRIVED = "arrived"
# A report is on its way for two minutes at most (ringfence_answer_within).
AHEAD, BEHIND = timedelta(minutes=1), timedelta(minutes=5)
ROWS_TOLD = 3  # wrong rows of one host that are told one by one
_LOOPBACK = addresses_of(["127.0.0.0/8", "::1"])

_Results = Iterator[tuple[Place, str, Mapping[str, object]]]


def read_hosts(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield what hosts reported: a directory of `HOST.json`, a file of one result, of `{host: result}`, or of lines.

    A result belongs to the host that its file is named after; in a file that is named after no host of the inventory,
    `{host: result}` says whose it is. The asset that reported is kept as the flow's source, `hosts:NAME`; the process
    is the client's where the host was the client, else the server's.
    """
    if not path.is_dir():
        alone = reading.hosts is not None and _stem(path) in reading.hosts
        yield from _file(path, reading, _stem(path) if alone else None)
        return
    for entry in sorted(path.iterdir()):
        place = Place(str(entry))
        if entry.name.startswith("."):
            continue
        if not entry.name.removesuffix(PACKED).endswith(SUFFIX) or entry.is_dir():
            reading.warn("not read: it is not a HOST.json", place)
            continue
        try:
            if not stat.S_ISREG(entry.stat().st_mode):
                raise InputError("it is not a regular file")
            with at(entry, reading):
                yield from _file(entry, reading, _stem(entry))
        except InputError as error:
            reading.reject(error, error.place or place)
        except OSError as error:
            reading.reject(InputError(f"cannot be read: {error.strerror or error}"), place)


def read_collected(path: Path, reading: Reading) -> Iterator[Flow]:
    """Yield the flows of a file of lines `{host: result}`; the controller wrote their host names and arrival times."""
    yield from _file(path, reading, None, arrived=True)


def _stem(path: Path) -> str:
    return Path(path.name.removesuffix(PACKED)).stem


def _file(path: Path, reading: Reading, alone: str | None, *, arrived: bool = False) -> Iterator[Flow]:
    """Yield a file's flows; `alone` is the host that it is named after and that it speaks for alone.

    With `arrived`, each result carries the time of this machine at which it came.
    """
    for place, host, result in _results(path, reading, alone):
        yield from _flows(result, host, place, reading, arrived=arrived)


def _results(path: Path, reading: Reading, alone: str | None) -> _Results:
    with open_text(path, reading) as file:
        first = file.readline(MOST_LETTERS) if alone else file.readline()
        try:
            one = isinstance(json.loads(first), dict)
        except (ValueError, RecursionError):
            one = False
        if one:
            for place, value in json_lines(chain([first], file), path, reading):
                yield from _named(value, place, reading, alone, _stem(path))
            return
        place = Place(str(path))
        text = first + (file.read(MOST_LETTERS) if alone else file.read())
    if alone and len(text) >= MOST_LETTERS:
        raise InputError(f"more than {MOST_LETTERS >> 20} MiB, which is more than one host reports", place)
    if not text.strip():
        raise InputError("the file is empty", place)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"neither JSON nor lines of JSON: {error}", place) from error
    yield from _named(value, place, reading, alone, _stem(path))


def _named(value: object, place: Place, reading: Reading, alone: str | None, stem: str) -> _Results:
    if is_windows(value):
        yield place, clean_text(alone or stem), windows_report(value)
    elif not isinstance(value, dict):
        reading.reject(InputError("no result of linux_flows_info: not a JSON object"), place)
    elif isinstance(value.get("flows"), list):
        yield place, clean_text(_speaker(alone or stem, value)), value
    else:
        for host, result in value.items():
            shown = clean_text(str(host))
            if alone is not None and host != alone:
                reading.reject(InputError(f"'{shown}' stands in the file of {clean_text(alone)}"), place)
            elif isinstance(result, dict) and isinstance(result.get("flows"), list):
                yield place, shown, result
            else:
                reading.reject(InputError(f"'{shown}' holds no result of linux_flows_info"), place)


def _speaker(named: str, result: Mapping[str, object]) -> str:
    """Return the host that a file is named after, also where that is the sha256 of a name that no file can have."""
    told = result.get("inventory_hostname")
    if isinstance(told, str) and hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest() == named:
        return told
    return named


def _flows(result: Mapping[str, object], host: str, place: Place, reading: Reading, *, arrived: bool) -> Iterator[Flow]:
    rows = result["flows"]
    assert isinstance(rows, list)
    own = reading.hosts.get(host) if reading.hosts is not None else None
    if reading.hosts is not None and own is None:
        remedy = "name the file after a host of the inventory, or write {host: result}"
        error = InputError(f"no host of the inventory is called '{host}'", remedy=remedy)
        reading.reject(error, place, max(len(rows), 1))
        return
    try:
        observed = _observed(result, host, place, reading, arrived=arrived)
    except InputError as error:
        reading.reject(InputError(f"{host}: {error.message}", remedy=error.remedy), place, max(len(rows), 1))
        return
    if own is not None:
        reading.heard[host] = told_listeners(result.get("listeners"), own)
    yield from _own_flows(rows, host, own, observed, place, reading)


def _observed(result: Mapping[str, object], host: str, place: Place, reading: Reading, *, arrived: bool) -> datetime:
    """Return when a host was looked at: by its clock, or by this machine's where the host's is wrong, which is said.

    Raise InputError for a time that no clock says.
    """
    came = reading.observed or datetime.now(UTC)
    if arrived:
        came = time_of(str(result.get(ARRIVED)), ARRIVED)
    if not result.get("observed"):
        return came
    observed = time_of(clean_text(str(result["observed"])), "observed")
    refuse_time(observed, "observed", reading.latest)
    ahead = observed - came
    # A file may be older than it looks; what came just now is not.
    if ahead > AHEAD or (arrived and -ahead > BEHIND):
        minutes = counted(round(abs(ahead).total_seconds() / 60), "minute")
        way = "ahead of" if ahead > AHEAD else "behind"
        told = f"{host}: its clock is {minutes} {way} this machine's, whose time is taken"
        reading.warn(told, place, "have it set by NTP: processes are joined and days told by time")
        return came
    return observed


def _own_flows(
    rows: Sequence[object],
    host: str,
    own: frozenset[int] | None,
    observed: datetime,
    place: Place,
    reading: Reading,
) -> Iterator[Flow]:
    """Yield what a host can have seen: flows of its own addresses, where they are known."""
    foreign, told, untold = 0, 0, max(len(rows) - MOST_ROWS, 0)
    for number, row in enumerate(rows[:MOST_ROWS], 1):
        try:
            if not isinstance(row, dict):
                raise InputError("not a JSON object")
            flow = flow_of(_record(row), observed=observed, source=f"{SOURCE}:{host}", latest=reading.latest)
            if flow.connections > MOST_CONNECTIONS:
                raise InputError(f"{flow.connections} connections are more than a host can have")
        except InputError as error:
            if told < ROWS_TOLD:
                told += 1
                reading.reject(InputError(f"{host}, flow {number}: {error.message}", remedy=error.remedy), place)
            else:
                untold += 1
            continue
        if own is None or flow.client in own or flow.server in own or _stays(flow):
            yield flow
        else:
            foreign += 1
    if untold:
        reading.reject(
            InputError(f"{host}: {counted(untold, 'more flow is', 'more flows are')} wrong, or over {MOST_ROWS}"),
            place,
            untold,
        )
    if foreign:
        remedy = "a host sees its own addresses alone; what it has beside them belongs into ringfence_addresses"
        reason = f"{host}: {counted(foreign, 'flow')} between addresses that are not its own"
        reading.reject(InputError(reason, remedy=remedy), place, foreign)


def _stays(flow: Flow) -> bool:
    return flow.client in _LOOPBACK and flow.server in _LOOPBACK


def _record(row: Mapping[str, object]) -> dict[str, object]:
    """Return a module's row under the names of the word list: its process belongs to the side that the host is."""
    names = ("client", "server", "port", "protocol", "connections", "packets", "bytes", "outcome")
    record = {name: row.get(name) for name in names}
    side = {"in": "server", "out": "client"}.get(str(row.get("direction")))
    if side:
        record.update({f"{side}_{name}": row.get(name) for name in ("unit", "user", "process")})
    return record

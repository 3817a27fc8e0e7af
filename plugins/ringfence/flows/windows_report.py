"""What Windows tells of its connections, in the shape that Linux hosts report: listeners, and flows with processes.

PowerShell's `Get-NetTCPConnection` and `Get-NetUDPEndpoint` as JSON, each row with the `Program` and `Service` of its
process (docs/flows.md has the command).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

# MSFT_NetTCPConnection, State: ConvertTo-Json writes the number where nobody asked for the name.
_STATES = {1: "closed", 2: "listen", 3: "synsent", 4: "synreceived", 5: "established", 11: "timewait", 100: "bound"}
_SILENT = ("closed", "bound", "deletetcb")
# From here on Windows takes the ports of clients (netsh int ipv4 show dynamicport).
EPHEMERAL = 49152
_Row = Mapping[str, object]


def is_windows(value: object) -> bool:
    """Tell whether a value of JSON is rows of PowerShell, or a single one."""
    rows = value if isinstance(value, list) else [value]
    return bool(rows) and all(isinstance(one, Mapping) and "LocalAddress" in one and "LocalPort" in one for one in rows)


def windows_report(value: object) -> dict[str, object]:
    """Return rows of PowerShell as what `linux_flows_info` reports: `observed`, `listeners`, `flows`.

    Rows of one flow and process are one with the number of connections. Values are taken as they stand; who reads the
    report checks them.
    """
    rows: Sequence[_Row] = value if isinstance(value, list) else [value]  # type: ignore[list-item] # `is_windows`
    listening = [one for one in rows if _listens(one)]
    ports = {(_protocol(one), _plain(one.get("LocalPort"))) for one in listening}
    counted = Counter(_flow(one, ports) for one in rows if not (_listens(one) or _state(one) in _SILENT or _stays(one)))
    return {
        "observed": None,
        "listeners": [_listener(one) for one in listening],
        "flows": [{**dict(flow), "connections": count} for flow, count in counted.items()],
    }


def _listens(row: _Row) -> bool:
    return _protocol(row) == "udp" or _state(row) == "listen"


def _stays(row: _Row) -> bool:
    return str(row.get("RemoteAddress")).startswith("127.") or row.get("RemoteAddress") == "::1"


def _protocol(row: _Row) -> str:
    return "tcp" if "RemoteAddress" in row or "State" in row else "udp"


def _state(row: _Row) -> str:
    state = row.get("State")
    return _STATES.get(state, "") if isinstance(state, int) else str(state or "").lower()


def _listener(row: _Row) -> dict[str, object]:
    port = row.get("LocalPort")
    return {
        "protocol": _protocol(row),
        "address": row.get("LocalAddress"),
        "port": port,
        "process": _program(row),
        "unit": _service(row),
        "ephemeral": _protocol(row) == "udp" and isinstance(port, int) and port >= EPHEMERAL,
    }


def _flow(row: _Row, ports: set[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
    local, remote = _address(row.get("LocalAddress")), _address(row.get("RemoteAddress"))
    inward = ("tcp", _plain(row.get("LocalPort"))) in ports
    return (
        ("client", remote if inward else local),
        ("server", local if inward else remote),
        ("port", _plain(row.get("LocalPort" if inward else "RemotePort"))),
        ("protocol", "tcp"),
        ("direction", "in" if inward else "out"),
        ("process", _program(row)),
        ("unit", _service(row)),
        ("outcome", "unanswered" if _state(row) == "synsent" else None),
    )


def _address(value: object) -> object:
    """Return an address without the zone that Windows writes behind link-local ones."""
    return _plain(value.partition("%")[0] if isinstance(value, str) else value)


def _program(row: _Row) -> object:
    program = row.get("Program") or row.get("ProcessName")
    return _plain(re.split(r"[\\/]", program)[-1] if isinstance(program, str) else program)


def _service(row: _Row) -> object:
    return _plain(row.get("Service"))


def _plain(value: object) -> object:
    """Return a value that can be compared; what is none is told later, as text."""
    return value if value is None or isinstance(value, str | int | float) else str(value)

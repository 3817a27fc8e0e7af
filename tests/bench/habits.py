"""An estate whose applications have habits, as a workspace with a store of flows: what `suggest` is to find out.

The habits are known, so it is known how many rules a person would have written for them.
"""

from __future__ import annotations

import csv
import math
from datetime import date, timedelta
from pathlib import Path

import duckdb
from ringfence.flows.columns import COLUMNS, connect

DAYS = 8
FIRST = date(2026, 1, 1)
ENVIRONMENTS = ("prod", "test", "dev")
# Role, how many of 27 hosts of an application and environment; infrastructure is an application of its own.
TIERS = (("web", 8), ("api", 8), ("worker", 4), ("db", 4), ("cache", 3))
INSIDE = (
    ("web", "api", 8443),
    ("api", "db", 5432),
    ("worker", "db", 5432),
    ("api", "cache", 6379),
    ("worker", "cache", 6379),
)
CALLS = 2  # from the api of an application to the apis of so many others, but in development
OPERATIONS = (("dns", 4), ("ntp", 2), ("syslog", 2), ("monitoring", 2), ("bastion", 2))
ONE_OFFS, WRONG, SCANNERS, SCANNED = 500, 60, 5, 300


def write_estate(directory: Path, hosts: int, rows: int) -> int:
    """Write the workspace and as many observations; return how many rules a person would have written."""
    (directory / "inventory").mkdir(parents=True)
    (directory / "policy").mkdir()
    (directory / "ringfence.yml").write_text("control: {from: [10.255.0.0/24]}\n")
    (directory / "ansible.cfg").write_text("[defaults]\n")
    (directory / "inventory/10-hosts.yml").write_text("plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")
    (directory / "policy/guardrails.yml").write_text(_guardrails())
    every = _hosts(hosts)
    with (directory / "hosts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "addresses", "app", "env", "role"))
        writer.writerows(every)
    store = directory / ".ringfence/flows"
    store.mkdir(parents=True)
    with connect() as connection:
        _habits(connection, every)
        _write(connection, store, rows)
    apps = len({host[2] for host in every}) - 1
    # what differs in the client's role alone is one rule, and the internet reaches all web servers alike
    return apps * (len({(to, port) for _, to, port in INSIDE}) + CALLS) + 1 + len(OPERATIONS)


def _guardrails() -> str:
    """Return the rules that keep environments apart, but for what serves or reaches all of them."""
    lines = ["tier: guardrail", "rules:"]
    for one in ENVIRONMENTS:
        for other in ENVIRONMENTS:
            if one != other:
                sides = [f"{{all: [{{env: {env}}}, {{not: {{app: ops}}}}]}}" for env in (one, other)]
                lines.append(f"  - {{name: {one} never reaches {other}, from: {sides[0]}, to: {sides[1]}, deny: any}}")
    return "\n".join(lines) + "\n"


def _hosts(number: int) -> list[tuple[str, str, str, str, str]]:
    """Return name, address, app, env and role of about as many hosts as asked for, and of the infrastructure."""
    share = sum(count for _, count in TIERS)
    places = max(3, round(number / share / len(ENVIRONMENTS)))
    found = [
        (f"app{app:02}-{env}-{role}-{host}", app_name, env, role)
        for app in range(places)
        for app_name in (f"app{app:02}",)
        for env in ENVIRONMENTS
        for role, count in TIERS
        for host in range(count)
    ]
    found += [(f"{role}-{host}", "ops", "prod", role) for role, count in OPERATIONS for host in range(count)]
    return [
        (name, f"10.{number // 65536}.{number // 256 % 256}.{number % 256}", app, env, role)
        for number, (name, app, env, role) in enumerate(found, 256)
    ]


def _habits(connection: duckdb.DuckDBPyConnection, hosts: list[tuple[str, str, str, str, str]]) -> None:
    """Make the table of distinct flows with `often`: how many of 100 hours they are seen in, 0 for once."""
    columns = list(zip(*hosts, strict=True))
    connection.execute(
        "CREATE TABLE hosts AS SELECT unnest(?::VARCHAR[]) AS name, unnest(?::VARCHAR[]) AS address,"
        " unnest(?::VARCHAR[]) AS app, unnest(?::VARCHAR[]) AS env, unnest(?::VARCHAR[]) AS role",
        [list(column) for column in columns],
    )
    apps = sorted({host[2] for host in hosts} - {"ops"})
    inside = ", ".join(f"('{one}', '{other}', {port})" for one, other, port in INSIDE)
    calls = ", ".join(
        f"('{app}', '{apps[(place + 1 + 7 * call) % len(apps)]}')"
        for place, app in enumerate(apps)
        for call in range(CALLS)
    )
    pair = "c.address AS client, c.name AS client_asset, s.address AS server, s.name AS server_asset"
    served = ", ".join(f"('{role}', {port})" for role, port in (("dns", 53), ("ntp", 123), ("syslog", 514)))
    reached = "('monitoring', 9100), ('bastion', 22)"
    connection.execute(
        "CREATE TABLE wanted AS"
        f" SELECT {pair}, r.port, 6 AS protocol, 40 AS often FROM (VALUES {inside}) r(one, other, port)"
        " JOIN hosts c ON c.role = r.one JOIN hosts s ON s.role = r.other AND s.app = c.app AND s.env = c.env"
        f" UNION ALL SELECT {pair}, 8443, 6, 20 FROM (VALUES {calls}) r(one, other)"
        " JOIN hosts c ON c.app = r.one AND c.role = 'api' JOIN hosts s ON s.app = r.other AND s.role = 'api'"
        " AND s.env = c.env AND c.env <> 'dev'"
        f" UNION ALL SELECT {pair}, r.port, 17, 60 FROM (VALUES {served}) r(role, port)"
        " JOIN hosts s ON s.role = r.role JOIN hosts c ON c.app <> 'ops'"
        f" UNION ALL SELECT {pair}, r.port, 6, if(r.port = 22, 2, 90) FROM (VALUES {reached}) r(role, port)"
        " JOIN hosts c ON c.role = r.role JOIN hosts s ON s.app <> 'ops'"
        " UNION ALL SELECT '203.0.' || n // 250 || '.' || n % 250, NULL, s.address, s.name, 443, 6, 1"
        " FROM hosts s, range(200) t(n) WHERE s.role = 'web' AND s.env = 'prod'"
    )
    # a tenth of the habits is rare: it may be seen late or never
    connection.execute(
        "CREATE TABLE habits AS SELECT *, 'answered' AS outcome FROM (SELECT * REPLACE (CASE hash(client, server, port)"
        " % 10 WHEN 0 THEN 1 ELSE often END AS often) FROM wanted)"
        f" UNION ALL SELECT {pair}, 3000 + hash(c.name, 1) % 5000, 6, 0, 'answered' FROM (SELECT name, address,"
        f" row_number() OVER (ORDER BY hash(name, 2)) AS n FROM hosts) c JOIN (SELECT name, address,"
        f" row_number() OVER (ORDER BY hash(name, 3)) AS n FROM hosts) s USING (n) WHERE n <= {ONE_OFFS}"
        f" UNION ALL SELECT {pair}, 5432, 6, 30, 'answered' FROM (SELECT *, row_number() OVER (ORDER BY name) AS n"
        " FROM hosts WHERE env = 'dev' AND role = 'api') c JOIN (SELECT *, row_number() OVER (ORDER BY name) AS n"
        f" FROM hosts WHERE env = 'prod' AND role = 'db') s USING (n) WHERE n <= {WRONG}"
        f" UNION ALL SELECT {pair}, 445, 6, 0, if(hash(s.name) % 20 = 0, 'answered', 'refused') FROM (SELECT * FROM"
        f" hosts ORDER BY hash(name, 4) LIMIT {SCANNERS}) c,"
        f" (SELECT * FROM hosts ORDER BY hash(name, 5) LIMIT {SCANNED}) s"
    )


def _write(connection: duckdb.DuckDBPyConnection, store: Path, rows: int) -> None:
    """Write the observations, a file a day."""
    ((share,),) = connection.execute("SELECT sum(often) FROM habits").fetchall()
    part = "(hash(client, server, port, 9) % 100) / 100"
    times = f"if(often = 0, 1, greatest(1, (often * {rows / share}::DOUBLE + {part})::BIGINT))"
    connection.execute(
        f"CREATE TABLE observed AS SELECT h.*, (hash(client, server, port, t.n) % {DAYS * 86400})::BIGINT AS second"
        f" FROM habits h, range({math.ceil(90 * rows / share) + 2}) t(n) WHERE t.n < {times}"
    )
    for number in range(DAYS):
        begin = f"TIMESTAMP '{FIRST.isoformat()}' + to_seconds(second)"
        columns = {
            **dict.fromkeys(COLUMNS, "NULL"),
            **{
                name: name
                for name in ("client", "server", "port", "protocol", "client_asset", "server_asset", "outcome")
            },
            "first_seen": begin,
            "last_seen": begin,
            "connections": "1 + hash(second) % 3",
            "packets": "10",
            "bytes": "1000",
            "source": "'vpc:eni-1'",
        }
        chosen = ", ".join(f"({value})::{COLUMNS[name]} AS {name}" for name, value in columns.items())
        path = store / f"{(FIRST + timedelta(days=number)).isoformat()}.parquet"
        connection.execute(
            f"COPY (SELECT {chosen} FROM observed WHERE second // 86400 = {number} ORDER BY client, server, port)"
            f" TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )

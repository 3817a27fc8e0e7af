"""One piece of the benchmark `simulate` in a process of its own: `python -m tests.bench.simulate_work WHO STORE`.

It prints the seconds of its processor time and the most memory that it held, in MiB; what it asks of is made before.
"""

from __future__ import annotations

import gc
import json
import sys
from datetime import UTC, datetime, time
from pathlib import Path

from ringfence.analysis.simulate import simulate
from ringfence.compiler import compile_policy
from ringfence.flows.database import connect
from ringfence.flows.possible import latest_time
from ringfence.flows.store import FlowStore
from ringfence.flows.window import FlowWindow
from ringfence.model.addresses import address_text

from .estate import Estate, estate
from .measuring import peak_megabytes, processor_seconds
from .seen_flows import FIRST

HOSTS, COMBINATIONS = 20_000, 600
FLOWS_OF_LABELS = (
    "SELECT c.label, s.label, protocol, port, count(*), sum(connections) FROM {flows} f LEFT JOIN labels c"
)
FLOWS_OF_LABELS += " ON c.address = f.client LEFT JOIN labels s ON s.address = f.server GROUP BY ALL"
DISTINCT = "(SELECT client, server, protocol, port, sum(connections) AS connections FROM {flows} GROUP BY ALL)"


def made(rules: int) -> Estate:
    """Return the estate that the flows are of, under as many rules as asked for."""
    return estate(HOSTS, rules, COMBINATIONS)


def judged(store: Path, rules: int, *, rollups: bool = True) -> tuple[float, int]:
    """Return the seconds that it takes to judge the flows of a store, and how many connections they are.

    Without rollups every observation is read, as in a window that cuts every batch.
    """
    one = made(rules)
    tables = compile_policy(one.snapshot, one.policy, one.settings).tables
    began = processor_seconds()
    # as the command asks: a span of time, and nothing that lies in the future
    since, latest = datetime.combine(FIRST, time(), UTC), latest_time()
    files = sorted(store.glob("*.parquet"))
    with (
        FlowStore(store).window(since, None, latest) if rollups else FlowWindow.of_files(files, since, None, latest)
    ) as window:
        simulation = simulate(tables, one.snapshot, window)
        simulation.data()
        return processor_seconds() - began, sum(count.connections for count in simulation.categories.values())


def joined(store: Path, *, distinct: bool) -> tuple[float, int]:
    """Return the same of joining both ends to labels and counting by them, in bare DuckDB.

    It counts observations, or distinct flows as a simulation does.
    """
    assets = made(RULES).snapshot.assets
    numbers: dict[tuple[str, ...], int] = {}
    labels = [numbers.setdefault(tuple(asset.label_values().values()), len(numbers)) for asset in assets]
    addresses = [address_text(asset.addresses[0]) for asset in assets]
    with connect() as connection:
        connection.execute(
            "CREATE TABLE labels AS SELECT unnest(?::VARCHAR[]) AS address, unnest(?::INTEGER[]) AS label",
            [addresses, labels],
        )
        files = f"read_parquet('{store}/*.parquet')"
        began = processor_seconds()
        query = FLOWS_OF_LABELS.format(flows=DISTINCT.format(flows=files) if distinct else files)
        rows = connection.execute(query).fetchall()
        return processor_seconds() - began, sum(row[-1] for row in rows)


RULES = 1_000
WORKS = {
    "judged": lambda store: judged(store, RULES),
    "judged, every observation": lambda store: judged(store, RULES, rollups=False),
    "judged under 100 rules": lambda store: judged(store, 100),
    "joined": lambda store: joined(store, distinct=False),
    "joined, distinct": lambda store: joined(store, distinct=True),
}

if __name__ == "__main__":
    gc.set_threshold(500_000, 20, 100)  # as `ringfence.cli.program` has it
    seconds, connections = WORKS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"seconds": seconds, "connections": connections, "peak": peak_megabytes()}))

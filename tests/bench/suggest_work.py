"""One piece of the benchmark `suggest` in a process of its own: `python -m tests.bench.suggest_work WORKSPACE DIAL`.

It prints what was suggested and how good it is, the seconds of processor time, and the most memory held, in MiB. The
inventory is asked before. The dial `bare` is the peer: DuckDB joins both ends to labels and counts by them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ringfence.estate import Estate
from ringfence.flows.columns import connect
from ringfence.model.addresses import address_text
from ringfence.operations.flow_selection import FlowSelection
from ringfence.operations.suggest import Wanted, suggest

from .habits import FIRST
from .measuring import peak_megabytes, processor_seconds


def suggested(estate: Estate, dial: str) -> dict[str, object]:
    """Return what is suggested at a position of the dial."""
    estate.survey()
    began = processor_seconds()
    with suggest(estate, Wanted(FlowSelection(since=FIRST.isoformat()), dial)) as found:
        spent = processor_seconds() - began
        assert found.scores is not None
        return {
            "seconds": spent,
            "rules": len(found.offers),
            "flows": found.window["flows"],
            "held_out": [one.data() for one in found.scores],
            "breaks": len(found.effect.breaking) if found.effect else 0,
        }


def bare(estate: Estate) -> dict[str, object]:
    """Return what the bare join and group-by take."""
    names = [[address_text(one.addresses[0]), str(one.label_values())] for one in estate.snapshot.assets]
    files = f"read_parquet('{estate.directory}/.ringfence/flows/*.parquet')"
    with connect() as connection:
        connection.execute(
            "CREATE TABLE labels AS SELECT unnest(?::VARCHAR[]) AS address, unnest(?::VARCHAR[]) AS label",
            [[one for one, _ in names], [label for _, label in names]],
        )
        began = processor_seconds()
        rows = connection.execute(
            "SELECT c.label, s.label, protocol, port, count(*), count(DISTINCT (client, server)) FROM"
            f" {files} f LEFT JOIN labels c ON c.address = f.client LEFT JOIN labels s ON s.address = f.server"
            " GROUP BY ALL"
        ).fetchall()
        return {"seconds": processor_seconds() - began, "rules": len(rows)}


if __name__ == "__main__":
    there = Estate(Path(sys.argv[1]))
    result = bare(there) if sys.argv[2] == "bare" else suggested(there, sys.argv[2])
    print(json.dumps({**result, "peak": peak_megabytes()}))

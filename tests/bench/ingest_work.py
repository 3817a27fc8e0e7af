"""The works of the benchmark `ingest`: `python -m tests.bench.ingest_work store|peer TARGET SOURCE…`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from .measuring import peak_megabytes, processor_seconds


def main() -> None:
    """Do one work and print what it took."""
    kind, target, *sources = sys.argv[1:]
    begun = time.monotonic()
    if kind == "peer":
        _peer(Path(target), Path(sources[0]))
    else:
        _store(Path(target), [Path(source) for source in sources])
    found = {"cpu": processor_seconds(), "wall": time.monotonic() - begun, "peak": peak_megabytes()}
    if kind == "store":
        found["connections"] = _connections(Path(target))
    print(json.dumps(found))


def _peer(target: Path, logs: Path) -> None:
    import duckdb

    read = f"read_csv('{logs}/*.gz', delim=' ', header=true)"
    duckdb.execute(f"COPY (SELECT * FROM {read}) TO '{target}/peer.parquet' (FORMAT parquet)")


def _store(target: Path, sources: list[Path]) -> None:
    from ringfence.flows.gathering import SightingReader
    from ringfence.flows.readers import reader
    from ringfence.flows.reading import Reading
    from ringfence.flows.store import FlowStore

    vpc = reader("vpc")
    assert isinstance(vpc, SightingReader)
    FlowStore(target).add_sightings([(source, Reading()) for source in sources], vpc, "vpc")


def _connections(target: Path) -> float:
    from ringfence.flows.store import FlowStore

    with FlowStore(target).window() as window:
        return float(str(window.totals()["connections"]))


if __name__ == "__main__":
    main()

"""The runner: `python -m tests.bench NAME… [--json]` measures, `… all` measures everything and writes its page."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

from ringfence.model.errors import RingfenceError

from .report import page, text

# One file a benchmark: `NAME_benchmark.py` with a function `run`.
NAMES = tuple(sorted(path.stem.removesuffix("_benchmark") for path in Path(__file__).parent.glob("*_benchmark.py")))


def main() -> int:
    """Run benchmarks, each in a process of its own; return 1 where one could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="+", choices=(*NAMES, "all"), metavar="NAME", help=f"{', '.join(NAMES)} or all")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON line at the end")
    given = parser.parse_args()
    if given.names == ["all"]:
        return everything()
    for name in given.names:
        try:
            result = importlib.import_module(f".{name}_benchmark", __package__).run().data()
        except RingfenceError as error:
            print(f"{name} cannot be measured here: {error}", file=sys.stderr)
            return 3
        print(json.dumps(result) if given.json else text(result), flush=True)
    return 0


def everything() -> int:
    """Run all benchmarks and write the page of those that could be measured; say which could not."""
    found = []
    failed = []
    for name in NAMES:
        command = [sys.executable, "-m", "tests.bench", name, "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            failed.append(name)
            continue
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(text(found[-1]), flush=True)
    page(found)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

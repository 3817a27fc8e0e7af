"""The runner: `python -m tests.bench NAME… [--json] [--page]` measures, `… all` measures everything into its page."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ringfence.model.errors import RingfenceError

from .needs import lack
from .report import page, text

# One file a benchmark: `NAME_benchmark.py` with a function `run`.
NAMES = tuple(sorted(path.stem.removesuffix("_benchmark") for path in Path(__file__).parent.glob("*_benchmark.py")))


def main() -> int:
    """Run benchmarks; return 3 where one could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="+", choices=(*NAMES, "all"), metavar="NAME", help=f"{', '.join(NAMES)} or all")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON line at the end")
    parser.add_argument("--page", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--go-on", action="store_true", help="of all, measure those that can be measured here")
    given = parser.parse_args()
    if given.names == ["all"]:
        return everything(go_on=given.go_on)
    for name in given.names:
        try:
            result = importlib.import_module(f".{name}_benchmark", __package__).run().data()
        except RingfenceError as error:
            print(f"{name} cannot be measured here: {error}", file=sys.stderr)
            return 3
        if given.page:
            page([result])
        print(json.dumps(result) if given.json else text(result), flush=True)
    return 0


def everything(*, go_on: bool) -> int:
    """Run all benchmarks, each in a process of its own that puts its figures into the page; say which failed."""
    lacking = {name: said for name in NAMES if (said := lack(name))}
    for name, said in lacking.items():
        print(f"{name} cannot be measured here: {said}", file=sys.stderr)
    if lacking and not go_on and not agreed(lacking):
        print("nothing was measured; with --go-on (make bench GO_ON=1) the others are", file=sys.stderr)
        return 3
    failed = list(lacking)
    for name in NAMES:
        if name not in lacking and subprocess.run([sys.executable, "-m", "tests.bench", name, "--page"]).returncode:
            failed.append(name)
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 3 if failed else 0


def agreed(lacking: Iterable[str]) -> bool:
    """Return whether a person at the terminal wants the others measured."""
    return sys.stdin.isatty() and input(f"Go on without {', '.join(lacking)}? [y/N] ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

"""A program that runs a Python command of Ansible, its path the first argument, so that its JSON costs less.

Ansible indents what it lists, for which Python has no fast writer, and many hosts are many objects that stay, among
which cycles are looked for again and again: together a quarter of its time. What is said is the same.
"""

from __future__ import annotations

import gc
import json
import runpy
import sys
from typing import Any

_indenting = json.dumps


def _without_indentation(*values: Any, **options: Any) -> str:
    return _indenting(*values, **{**options, "indent": None})


def main() -> None:
    """Run the command that the first argument names, with the arguments behind it."""
    gc.set_threshold(500_000, 20, 100)
    json.dumps = _without_indentation
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()

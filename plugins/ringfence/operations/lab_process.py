"""The process that brings a lab up: `python -m ringfence.operations.lab_process NAME KIND`; a line of JSON a step.

It is a process of its own, because what raises hosts is ended by signals and cleans up after them.
"""

from __future__ import annotations

import json
import sys
from typing import Literal, cast

from ringfence.lab.estate import shop
from ringfence.lab.session import open_lab
from ringfence.model.errors import RingfenceError


def main() -> int:
    """Bring the lab up; the last line says `up`, or the error."""
    name, kind = sys.argv[1], cast("Literal['auto', 'machines', 'namespaces']", sys.argv[2])
    try:
        open_lab(name).up(shop(mixed=True), kind, lambda text, share: _tell(text=text, share=share))
    except RingfenceError as error:
        _tell(error=error.message, remedy=error.remedy or "")
        return error.exit_status
    _tell(up=True)
    return 0


def _tell(**said: object) -> None:
    print(json.dumps(said), flush=True)  # noqa: T201  # a pipe, not a terminal


if __name__ == "__main__":
    sys.exit(main())

"""A fault of the application itself, as it is told once the screen is gone."""

from __future__ import annotations

import traceback

from rich.text import Text
from ringfence.model.safe_text import clean_line


def fault_text(error: BaseException) -> Text:
    """Return where it came from and what it says, without what variables held: a password may be among them.

    What it says may have come from a host.
    """
    said = "".join(traceback.format_exception(error))
    lines = "\n".join(clean_line(line) for line in said.splitlines())
    return Text(f"{lines}\nthis is a fault of Ringfence's: please report it")

"""What is forgotten and what stays, as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.presenting.line import Line

if TYPE_CHECKING:
    from ringfence.operations.forgetting import Forgetting

# Lines of one kind that are shown; the others are counted.
SHOWN = 20
UNITS = ("bytes", "KiB", "MiB", "GiB")


def going_lines(forgetting: Forgetting, kind: str) -> Iterator[Line]:
    """Yield what would go, with its time and size, and what stays though it was chosen, with the reason."""
    for item in forgetting.goes[:SHOWN]:
        yield Line(f"- {item.id}  {item.made:%Y-%m-%d %H:%M} UTC  {size_text(item.size)}", "red")
    if len(forgetting.goes) > SHOWN:
        yield Line(f"- and {len(forgetting.goes) - SHOWN} more", "red")
    for item, why in forgetting.stays[:SHOWN]:
        yield Line(f"= {item.id} stays: {why}")
    if len(forgetting.stays) > SHOWN:
        yield Line(f"= and {len(forgetting.stays) - SHOWN} more stay (--json gives every reason)")
    if forgetting.goes:
        yield Line(f"{counted(len(forgetting.goes), kind)} to forget, {size_text(forgetting.size)}")


def forgotten_lines(forgetting: Forgetting, kind: str) -> Iterator[Line]:
    """Yield how much went."""
    freed = f", {size_text(forgetting.size)} freed" if forgetting.goes else ""
    yield Line(f"{counted(len(forgetting.goes), kind)} forgotten{freed}")


def size_text(size: int) -> str:
    """Return a number of bytes as people read it."""
    amount = float(size)
    for unit in UNITS:
        if amount < 1024 or unit == UNITS[-1]:
            return f"{size} {unit}" if unit == UNITS[0] else f"{amount:.1f} {unit}"
        amount /= 1024
    raise AssertionError

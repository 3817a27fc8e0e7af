"""An application with one table of 50,000 rows: what tests of speed and of bytes look at."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import ringfence_tui.app
from ringfence_tui.engine.client import Engine
from ringfence_tui.page import Page
from ringfence_tui.screens import Entry
from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.table import Cells, Column, Table
from textual.app import ComposeResult

ROWS = 50_000
BEATS = os.environ.get("RINGFENCE_BEATS", "")
COLUMNS = (
    Column("NAME", 12, grow=2),
    Column("ADDRESS", 14),
    Column("ENV", 5),
    Column("APP", 5),
    Column("ROLE", 8, grow=1),
    Column("MODE", 8),
    Column("SEEN", 6, rank=2),
    Column("SOURCES", 11, rank=1),
)


class ManyRows(Page):
    """Shows the table."""

    AUTO_FOCUS = "Table"

    def body(self) -> ComposeResult:
        yield Table(COLUMNS)

    def entered(self) -> None:
        self.query_one(Table).show(ROWS, self.cells)
        if BEATS:
            self.run_worker(self.beat())

    async def beat(self) -> None:
        """Write down the longest time, in ms, that something held the loop, once everything is there."""
        await asyncio.sleep(0.5)
        longest = 0.0
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.002)
            held = (time.monotonic() - began - 0.002) * 1000
            if held > longest:
                longest = held
                Path(BEATS).write_text(f"{longest:.1f}")

    def cells(self, index: int) -> Cells:
        role = Span("db", Tone.ALLOWED) if index % 3 else Span("web", Tone.DENIED)
        address = f"10.{index >> 16}.{index >> 8 & 255}.{index & 255}"
        mode = Span("observe", Tone.DIM)
        return (f"host-{index:05}", address, "prod" if index % 2 else "dev", "shop", role, mode, "4 min", "aws netbox")


def main() -> None:
    module = ModuleType("many_rows_screen")
    module.ManyRows = ManyRows
    sys.modules["many_rows_screen"] = module
    ringfence_tui.app.SCREENS = (Entry("many", "Many", "1", "many_rows_screen:ManyRows"),)
    engine = Engine()
    engine.begin()
    ringfence_tui.app.RingfenceApp(engine, first="many").run()


if __name__ == "__main__":
    main()

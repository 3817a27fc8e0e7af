"""Draws the README's pictures: the real application and the real map on the demo estate, its time frozen.

`python docs/pictures/screens.py [DIRECTORY]`; the same bytes each time.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, tzinfo
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from demo_estate import NOW, begun, written
from ringfence.estate import Estate
from ringfence.operations.plans import chosen_plan
from ringfence_tui.app import RingfenceApp
from ringfence_tui.engine.client import Engine
from textual.pilot import Pilot

SIZE = (120, 30)
WAITS = 120.0  # seconds at most for what a picture waits for
# every module of the application that asks for the time; a test holds that
FROZEN = (
    "ages",
    "clock",
    "screens.assets.finding",
    "screens.overview.screen",
    "screens.rollout.board_page",
    "screens.verify.screen",
)
Screen = Pilot[int]


class Frozen(datetime):
    """The time stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Frozen:
        """Return the time of the pictures."""
        return cls.fromtimestamp(int(NOW), tz)


def text_of(app: RingfenceApp) -> str:
    """Return what the screen shows."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def until(pilot: Screen, app: RingfenceApp, wanted: str | Callable[[str], bool]) -> str:
    """Return the screen once a text is on it, or a condition holds."""
    met = (lambda shown: wanted in shown) if isinstance(wanted, str) else wanted
    ends = time.monotonic() + WAITS
    while not met(text_of(app)):
        if time.monotonic() > ends:
            raise SystemExit(f"waited for {wanted!r}:\n{text_of(app)}")
        await pilot.pause(0.05)
    return text_of(app)


def draw(app: RingfenceApp, target: Path, name: str) -> None:
    """Write a screen as SVG, which asks no other site for its letters."""
    svg = app.export_screenshot(title="ringfence")
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)
    (target / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


async def screens(workspace: Path, target: Path) -> None:
    """Draw overview, map, explain and rollout, on the way from the wrong traffic to its denial."""
    engine = Engine(workspace)
    engine.begin()
    app = RingfenceApp(engine)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, app, "draw the line on the map")
        draw(app, target, "overview")
        await pilot.press("3")
        await until(pilot, app, "dev  shop api")
        await pilot.press("slash", *("space" if letter == " " else letter for letter in "dev shop api"), "enter")
        for _ in range(12):
            if "dev shop api  to  prod shop db " in text_of(app):
                break
            await pilot.press("left")
            await pilot.pause(0.1)
        await until(pilot, app, "dev shop api  to  prod shop db   tcp/5432")
        await pilot.press("d")
        await until(pilot, app, lambda shown: "newly denied" in shown and "bites" in shown)
        draw(app, target, "sheet")
        await pilot.press("enter")
        await until(pilot, app, lambda shown: bool(re.search(r"draft +x 1 ", shown)) and "process shop-api" in shown)
        draw(app, target, "map")
        await pilot.press("w")
        await until(pilot, app, "1 change in 1 file")
        await pilot.press("enter")
        await until(pilot, app, "written: policy/guardrails.yml")
        await until(pilot, app, lambda shown: bool(re.search(r"files draft +x 1 ", shown)))
        await pilot.press("e")
        await until(pilot, app, lambda shown: "DENIED" in shown and "connections tcp/5432" in shown)
        draw(app, target, "explain")
        await pilot.press("6")
        await until(pilot, app, "p make one")
        await pilot.press("p")
        await until(pilot, app, "is made")
        made = chosen_plan(Estate(workspace), "latest").plan
        begun(workspace, made.digest, tuple(map(tuple, made.waves)))
        await pilot.press("1")
        await until(pilot, app, "a rollout runs since")
        await pilot.press("6")
        await until(pilot, app, lambda shown: "confirmed 3" in shown)
        draw(app, target, "rollout")


def main() -> None:
    """Draw all."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent).absolute()
    os.environ |= {"SOURCE_DATE_EPOCH": NOW, "TZ": "UTC"}
    time.tzset()
    with tempfile.TemporaryDirectory(prefix="pictures-") as temporary, _standing_still():
        os.environ["XDG_STATE_HOME"] = f"{temporary}/state"
        workspace = written(Path(temporary))
        os.chdir(workspace)
        asyncio.run(screens(workspace, target))
        subprocess.run([sys.executable, "-m", "ringfence.cli", "map", "--svg", str(target / "traffic.svg")], check=True)
        (target / "traffic.svg").chmod(0o644)


def _standing_still() -> ExitStack:
    stack = ExitStack()
    for name in FROZEN:
        stack.enter_context(patch.object(import_module(f"ringfence_tui.{name}"), "datetime", Frozen))
    return stack


if __name__ == "__main__":
    main()

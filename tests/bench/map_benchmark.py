"""Benchmark `map`: the first picture of a large estate's page, beside bare cytoscape.js that draws every edge of it.

RINGFENCE_BENCH_MAP_ASSETS (20000) and RINGFENCE_BENCH_MAP_EDGES (100000) say how large the estate is.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from ringfence.model.errors import OutsideError
from ringfence.model.picture import Picture, PolicyState
from ringfence.presenting.map.html import PACKAGE, RENDERER, embedded, html
from ringfence.presenting.map.levels import coarsened, drawable

from ..chromium import Browser, browser, lacking
from .map_picture import drawn
from .measuring import Times, middle, timed
from .result import Result, Target

ASSETS = int(os.environ.get("RINGFENCE_BENCH_MAP_ASSETS", "20000"))
EDGES = int(os.environ.get("RINGFENCE_BENCH_MAP_EDGES", "100000"))
REPEATS = 5
PEER_REPEATS = 1  # it takes minutes
PEER_SECONDS = 900.0
DRAWN = "document.documentElement.dataset.drawn"
# All assets on one square, all edges, the renderer's own quickest edges; the time is that of the first picture.
PEER = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><div id="picture" style="height:100vh"></div>
<script type="application/json" id="data">@DATA@</script><script>@RENDERER@</script><script>
const data = JSON.parse(document.getElementById('data').textContent), side = Math.ceil(Math.sqrt(data.nodes));
const cy = cytoscape({ container: document.getElementById('picture'), pixelRatio: 1, layout: { name: 'preset' },
  style: [{ selector: 'edge', style: { 'curve-style': 'haystack', width: 1 } }],
  elements: [...Array.from({ length: data.nodes }, (_, i) => ({ data: { id: 'n' + i },
    position: { x: i % side * 60, y: Math.floor(i / side) * 60 } })),
    ...data.edges.map(([source, target]) => ({ data: { source: 'n' + source, target: 'n' + target } }))] });
cy.one('render', () => { document.documentElement.dataset.drawn = performance.now().toFixed(1); });
</script>"""


def run() -> Result:
    """Measure the page, with the peer in between. Raise OutsideError where there is no browser."""
    if missing := lacking():
        raise OutsideError(missing)
    picture = drawn(ASSETS, EDGES)
    made, page = timed(lambda: html([picture], PolicyState.FILES))
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        ours, theirs = Path(directory) / "map.html", Path(directory) / "peer.html"
        ours.write_text(page, encoding="utf-8")
        theirs.write_text(_peer(picture), encoding="utf-8")
        with browser() as running:
            found = [_first_picture(running, ours) for _ in range(REPEATS)]
            peers = [_first_picture(running, theirs) for _ in range(PEER_REPEATS)]
            found += [_first_picture(running, ours) for _ in range(REPEATS)]
    own, peer = middle(found), middle(peers)
    depth = drawable(picture)
    edges = len(coarsened(picture, depth).edges)
    return Result(
        name="map",
        subject=f"The page of {ASSETS:,} assets and {EDGES:,} edges in headless Chromium, until its first picture.",
        seconds=own.wall,
        peer=peer.wall,
        unit="seconds",
        table=(
            ("page", "edges drawn", "size, MB", "first picture, s", "CPU of the browser, s"),
            (f"ringfence map --html, by {' > '.join(picture.levels[:depth])}", *_row(edges, page, own)),
            ("bare cytoscape.js, by asset", *_row(EDGES, _peer(picture), peer)),
        ),
        targets=(Target("first picture, seconds", own.wall, 1.5),),
        remarks=(
            "Seconds by the browser's clock from the navigation to the first frame that has the picture, drawn without "
            f"a graphics card; ours is the median of {2 * REPEATS}, before and after the peer's.",
            f"The engine writes the page from the picture in {made.cpu:.1f} CPU seconds.",
        ),
        more={
            "page_megabytes": len(page) / 1e6,
            "written": made.cpu,
            "worst": max(one.wall for one in found),
            "cpu": own.cpu,
            "cpu_peer": peer.cpu,
        },
    )


def _row(edges: int, page: str, times: Times) -> tuple[str, ...]:
    return f"{edges:,}", f"{len(page) / 1e6:.1f}", f"{times.wall:.2f}", f"{times.cpu:.2f}"


def _peer(picture: Picture) -> str:
    data = embedded({"nodes": len(picture.groups), "edges": [[one.client, one.server] for one in picture.edges]})
    renderer = files(PACKAGE).joinpath(RENDERER).read_text("utf-8")
    return PEER.replace("@DATA@", data).replace("@RENDERER@", renderer)


def _first_picture(running: Browser, file: Path) -> Times:
    """Return what a page took until its first picture: seconds of the browser's clock, processor time of all of it."""
    before = running.processor_seconds()
    page = running.page()
    page.open(file, PEER_SECONDS)
    page.until(DRAWN, PEER_SECONDS)
    found = Times(float(page.value(DRAWN)) / 1000, running.processor_seconds() - before)
    page.close()
    return found

"""The page of a picture in a real Chromium: clicks and keys; nothing asked for or complained of, names harmless."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, Self
from xml.etree import ElementTree

import pytest
from ringfence.model.picture import Picture, PolicyState
from ringfence.presenting.map.geometry import middle
from ringfence.presenting.map.html import html
from ringfence.presenting.map.svg import svg

from tests import chromium
from tests.unit.cli_shop import data, ringfence, shop
from tests.unit.presenting import picture_factory as pictures

FILES = PolicyState.FILES
CY = "document.getElementById('picture')._cyreg.cy"
READY = "document.documentElement.dataset.ready"
DETAILS = "document.getElementById('details').innerText"
TOLD = "document.getElementById('told').innerText"
FLOWS = "[...document.querySelectorAll('#details tbody tr')].map(r => [...r.cells].map(c => c.textContent))"

# A point of an element, in pixels of the page: a group's middle, or where on its curve an edge is the nearest.
PLACE_OF = """(cy, one) => {
  const box = cy.container().getBoundingClientRect(), zoom = cy.zoom(), pan = cy.pan();
  const onPage = p => [Math.round(box.x + p.x * zoom + pan.x), Math.round(box.y + p.y * zoom + pan.y)];
  const nearest = ([x, y]) =>
    cy.renderer().findNearestElement((x - box.x - pan.x) / zoom, (y - box.y - pan.y) / zoom, true, false);
  if (one.isNode()) return onPage(one.position());
  const a = one.sourceEndpoint(), b = (one.controlPoints() || [one.midpoint()])[0], c = one.targetEndpoint();
  for (const t of [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8]) {
    const p = one.isLoop() ? one.midpoint() : {
      x: (1 - t) * (1 - t) * a.x + 2 * t * (1 - t) * b.x + t * t * c.x,
      y: (1 - t) * (1 - t) * a.y + 2 * t * (1 - t) * b.y + t * t * c.y };
    if (nearest(onPage(p)) === one[0]) return onPage(p);
  }
  return null;
}"""

pytestmark = pytest.mark.skipif(bool(chromium.lacking()), reason=chromium.lacking() or "never")


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.browser() as running:
        yield running


class Shown:
    """A picture's page in the browser."""

    def __init__(self, browser: chromium.Browser, directory: Path, *shown: Picture, dark: bool = False) -> None:
        file = directory / "map.html"
        file.write_text(html(shown, FILES), encoding="utf-8")
        self._open(browser, file, directory, dark=dark)

    @classmethod
    def of(cls, browser: chromium.Browser, file: Path, directory: Path) -> Self:
        """Open a page that is there."""
        shown = cls.__new__(cls)
        shown._open(browser, file, directory, dark=False)
        return shown

    def _open(self, browser: chromium.Browser, file: Path, directory: Path, *, dark: bool) -> None:
        self.file = file
        self.page = browser.page(dark=dark, downloads=directory)
        self.page.open(file)
        self.page.until(f"document.documentElement.dataset.drawn && {READY}")

    def after(self, act: str) -> None:
        """Do something and wait until everything beside the picture is new."""
        before = self.page.value(READY)
        self.page.value(act)
        self.page.until(f"{READY} !== '{before}'")

    def click(self, element: str) -> None:
        """Click on a group or an edge of the picture with the mouse, where no other lies above it."""
        at = self.page.value(f"({PLACE_OF})({CY}, {CY}.{element})")
        assert at, f"{element} lies below others everywhere"
        self.page.click(*at)

    def quiet(self) -> bool:
        """Return whether the page asked for nothing but itself, and complained of nothing."""
        assert self.page.errors == []
        assert [one for one in self.page.requests if not one.startswith(("file://", "blob:"))] == []
        assert [one for one in self.page.requests if one.startswith("file://")] == [self.file.as_uri()]
        return True


def between(client: int, server: int) -> str:
    return f'edges(\'[source = "n{client}"][target = "n{server}"]\')[0]'


def test_a_click_on_an_edge_shows_its_flows(browser: chromium.Browser, tmp_path: Path) -> None:
    shown = Shown(browser, tmp_path, pictures.shop())
    shown.click(between(0, 2))
    shown.page.until(f"{DETAILS}.includes('dev/shop/api → prod/shop/db')")
    assert shown.page.value(FLOWS) == [["tcp/5432", "x denied", "2", "20", "2026-11-24T06:00:00Z"]]
    assert "held: ~ undecided 2" in shown.page.value(DETAILS)
    assert "files: x denied 2" in shown.page.value(DETAILS)
    shown.click(between(6, 3))
    shown.page.until(f"{DETAILS}.includes('internet → prod/shop/web')")
    assert [row[:3] for row in shown.page.value(FLOWS)] == [["tcp/443", "+ allowed", "9"], ["icmp", "+ allowed", "1"]]
    assert shown.quiet()


def test_a_window_without_flows_is_an_empty_page(browser: chromium.Browser, tmp_path: Path) -> None:
    shown = Shown(browser, tmp_path, pictures.picture(("env",), [], []))
    assert "0 flows, 0 edges" in shown.page.value(TOLD)
    assert shown.quiet()


def test_the_page_draws_what_the_svg_draws(browser: chromium.Browser, tmp_path: Path) -> None:
    picture = pictures.drawn(300, 2000)
    shown = Shown(browser, tmp_path, picture)
    root = ElementTree.fromstring(svg(picture, FILES))
    boxes = [one for one in root.iter("{http://www.w3.org/2000/svg}rect") if one.get("class") == "box"]
    places = [[float(one.get(key, "")) for key in "xy"] for one in boxes]
    drawn = shown.page.value(f"{CY}.nodes('.group').map(n => [n.position('x') - 66, n.position('y') - 19])")
    assert sorted(drawn) == sorted(places)
    paths = [one for one in root.iter("{http://www.w3.org/2000/svg}path") if len(one)]
    signs = sorted(int(re.findall(r"\d", one.get("class", ""))[0]) for one in paths)
    assert sorted(shown.page.value(f"{CY}.edges().map(e => Number(e.className()[0].slice(1)))")) == signs
    assert shown.quiet()


def test_edges_of_the_page_run_as_those_of_the_svg(browser: chromium.Browser, tmp_path: Path) -> None:
    picture = pictures.shop()
    shown = Shown(browser, tmp_path, picture)
    curves = re.findall(r'd="M([\d.-]+) ([\d.-]+)Q([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+)"', svg(picture, FILES))
    wanted = [middle((x0, y0), (x1, y1), (x2, y2)) for x0, y0, x1, y1, x2, y2 in (map(float, one) for one in curves)]
    found = shown.page.value(f"{CY}.edges().filter(e => !e.isLoop()).map(e => [e.midpoint().x, e.midpoint().y])")
    assert len(found) == len(wanted) == 6
    for point in wanted:
        assert min(math.dist(point, other) for other in found) < 4


def test_names_that_attack_are_text(browser: chromium.Browser, tmp_path: Path) -> None:
    shown = Shown(browser, tmp_path, pictures.hostile())
    count = "document.querySelectorAll('script').length + ':' + document.querySelectorAll('img, b').length"
    assert shown.page.value(count) == "3:0"
    for client in range(len(pictures.HOSTILE)):
        before = shown.page.value(DETAILS)
        shown.click(between(client, (client + 1) % len(pictures.HOSTILE)))
        shown.page.until(f"{DETAILS} !== {json.dumps(before)}")
        said = shown.page.value(DETAILS)
        assert not set(said) & set("\x1b\x07\x9b\u202e\u202c")
        shown.click(f"$id('n{client}')")
        shown.page.until(f"{DETAILS}.includes('Clients')")
    assert shown.page.value("document.title") == "Who talks to whom"
    assert shown.page.value(count) == "3:0"
    assert shown.quiet()


def test_nothing_but_the_page_itself_can_run_or_be_fetched(browser: chromium.Browser, tmp_path: Path) -> None:
    shown = Shown(browser, tmp_path, pictures.shop())
    shown.page.value("document.body.append(Object.assign(document.createElement('script'), {textContent: 'ran = 1'}))")
    assert shown.page.value("typeof ran") == "undefined"
    assert shown.page.value("fetch('https://example.invalid/').then(() => 'went out', () => 'refused')") == "refused"
    assert any("Content Security Policy" in one for one in shown.page.errors)
    assert not [one for one in shown.page.requests if not one.startswith("file://")]


def test_policy_filter_signs_and_changes_choose_what_is_drawn(browser: chromium.Browser, tmp_path: Path) -> None:
    shown = Shown(browser, tmp_path, pictures.shop())
    edges = f"{CY}.edges().length"
    assert shown.page.value(edges) == 7
    shown.after("document.querySelector('#states input').click()")
    assert shown.page.value(f"{CY}.{between(0, 2)}.hasClass('s3')")
    shown.after("document.getElementById('changes').click()")
    assert shown.page.value(edges) == 2
    shown.after("document.getElementById('changes').click()")
    shown.page.press("/")
    shown.page.type("tcp/5432 prod")
    shown.page.until(f"{edges} === 2")
    shown.page.press("Escape")
    shown.page.value("document.getElementById('filter').value = ''")
    shown.after("document.getElementById('filter').dispatchEvent(new Event('input'))")
    shown.after("document.querySelector('#signs .s4 input').click()")
    assert shown.page.value(edges) == 4
    assert shown.quiet()


def test_the_table_is_walked_by_keys(browser: chromium.Browser, tmp_path: Path) -> None:
    shown = Shown(browser, tmp_path, pictures.shop())
    for key in ("m", "ArrowRight", "ArrowRight", "Enter"):
        shown.page.press(key)
    shown.page.until(f"{DETAILS}.includes('dev/shop/api → prod/shop/db')")
    assert shown.page.value("document.querySelector('#matrix td.chosen').textContent") == "x2*"
    cells = "[...document.querySelectorAll('#matrix td.some')].map(c => c.textContent)"
    assert sorted(shown.page.value(cells)) == sorted(["x2*", "+2", "+2", "x2*", "r2", "?2", "+3"])
    shown.page.press("-")
    shown.page.until("document.querySelectorAll('#matrix tbody tr').length === 5")
    assert shown.quiet()


def test_a_group_opens_to_its_members_between_its_neighbours(browser: chromium.Browser, tmp_path: Path) -> None:
    picture = pictures.drawn(300, 2000)
    shown = Shown(browser, tmp_path, picture)
    total = shown.page.value(TOLD).split(" · ")[2]
    shown.click("$id('n0')")
    shown.page.until(f"{DETAILS}.includes('Open by app')")
    shown.page.press("o")
    shown.page.until("!document.getElementById('crumbs').hidden")
    names = shown.page.value(f"{CY}.nodes('.group').map(n => n.data('label'))")
    assert {"prod", "test", "dev/app-00"} <= set(names)
    shown.page.press("Escape")
    shown.page.until("document.getElementById('crumbs').hidden")
    assert shown.page.value(TOLD).split(" · ")[2] == total
    assert shown.quiet()


def test_edges_without_room_are_listed_under_their_group(browser: chromium.Browser, tmp_path: Path) -> None:
    picture = pictures.drawn(400, 6000)
    shown = Shown(browser, tmp_path, picture)
    shown.after(
        "document.getElementById('level').value = '3';"
        " document.getElementById('level').dispatchEvent(new Event('change'))"
    )
    assert shown.page.value(f"{CY}.edges().length") == 800
    listed = shown.page.value("document.querySelector('#listed h3').textContent")
    every = int(shown.page.value(TOLD).split(" · ")[2].split(", ")[1].split()[0].replace(",", ""))
    assert f"Not drawn: {every - 800:,} edges" in listed
    groups = shown.page.value("[...document.querySelectorAll('#listed summary')].map(s => s.textContent)")
    assert sum(int(one.split(": ")[1].split()[0].replace(",", "")) for one in groups) == every - 800
    assert shown.quiet()


def test_a_page_of_coarser_groups_names_the_busiest_of_each_edge(browser: chromium.Browser, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(html([pictures.drawn(300, 2000)], FILES, carried=100), encoding="utf-8")
    shown = Shown.of(browser, file, tmp_path)
    assert "by app, role, asset only the busiest of each edge" in shown.page.value(TOLD)
    shown.click(between(0, 1))
    shown.page.until(f"{DETAILS}.includes('dev → prod')")
    said = shown.page.value(DETAILS).split("Between assets")[1].split("\n")
    ends = [line for line in said if "→" in line]
    assert len(ends) == 5
    assert all(line.startswith("host-") for line in ends)
    more = next(line for line in said if line.startswith("and "))
    between_groups = [
        e for e in pictures.drawn(300, 2000).edges if (e.client < 100, 100 <= e.server < 200) == (True, True)
    ]
    assert int(more.split()[1]) == len(between_groups) - 5
    assert shown.quiet()


def test_the_window_steps_and_the_picture_is_saved(browser: chromium.Browser, tmp_path: Path) -> None:
    whole = pictures.shop()
    step = pictures.picture(whole.levels, whole.groups, whole.edges[:2])
    shown = Shown(browser, tmp_path, whole, step, dark=True)
    shown.page.press("]")
    shown.page.until(f"{CY}.edges().length === 2")
    shown.page.press("[")
    shown.page.until(f"{CY}.edges().length === 7")
    shown.page.press("p")
    saved = tmp_path / "ringfence-map.png"
    shown.page.until("true")
    for _ in range(500):
        if saved.exists():
            break
        shown.page.value("new Promise(done => setTimeout(done, 10))")
    assert saved.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert shown.quiet()


def test_the_flows_of_every_edge_are_those_of_the_simulation(browser: chromium.Browser, tmp_path: Path) -> None:
    """A workspace with flows of many services: each edge is clicked, its table compared with `simulate --json`."""
    random = Random(7)
    hosts = {f"10.0.1.{n}": name for n, name in ((1, "web-1"), (2, "web-2"), (3, "api-1"), (4, "db-1"))}
    lines = ["client,server,port,protocol,connections,first_seen"]
    for client, server in product([*hosts, "192.0.2.7", "203.0.113.9"], hosts):
        for port in random.sample((22, 443, 5432, 8443, 9100, 53), random.randrange(4)):
            protocol = "udp" if port == 53 else "tcp"
            lines.append(f"{client},{server},{port},{protocol},{random.randrange(1, 2000)},2026-11-24T06:00:00Z")
    shop(tmp_path, {"flows.csv": "\n".join(lines) + "\n"})
    flows = str(tmp_path / "flows.csv")
    file = tmp_path / "map.html"
    done = ringfence(tmp_path, "map", "--flows", flows, "--html", str(file))
    assert done.exit_code == 0, done.output
    simulated = data(tmp_path, "simulate", "--flows", flows, "--by", "flow", "--limit", "9999")
    wanted = simulated_flows(simulated)  # type: ignore[arg-type]  # what `--json` prints is checked by its own tests
    shown = Shown.of(browser, file, tmp_path)
    names = shown.page.value(f"{CY}.nodes('.group').map(n => [n.id(), n.data('label')])")
    names = {node: name.split("/")[-1] for node, name in names}
    found = {}
    for client, server in shown.page.value(f"{CY}.edges().map(e => [e.data('source'), e.data('target')])"):
        before = shown.page.value(DETAILS)
        shown.click(between(int(client[1:]), int(server[1:])))
        shown.page.until(f"{DETAILS} !== {json.dumps(before)} && {DETAILS}.includes('Services under')")
        found[names[client], names[server]] = sorted(
            (row[0], row[1][2:], int(row[2].replace(",", "")), int(row[3].replace(",", "")))
            for row in shown.page.value(FLOWS)
        )
    assert found == wanted
    assert shown.quiet()


def simulated_flows(simulated: dict[str, Any]) -> dict[tuple[str, str], list[tuple[object, ...]]]:
    """Return what `simulate --by flow --json` says, by its ends: service, verdict, flows and connections."""
    counts: dict[tuple[str, str], dict[tuple[str, str], list[int]]] = {}
    for flow in simulated["flows"]:
        ends = (flow["client_asset"] or "internet", flow["server_asset"])
        row = counts.setdefault(ends, {}).setdefault((f"{flow['protocol']}/{flow['port']}", verdict(flow)), [0, 0])
        row[0] += 1
        row[1] += flow["connections"]
    return {ends: sorted((*row, *sums) for row, sums in rows.items()) for ends, rows in counts.items()}


def verdict(flow: dict[str, Any]) -> str:
    if flow["category"].endswith("denied"):
        return "denied"
    if flow["would_be_denied"]:
        return "would be denied"
    if flow["depends_on_process"]:
        return "not judged"
    return "allowed" if any(side["rule"] not in {None, "default"} for side in flow["sides"]) else "undecided"

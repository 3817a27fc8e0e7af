"""A picture as SVG: the drawing that the page shows first, with what each edge is of as its title."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from ringfence.model.picture import WORST_FIRST, Picture, PictureEdge, PolicyState, Sign
from ringfence.model.safe_text import clean_line
from ringfence.presenting.map.colours import DARK, DASHES, LIGHT, Palette
from ringfence.presenting.map.drawing import Drawing, drawing, thickness
from ringfence.presenting.map.geometry import curve, middle
from ringfence.presenting.map.layout import HEAD, HEIGHT, WIDTH
from ringfence.presenting.map.words import EXPLAINED, MEANINGS, STATES, group_name, moment, total

MARGIN = 24
LEGEND = 22  # height of a line of the legend
SIGNED = 200  # as many edges have their sign written on them
CLASSES = {sign: f"s{place}" for place, sign in enumerate(WORST_FIRST)}
NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def svg(picture: Picture, state: PolicyState) -> str:
    """Return the drawing of a picture under a state as an SVG document, the same for the same picture."""
    drawn = drawing(picture, state)
    lines = list(_legend(drawn))
    width = max(drawn.layout.width, 640) + 2 * MARGIN
    height = drawn.layout.height + 3 * MARGIN + LEGEND * len(lines)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' font-family="system-ui, sans-serif" font-size="13">',
            f"<title>{xml(_title(drawn))}</title>",
            _style(),
            f'<rect class="ground" width="{width}" height="{height}"/>',
            f'<g transform="translate({MARGIN} {MARGIN})">',
            *_frames(drawn),
            *_edges(drawn),
            *_groups(drawn),
            "</g>",
            *(
                f'<text x="{MARGIN}" y="{drawn.layout.height + 2 * MARGIN + LEGEND * (number + 1)}">{line}</text>'
                for number, line in enumerate(lines)
            ),
            "</svg>",
            "",
        )
    )


def xml(text: str) -> str:
    """Return a text as the content of an element or a quoted attribute; what XML cannot hold becomes U+FFFD."""
    return escape(NOT_XML.sub("\ufffd", text), {'"': "&quot;"})


def edge_words(picture: Picture, edge: PictureEdge, state: PolicyState) -> str:
    """Return what an edge is of in one line: its ends, how many flows have which sign, refused attempts."""
    ends = f"{group_name(picture.groups[edge.client])} → {group_name(picture.groups[edge.server])}"
    counts = edge.signs.get(state, {})
    said = [f"{sign} {MEANINGS[sign]} {counts[sign].flows:,}" for sign in WORST_FIRST if sign in counts]
    refused = [f"refused when seen {edge.refused.flows:,}"] if edge.refused.flows else []
    return f"{ends}: {', '.join(said + refused) or 'nothing'}"


def _title(drawn: Drawing) -> str:
    levels = " > ".join(map(clean_line, drawn.picture.levels))
    return f"Who talks to whom, by {levels}: {drawn.state} ({STATES[drawn.state]})"


def _style() -> str:
    return (
        f"<style>{_colours(LIGHT)}\n.edge {{fill: none}}\n"
        f"@media (prefers-color-scheme: dark) {{{_colours(DARK)}}}</style>"
    )


def _colours(palette: Palette) -> str:
    signs = "".join(
        f".{CLASSES[sign]}{{stroke:{palette.of(sign)}}}.f{place}{{fill:{palette.of(sign)}}}"
        for place, sign in enumerate(WORST_FIRST)
    )
    return (
        f".ground{{fill:{palette.ground}}}text{{fill:{palette.text}}}.sign{{stroke:{palette.ground}}}"
        f".frame{{fill:none;stroke:{palette.faint}}}.box{{fill:{palette.box};stroke:{palette.text}}}{signs}"
    )


def _frames(drawn: Drawing) -> Iterator[str]:
    for one in drawn.layout.frames:
        yield f'<rect class="frame" x="{one.x}" y="{one.y}" width="{one.width}" height="{one.height}" rx="6"/>'
        if one.title:
            weight = ' font-weight="bold"' if one.row else ""
            yield f'<text x="{one.x + 10}" y="{one.y + HEAD - 6}"{weight}>{xml(one.title)}</text>'


def _edges(drawn: Drawing) -> Iterator[str]:
    """Yield the best first, so that the worst lie above."""
    places = drawn.layout.places
    signed = len(drawn.edges) <= SIGNED
    for edge in reversed(drawn.edges):
        sign = edge.worst(drawn.state)
        x, y = places[edge.client]
        if edge.client == edge.server:
            top = y - HEIGHT // 2
            path, at = f"M{x - 14} {top}C{x - 34} {top - 36} {x + 34} {top - 36} {x + 14} {top}", (float(x), top - 27.0)
        else:
            start, control, end = curve((x, y), places[edge.server])
            path = f"M{_n(start[0])} {_n(start[1])}Q{_n(control[0])} {_n(control[1])} {_n(end[0])} {_n(end[1])}"
            at = middle(start, control, end)
        dash = f' stroke-dasharray="{" ".join(map(str, DASHES[sign]))}"' if sign in DASHES else ""
        width = thickness(edge, drawn.state)
        title = f"<title>{xml(edge_words(drawn.picture, edge, drawn.state))}</title>"
        yield (
            f'<g><path class="edge {CLASSES[sign]}" stroke-width="{width}"{dash} d="{path}">{title}</path>'
            f"{_head(path, sign, width)}{_sign(at, sign) if signed else ''}</g>"
        )


def _head(path: str, sign: Sign, width: float) -> str:
    """Return the arrow's head at the end of a path: a bar where the traffic is stopped."""
    numbers = [float(one) for one in re.findall(r"-?[\d.]+", path)]
    (x0, y0), (x, y) = numbers[-4:-2], numbers[-2:]
    length = ((x - x0) ** 2 + (y - y0) ** 2) ** 0.5 or 1.0
    along, across = ((x - x0) / length, (y - y0) / length), (-(y - y0) / length, (x - x0) / length)
    half = 3 + width
    left = (x + across[0] * half, y + across[1] * half)
    right = (x - across[0] * half, y - across[1] * half)
    if sign is Sign.DENIED:
        return (
            f'<path class="edge {CLASSES[sign]}" stroke-width="3" d="M{_n(left[0])} {_n(left[1])}'
            f'L{_n(right[0])} {_n(right[1])}"/>'
        )
    back = [(px - along[0] * 1.6 * half, py - along[1] * 1.6 * half) for px, py in (left, right)]
    points = " ".join(f"{_n(px)},{_n(py)}" for px, py in ((x, y), *back))
    return f'<polygon class="f{WORST_FIRST.index(sign)}" points="{points}"/>'


def _sign(at: tuple[float, float], sign: Sign) -> str:
    return (
        f'<text class="sign f{WORST_FIRST.index(sign)}" x="{_n(at[0])}" y="{_n(at[1] + 4)}" text-anchor="middle"'
        f' font-weight="bold" stroke-width="3" paint-order="stroke">{xml(sign)}</text>'
    )


def _groups(drawn: Drawing) -> Iterator[str]:
    for group, (x, y), name in zip(drawn.picture.groups, drawn.layout.places, drawn.layout.names, strict=True):
        assets = f", {group.assets:,} assets" if group.assets else ""
        yield (
            f'<g><title>{xml(group_name(group))}{assets}</title><rect class="box" x="{x - WIDTH // 2}" '
            f'y="{y - HEIGHT // 2}" width="{WIDTH}" height="{HEIGHT}" rx="8"/><text x="{x}" y="{y + 4}" '
            f'text-anchor="middle">{xml(name)}</text></g>'
        )


def _legend(drawn: Drawing) -> Iterator[str]:
    counts = drawn.picture.totals.get(drawn.state, {})
    yield xml(_title(drawn))
    since, until = moment(drawn.picture.since), moment(drawn.picture.until)
    if since:
        yield f"{since} to {until}" if until else f"since {since}"
    for sign in WORST_FIRST:
        if sign in counts:
            number = counts[sign].flows
            flows = f"{number:,} flow" if number == 1 else f"{number:,} flows"
            yield f"<tspan font-weight='bold'>{xml(sign)}</tspan> {xml(EXPLAINED[sign])}: {flows}"
    if drawn.picture.refused.flows:
        yield f"attempts that were refused when they were seen: {drawn.picture.refused.flows:,}"
    if drawn.listed:
        left = sum(total(edge.signs.get(drawn.state, {})).flows for edge in drawn.listed)
        yield f"{len(drawn.listed):,} more edges with {left:,} flows are not drawn"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")

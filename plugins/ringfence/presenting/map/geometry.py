"""How an edge runs between two groups: a curve that bends to its left, so that both directions can be seen.

The page gives the browser's renderer the same bend (`page/picture.js`), so its picture is that of the SVG.
"""

from __future__ import annotations

import math

from ringfence.presenting.map.layout import HEIGHT, WIDTH

Point = tuple[float, float]
BEND, BEND_LEAST = 0.12, 14.0  # of the straight line's length, and in pixels


def bend(one: Point, other: Point) -> float:
    """Return how far the middle of the curve's hull stands off the straight line, in pixels."""
    return BEND_LEAST + BEND * math.dist(one, other)


def curve(client: Point, server: Point) -> tuple[Point, Point, Point]:
    """Return start, control point and end of an edge between the borders of two different groups."""
    (x1, y1), (x2, y2) = client, server
    length = math.dist(client, server) or 1.0
    off = bend(client, server)
    control = ((x1 + x2) / 2 - (y2 - y1) / length * off, (y1 + y2) / 2 + (x2 - x1) / length * off)
    return _border(client, control), control, _border(server, control)


def middle(start: Point, control: Point, end: Point) -> Point:
    """Return the middle of a quadratic curve."""
    return (start[0] + 2 * control[0] + end[0]) / 4, (start[1] + 2 * control[1] + end[1]) / 4


def _border(centre: Point, towards: Point) -> Point:
    """Return where the line from a group's middle leaves its box."""
    x, y = towards[0] - centre[0], towards[1] - centre[1]
    scale = min((WIDTH / 2 / abs(x)) if x else math.inf, (HEIGHT / 2 / abs(y)) if y else math.inf)
    return (centre[0] + x * scale, centre[1] + y * scale) if math.isfinite(scale) else centre

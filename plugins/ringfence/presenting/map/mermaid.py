"""A picture as a Mermaid flowchart, for pages that render one; names are entities, so none of them is read as syntax.

Mermaid draws at most 500 edges and reads at most 50,000 characters (`maxEdges`, `maxTextSize` of its configuration).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ringfence.model.picture import GroupKind, Picture, PictureEdge, PictureGroup, PolicyState, Sign
from ringfence.model.safe_text import clean_line
from ringfence.presenting.map.drawing import drawing
from ringfence.presenting.map.words import MEANINGS, group_name, part, total

EDGES, TEXT = 500, 50_000
GROUPS = 200
PLAIN = re.compile(r"[^A-Za-z0-9 ._/-]|[.-](?= )")  # '- ' and '1. ' would begin a list of its Markdown
ARROWS = {
    Sign.DENIED: "--x",
    Sign.WOULD_BE_DENIED: "-.->",
    Sign.NOT_JUDGED: "-.->",
    Sign.UNDECIDED: "-.->",
    Sign.ALLOWED: "-->",
    Sign.NOTHING: "-.-",
}


def mermaid(picture: Picture, state: PolicyState) -> str:
    """Return a flowchart of the drawable level; the best and least edges that are too many are counted in a remark."""
    drawn = drawing(picture, state, EDGES, GROUPS)
    head = ["flowchart LR", *_groups(drawn.picture.groups)]
    room = TEXT - sum(len(line) + 1 for line in head) - 200
    lines: list[str] = []
    for edge in drawn.edges:
        line = _edge(edge, state)
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    left = len(drawn.edges) - len(lines) + len(drawn.listed)
    more = [f"  %% {left} more edges are not drawn: ringfence map --csv has them all"] if left else []
    return "\n".join((*head, *lines, *more, ""))


def entity(text: str) -> str:
    """Return a text for a quoted label: all but letters, digits and a few marks becomes entities of Mermaid.

    An entity is the character again where it is drawn, so what turns the reading direction is an escape before.
    """
    return PLAIN.sub(lambda found: f"#{ord(found.group())};", clean_line(text))


def _groups(groups: tuple[PictureGroup, ...]) -> Iterator[str]:
    rows: dict[str | None, list[int]] = {}
    outside = []
    for index, group in enumerate(groups):
        if group.kind is GroupKind.LABELS and len(group.labels) > 1:
            rows.setdefault(group.labels[0], []).append(index)
        else:
            outside.append(index)
    for number, (row, members) in enumerate(rows.items()):
        yield f'  subgraph r{number}["{entity(part(row))}"]'
        for index in members:
            name = "/".join(part(value) for value in groups[index].labels[1:])
            yield f'    n{index}["{entity(name)}"]'
        yield "  end"
    for index in outside:
        yield f'  n{index}["{entity(group_name(groups[index]))}"]'


def _edge(edge: PictureEdge, state: PolicyState) -> str:
    sign = edge.worst(state)
    flows = total(edge.signs.get(state, {})).flows or edge.refused.flows
    words = "refused" if sign is Sign.NOTHING else MEANINGS[sign]
    return f'  n{edge.client} {ARROWS[sign]}|"{entity(f"{words} {flows}")}"| n{edge.server}'

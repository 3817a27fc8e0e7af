"""A picture as CSV (RFC 4180): a row for each service between two groups, under each state and sign.

A spreadsheet takes a field that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula (OWASP, "CSV
Injection"): such a name gets an apostrophe before it. One that is set to another country splits at `;`, also within
quotes that begin in the middle of a field, so what follows that is a beginning too. Signs are words here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from ringfence.model.picture import GroupKind, Picture, PictureEdge, PictureGroup, SignCount
from ringfence.model.safe_text import clean_line
from ringfence.presenting.map.rest import rows_of
from ringfence.presenting.map.words import MEANINGS, group_name, moment, service_word

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # also in full width
LATER = re.compile(rf"(;[\s\"]*)(?=[{re.escape(''.join(FORMULA))}])")
REFUSED = "refused when seen"


def csv_text(picture: Picture) -> str:
    """Return all rows with their heads."""
    text = io.StringIO()
    writer = csv.writer(text)
    ends = [f"{side}_{level}" for side in ("from", "to") for level in ("name", "kind", *picture.levels)]
    writer.writerow(
        [field(one) for one in (*ends, "service", "state", "sign", "flows", "connections", "last_seen")],
    )
    for edge in picture.edges:
        both = [*_end(picture, picture.groups[edge.client]), *_end(picture, picture.groups[edge.server])]
        for row in _rows(edge):
            writer.writerow([*both, *row])
    return text.getvalue()


def field(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, without control characters."""
    clean = LATER.sub(r"\1'", clean_line(text))
    return f"'{clean}" if clean.lstrip().startswith(FORMULA) else clean


def _end(picture: Picture, group: PictureGroup) -> list[str]:
    labels = group.labels if group.kind in (GroupKind.LABELS, GroupKind.ASSET) else ()
    values = [field(value or "") for value in labels]
    return [field(group_name(group)), str(group.kind), *values, *[""] * (len(picture.levels) - len(values))]


def _rows(edge: PictureEdge) -> Iterator[list[object]]:
    for service in rows_of(edge):
        word = "others" if service.protocol is None else service_word(service.protocol, service.port)
        for state, counts in service.signs.items():
            for sign, count in counts.items():
                if count.flows:
                    yield [word, str(state), MEANINGS[sign], *_numbers(count), moment(service.last)]
    if edge.refused.flows:
        yield ["", "", REFUSED, *_numbers(edge.refused), moment(edge.last)]


def _numbers(count: SignCount) -> list[object]:
    return [count.flows, count.connections]

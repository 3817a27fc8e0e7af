"""A picture as one page that needs nothing else: its policy lets it load nothing and run only what is in it.

Names are data (`<script type="application/json">`, `<` as `\\u003c`) and shown as text; scripts and styles are named by
their digests, so markup in a name could run nothing even where it became markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from ringfence.model.picture import Picture, PolicyState
from ringfence.presenting.map.data import CARRIED, page_data

PLACE = re.compile("@([A-Z_]+)@")
PACKAGE = "ringfence.presenting.map"
RENDERER = "vendor/cytoscape-3.35.0.min.js"
PROGRAM = ("rows.js", "views.js", "picture.js", "matrix.js", "details.js", "main.js")
# The renderer adds this style where there is no element of its id; here it is there from the start, with its digest.
RENDERER_STYLE = ".__________cytoscape_container { position: relative; }"


def html(pictures: Sequence[Picture], state: PolicyState, carried: int = CARRIED) -> str:
    """Return the page of a window's picture and those of its steps, the same for the same pictures.

    It carries so many edges at most, else those of coarser groups with the busiest of each.
    """
    style = _part("page/page.css")
    renderer = _part(RENDERER)
    program = "(() => {\n'use strict';\n" + "\n".join(_part(f"page/{name}") for name in PROGRAM) + "\n})();"
    filled: Mapping[str, str] = {
        "POLICY": policy((renderer, program), (RENDERER_STYLE, style)),
        "RENDERER_STYLE": RENDERER_STYLE,
        "STYLE": style,
        "DATA": embedded(page_data(pictures, state, carried)),
        "RENDERER": renderer,
        "PROGRAM": program,
    }
    # in one pass: what is filled in may hold the name of a place itself
    return PLACE.sub(lambda found: filled[found[1]], _part("page/page.html"))


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Return the content security policy that allows these inline scripts and styles and nothing else."""
    return (
        f"default-src 'none'; script-src {' '.join(map(_digest, scripts))}; style-src {' '.join(map(_digest, styles))};"
        " base-uri 'none'; form-action 'none'"
    )


def embedded(data: object) -> str:
    """Return data as JSON in ASCII in which no `<` stands, so that nothing in it ends the element or begins another."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


def _part(name: str) -> str:
    return files(PACKAGE).joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

"""What a browser gets: one page of ours, and of textual-serve's files its terminal and the terminal's style."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

# No script in the page, nothing from elsewhere. The terminal puts styles into the page while it runs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' {socket}; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Ringfence</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="xterm.css">
<link rel="stylesheet" href="ringfence.css">
<script src="textual.js"></script>
</head>
<body>
<p id="start">Ringfence</p>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{size}"></div>
<p id="ended">This session has ended, or there are as many as there may be. <a href="./">Open another</a></p>
</body>
</html>
"""
STYLE = """\
html, body { height: 100%; margin: 0; background: #121212; color: #e0e0e0; font: 16px monospace; overflow: hidden; }
#start { display: none; }
#ended { display: none; position: absolute; top: 40%; width: 100%; margin: 0; padding: 24px 0; text-align: center;
  background: #262626; z-index: 10; }
a { color: #56b4e9; }
body.-closed #ended { display: block; }
"""
FONT_SIZE = 16


@dataclass(frozen=True, slots=True)
class Served:
    """A file as it is sent."""

    content_type: str
    body: bytes


def pages(origin: str, token: str) -> dict[str, Served]:
    """Return everything that is served, by its name below the path: there is no other file, and no list of them."""
    static = files("textual_serve") / "static"
    page = PAGE.format(socket=f"{socket_origin(origin)}/{token}/ws", size=FONT_SIZE)
    return {
        "": Served("text/html", page.encode()),
        "ringfence.css": Served("text/css", STYLE.encode()),
        "textual.js": Served("text/javascript", (static / "js" / "textual.js").read_bytes()),
        "xterm.css": Served("text/css", (static / "css" / "xterm.css").read_bytes()),
    }


def socket_origin(origin: str) -> str:
    """Return an origin as that of its sockets."""
    return origin.replace("http", "ws", 1)


def headers(origin: str) -> dict[str, str]:
    """Return the headers of every answer."""
    return {
        "Content-Security-Policy": POLICY.format(socket=socket_origin(origin)),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Server": "ringfence",
    }

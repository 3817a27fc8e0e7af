"""What holds the widgets of a screen, one below another or side by side."""

from __future__ import annotations

from textual.widget import Widget


class Body(Widget):
    """The part of a screen between the first line and the notice."""

    DEFAULT_CSS = "Body { layout: vertical; width: 1fr; height: 1fr; }"


class Beside(Widget):
    """Widgets side by side."""

    DEFAULT_CSS = "Beside { layout: horizontal; width: 1fr; height: 1fr; }"


class Below(Widget):
    """Widgets one below another."""

    DEFAULT_CSS = "Below { layout: vertical; width: 1fr; height: 1fr; }"

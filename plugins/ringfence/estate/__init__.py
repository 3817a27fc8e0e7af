"""A loaded workspace with its assets, its tables and its history: what every operation works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.lazy_names import lazy_names

if TYPE_CHECKING:
    from ringfence.estate.estate import Estate, Reloaded
    from ringfence.estate.history import History
    from ringfence.estate.listening import SILENT, Listener, Several

__all__ = ["SILENT", "Estate", "History", "Listener", "Reloaded", "Several"]

__getattr__ = lazy_names(
    __name__,
    {"estate": ("Estate", "Reloaded"), "history": ("History",), "listening": ("SILENT", "Listener", "Several")},
)

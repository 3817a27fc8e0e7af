"""A loaded workspace with its assets, its tables and its history: what every operation works on."""

from ringfence.estate.estate import Estate, Reloaded
from ringfence.estate.history import History
from ringfence.estate.listening import SILENT, Listener, Several

__all__ = ["SILENT", "Estate", "History", "Listener", "Reloaded", "Several"]

"""What an application does at a fault of its own: it leaves and says where, unless it is leaving anyway."""

from __future__ import annotations

import sys

from textual.app import App
from textual.css.query import NoMatches
from textual.dom import NoScreen

from ringfence_tui.widgets.fault import fault_text


class FaultTelling(App[int]):
    """Textual (8.2.8) prints the variables of every frame, passwords too, and a traceback for a part that is gone."""

    @property
    def leaves(self) -> bool:
        """Return whether it is being taken apart."""
        return self._exit

    def _handle_exception(self, error: Exception) -> None:
        if self.leaves and isinstance(error, NoMatches | NoScreen):
            return  # it was asked for what is being taken apart
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        error = sys.exc_info()[1] or self._exception
        if error is not None:
            self._exit_renderables.append(fault_text(error))
        self._close_messages_no_wait()

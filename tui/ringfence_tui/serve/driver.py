"""Textual's driver of a browser, with our reading of what is typed."""

from __future__ import annotations

from textual.drivers._byte_stream import ByteStream
from textual.drivers.web_driver import WebDriver, _ExitInput

from ringfence_tui.handing import Handing
from ringfence_tui.typed_input import TypedInput


class BrowserDriver(WebDriver):
    """A browser: the server sends packets of what was typed ("D") and of what else there is to say."""

    def run_input_thread(self) -> None:
        """Hand on what is typed until the server says that it is over."""
        typed = TypedInput(lambda: self._size or (80, 24))
        handing = Handing(self, self.exit_event)
        packets = ByteStream()
        try:
            for data in self._input_reader:  # nothing, ten times a second, while nobody types
                for kind, payload in packets.feed(data) if data else ():
                    if kind == "D":
                        handing.hand(typed.read(payload))
                    else:
                        self._on_meta(kind, payload)
                handing.hand(typed.pause())
        except _ExitInput:
            pass
        finally:
            self._input_reader.close()

"""A headless Chromium for tests, driven over a pipe (DevTools Protocol): real clicks and keys, every request and error.

The protocol's messages are JSON ended by a NUL on descriptors 3 and 4 of the browser (`--remote-debugging-pipe`).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from select import select
from typing import Any, cast

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 30.0
# Nothing of the browser's own goes out either: no updates, no variations. It opens only what tests wrote, and its
# sandbox wants what containers and root do not have.
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--window-size=1400,900",
)
Message = dict[str, Any]


@cache
def lacking() -> str:
    """Return why no browser can be started here; empty where one can."""
    program = _program()
    if program is None:
        return "no Chromium on this machine: apt-get install chromium"
    asked = subprocess.run([program, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return f"{program} does not start: {asked.stderr.strip()[:200]}" if asked.returncode else ""


def _program() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass
class Page:
    """One page: `requests` are the addresses that it asked for, `errors` all that its console complained of."""

    browser: Browser
    session: str
    target: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: object) -> Message:
        """Call a method of the protocol and return its result."""
        return self.browser.call(method, parameters, self.session)

    def open(self, where: Path | str, seconds: float = SECONDS) -> None:
        """Load a file or an address and wait until it has loaded, for so long at most."""
        self.call("Page.navigate", url=where.as_uri() if isinstance(where, Path) else where)
        self.until("document.readyState === 'complete'", seconds)

    def close(self) -> None:
        """Close the page."""
        self.browser.call("Target.closeTarget", {"targetId": self.target})

    def value(self, expression: str, seconds: float = SECONDS) -> Any:
        """Return the value of an expression in the page; a promise is awaited. Raise AssertionError where it throws."""
        asked = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        found = self.browser.call("Runtime.evaluate", asked, self.session, seconds)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition: str, seconds: float = SECONDS) -> None:
        """Wait until an expression is true in the page, looked at with every frame."""
        self.value(
            f"new Promise(done => {{ const look = () => ({condition}) ? done(true) : setTimeout(look, 5); look(); }})",
            seconds,
        )

    def click(self, x: float, y: float) -> None:
        """Move the mouse to a point of the page and click."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press and release a key: a character, or a name as `Enter`."""
        text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.call("Input.insertText", text=text)


class Browser:
    """A running browser; what pages ask for and complain of is kept as it is told."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._bytes = b""
        self._number = 0
        self._pages: dict[str, Page] = {}

    def page(self, *, dark: bool = False, downloads: Path | None = None) -> Page:
        """Open an empty page."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        if dark:
            page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        if downloads:
            self.call("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
        return page

    def processor_seconds(self) -> float:
        """Return the processor time of all processes of the browser so far."""
        return float(sum(one["cpuTime"] for one in self.call("SystemInfo.getProcessInfo", {})["processInfo"]))

    def call(
        self, method: str, parameters: Mapping[str, object], session: str | None = None, seconds: float = SECONDS
    ) -> Message:
        """Call a method and return its result; what else is told meanwhile is kept."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        message = json.dumps({**asked, "sessionId": session} if session else asked)
        os.write(self._write, message.encode() + b"\0")
        ends = time.monotonic() + seconds
        while (told := self._next(ends)).get("id") != self._number:
            self._keep(told)
        assert "error" not in told, (method, told["error"])
        return cast(Message, told["result"])

    def _next(self, ends: float) -> Message:
        while b"\0" not in self._bytes:
            ready, _, _ = select([self._read], [], [], max(0.0, ends - time.monotonic()))
            assert ready, "the browser did not answer in time"
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has ended"
            self._bytes += more
        message, _, self._bytes = self._bytes.partition(b"\0")
        return cast(Message, json.loads(message))

    def _keep(self, told: Message) -> None:
        page = self._pages.get(told.get("sessionId", ""))
        if page is None:
            return
        what = told["params"]
        match told["method"]:
            case "Network.requestWillBeSent":
                page.requests.append(what["request"]["url"])
            case "Runtime.exceptionThrown":
                page.errors.append(json.dumps(what["exceptionDetails"]))
            case "Log.entryAdded":
                page.errors.append(f"{what['entry']['level']}: {what['entry']['text']}")
            case "Runtime.consoleAPICalled":
                page.errors.append(f"{what['type']}: {[one.get('value') for one in what['args']]}")
            case "Page.javascriptDialogOpening":
                page.errors.append(f"dialog: {what['message']}")


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser with a profile of its own, and end it with all its processes."""
    program = _program()
    assert program, lacking()
    their_read, our_write = os.pipe()
    our_read, their_write = os.pipe()

    with tempfile.TemporaryDirectory(prefix="ringfence-chromium-", ignore_cleanup_errors=True) as profile:
        # the shell puts the pipes where the browser expects them
        script = f'exec "$@" 3<&{their_read} 4>&{their_write}'
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", program, *OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=(their_read, their_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(their_read)
        os.close(their_write)
        try:
            yield Browser(our_read, our_write)
        finally:
            os.close(our_read)
            os.close(our_write)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

"""The page of `ringfence serve` in a real Chromium: it asks for nothing elsewhere, and keys arrive."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests import chromium
from tests.tui.served import WAITS, served
from tests.unit.cli_shop import shop

pytestmark = pytest.mark.skipif(bool(chromium.lacking()), reason=chromium.lacking() or "never")


def picture(page: chromium.Page) -> str:
    """Return the page as an image; the terminal is painted, so that the page has no words to look for."""
    return str(page.call("Page.captureScreenshot", format="png")["data"])


def wait_for_another(page: chromium.Page, than: str) -> str:
    """Wait until the page looks different, and is painted; return how."""
    until = time.monotonic() + WAITS
    shown = than
    while time.monotonic() < until:
        before, shown = shown, picture(page)
        if shown not in (than, "") and shown == before:
            return shown
    raise AssertionError("the page stays as it is")


def test_the_application_is_shown_and_keys_arrive(tmp_path: Path) -> None:
    with served(shop(tmp_path)) as running, chromium.browser() as browser:
        page = browser.page()
        page.open(running.address)
        page.until("document.body.classList.contains('-first-byte')")
        page.click(300, 300)
        page.until("document.activeElement.classList.contains('xterm-helper-textarea')")
        overview = picture(page)
        page.press("?")
        wait_for_another(page, overview)
        page.press("q")  # closes the help
        page.press("q")
        page.until("document.body.classList.contains('-closed')")
        assert page.requests
        assert [one for one in page.requests if not one.startswith((running.address, "data:"))] == []
        assert [one for one in page.errors if not one.startswith(("log: ", "warning: "))] == []
        assert "Content Security Policy" not in "".join(page.errors)
        assert running.process.poll() is None


def test_a_page_elsewhere_cannot_open_its_socket(tmp_path: Path) -> None:
    with served(shop(tmp_path)) as running, chromium.browser() as browser:
        page = browser.page()
        stranger = tmp_path / "stranger.html"
        stranger.write_text("<!DOCTYPE html><title>elsewhere</title>")
        page.open(stranger)
        address = f"ws://127.0.0.1:{running.port}{running.path}ws?width=80&height=24"
        opened = page.value(
            f"new Promise(done => {{ const one = new WebSocket({address!r});"
            " one.onopen = () => done('opened'); one.onerror = () => done('refused'); })"
        )
        assert opened == "refused"
        assert not running.processes()

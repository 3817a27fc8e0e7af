"""`ringfence serve` behind nginx with TLS, set up as docs/tui.md says: the exact Host and Origin get through."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from tests import chromium
from tests.tui.served import SOCKET, WAITS, Served, opened, served, wait_gone
from tests.unit.cli_shop import shop

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
DOCUMENTED = re.compile(r"^location / \{\n.*?^\}", re.MULTILINE | re.DOTALL)
NGINX = """\
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
  access_log {directory}/access.log;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {directory}/certificate.pem;
    ssl_certificate_key {directory}/key.pem;
    {location}
  }}
}}
"""


def location(port: int) -> str:
    """Return what docs/tui.md tells people to write, with a port of ours."""
    (found,) = DOCUMENTED.findall((Path(__file__).parents[2] / "docs/tui.md").read_text(encoding="utf-8"))
    return str(found).replace("8470", str(port))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def proxied(directory: Path, *options: str) -> Iterator[tuple[Served, Path]]:
    """Run a server with nginx before it; yield the server, with the address that people type, and nginx's directory."""
    port, behind, own = free_port(), free_port(), directory / "nginx"
    own.mkdir()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(own / "key.pem")]
    certificate = ["openssl", "req", "-x509", *key, "-out", str(own / "certificate.pem"), *subject]
    subprocess.run(certificate, check=True, capture_output=True)
    (own / "nginx.conf").write_text(NGINX.format(directory=own, port=port, location=location(behind)))
    command = ["nginx", "-p", str(own), "-e", str(own / "error.log"), "-c", str(own / "nginx.conf")]
    address = f"https://localhost:{port}"
    behind_proxy = ("--behind-proxy", address, "--port", str(behind), *options)
    with served(shop(directory), *behind_proxy) as running, subprocess.Popen(command) as nginx:
        try:
            until = time.monotonic() + WAITS
            while time.monotonic() < until:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield running, own
        finally:
            nginx.terminate()
            nginx.wait(WAITS)


def test_behind_nginx_as_documented_a_session_works_and_strangers_are_refused(tmp_path: Path) -> None:
    async def session(running: Served) -> set[int]:
        origin = running.address.partition(running.path)[0]
        nobodys = ssl.create_default_context()
        nobodys.check_hostname, nobodys.verify_mode = False, ssl.CERT_NONE
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=nobodys)) as client:

            async def status(path: str, **headers: str) -> int:
                async with client.get(origin + path, headers=headers, allow_redirects=False) as answer:
                    return answer.status

            assert await status(running.path) == 200
            assert await status(running.path, Origin=origin) == 200
            assert await status("/") == 404
            assert await status(running.path, Host="evil.example") == 403
            assert await status(running.path, Host="localhost") == 403
            assert await status(running.path, Origin="https://evil.example") == 403
            socket_path = f"{running.path}ws?width=80&height=24"
            assert await status(socket_path, Origin="https://evil.example", **SOCKET) == 403
            assert await status(socket_path, **SOCKET) == 403
        async with opened(running.address) as browser:
            await browser.wait_for("ASSETS")
            await browser.press("2")
            await browser.wait_for(">api-1")
            return running.processes()

    with proxied(tmp_path) as (running, own):
        assert running.address.startswith("https://localhost:")
        processes = asyncio.run(session(running))
        wait_gone(processes)
        assert running.path not in (own / "access.log").read_text(), "the path is the key"


@pytest.mark.skipif(bool(chromium.lacking()), reason=chromium.lacking() or "never")
def test_a_browser_speaks_another_protocol_to_the_proxy_and_comes_in(tmp_path: Path) -> None:
    with proxied(tmp_path) as (running, _), chromium.browser() as browser:
        page = browser.page()
        page.call("Security.setIgnoreCertificateErrors", ignore=True)
        page.open(running.address)
        assert page.value("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        page.until("document.body.classList.contains('-first-byte')")

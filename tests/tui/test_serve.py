"""`ringfence serve`: what the gate refuses, what is bounded, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from ringfence_tui.serve.gate import Gate, origin_of
from ringfence_tui.serve.server import Server

from tests.tui.served import Served, opened, served, wait_gone
from tests.unit.cli_shop import shop

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(shop(tmp_path_factory.mktemp("served"))) as one:
        yield one


def test_the_page_is_opened_by_its_address_alone(running: Served) -> None:
    assert running.status(running.path) == 200
    assert running.status(running.path, Origin=running.origin) == 200
    assert running.status("/") == 404
    assert running.status("/" + "a" * 43 + "/") == 404
    assert running.status(running.path[:-2] + "/") == 404
    assert running.status("http://127.0.0.1" + running.path) == 404


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1", "", None])
def test_another_host_is_refused(running: Served, host: str | None) -> None:
    assert running.status(running.path, Host=host) in (400, 403)
    assert running.socket_status(f"{running.path}ws?width=80&height=24", running.origin, Host=host) in (400, 403)


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1", "https://127.0.0.1:1", ""])
def test_another_origin_is_refused(running: Served, origin: str) -> None:
    assert running.status(running.path, Origin=origin) == 403
    assert running.socket_status(f"{running.path}ws?width=80&height=24", origin) == 403


def test_a_socket_names_its_origin_and_the_path(running: Served) -> None:
    assert running.socket_status(f"{running.path}ws?width=80&height=24", None) == 403
    assert running.socket_status("/ws?width=80&height=24", running.origin) == 404
    assert running.socket_status(f"/{'a' * 43}/ws?width=80&height=24", running.origin) == 404
    assert running.status(f"{running.path}ws?width=80&height=24", Origin=running.origin) == 400
    assert not running.processes()


@pytest.mark.parametrize(
    "size",
    ["width=9999999&height=9999999", "width=501&height=24", "width=80&height=201", "width=-80&height=24", ""],
)
def test_a_size_that_no_terminal_has_is_refused(running: Served, size: str) -> None:
    assert running.socket_status(f"{running.path}ws?{size}", running.origin) == 400
    assert not running.processes()


@pytest.mark.parametrize(
    "name",
    ["static/", "static/js/textual.js", "../", "..%2f..%2fetc/passwd", "download/x", "/etc/passwd", "ws/", "%00"],
)
def test_there_is_no_other_file_and_no_list_of_them(running: Served, name: str) -> None:
    assert running.status(running.path + name) in (400, 404)


def test_nothing_but_get_is_answered(running: Served) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert running.status(running.path, method) == 405


def test_a_page_may_load_nothing_from_elsewhere(running: Served) -> None:
    head = running.answer(running.path).decode()
    assert "default-src 'none'; script-src 'self';" in head
    assert f"connect-src 'self' ws://127.0.0.1:{running.port};" in head
    assert "Referrer-Policy: no-referrer" in head
    assert "X-Content-Type-Options: nosniff" in head
    assert "Set-Cookie" not in head


def test_the_address_is_kept_for_its_owner_alone_and_in_no_command_line(running: Served) -> None:
    (kept,) = (running.directory / ".ringfence").glob("serve-*.url")
    assert kept.read_text() == running.address + "\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(running.path.strip("/")) == 43

    async def commands() -> list[bytes]:
        async with opened(running.address) as browser:
            await browser.wait_for("ASSETS")
            return [
                Path(f"/proc/{pid}/{name}").read_bytes()
                for pid in running.processes()
                for name in ("cmdline", "environ")
            ]

    found = asyncio.run(commands())
    assert len(found) >= 4
    assert not [one for one in found if running.path.strip("/").encode() in one]


def test_keys_arrive_nothing_may_be_changed_and_the_end_of_the_socket_ends_it(running: Served) -> None:
    async def session() -> set[int]:
        async with opened(running.address) as browser:
            await browser.wait_for("read-only")
            await browser.press("2")
            await browser.wait_for(">api-1")
            await browser.press("L")
            await browser.wait_for("cannot write labels.yml")
            await browser.socket.send_json(["resize", {"width": 9999999, "height": 9999999}])
            await browser.press("j")
            await browser.wait_for(">db-1")
            return running.processes()

    processes = asyncio.run(session())
    assert len(processes) >= 2
    wait_gone(processes)


def test_changes_are_allowed_by_the_option_alone_and_an_editor_is_not_there(tmp_path: Path) -> None:
    async def session(address: str) -> None:
        async with opened(address, (160, 40)) as browser:
            await browser.wait_for("ASSETS")
            await browser.press("4")
            await browser.wait_for("drop rule")
            assert "$EDITOR" not in "\n".join(browser.screen.display)
            assert "read-only" not in "\n".join(browser.screen.display)

    with served(shop(tmp_path), "--allow-changes") as running:
        asyncio.run(session(running.address))


def test_leaving_closes_the_socket(running: Served) -> None:
    async def session() -> None:
        async with opened(running.address) as browser:
            await browser.wait_for("ASSETS")
            await browser.press("q")
            await browser.wait_end()

    asyncio.run(session())


def test_a_fifth_session_is_refused_until_one_has_ended(running: Served) -> None:
    path = f"{running.path}ws?width=80&height=24"

    async def sessions() -> None:
        async with opened(running.address), opened(running.address), opened(running.address):
            async with opened(running.address) as fourth:
                assert await asyncio.to_thread(running.socket_status, path, running.origin) == 503
                await fourth.wait_for("ASSETS")
                await fourth.press("q")
                await fourth.wait_end()
            async with opened(running.address) as another:
                await another.wait_for("ASSETS")

    asyncio.run(sessions())
    wait_gone(running.processes())


@pytest.mark.parametrize("message", ["[", "[" * 50_000, '{"a": 1}', '["stdin", 7]', '["quit"]', '["resize", []]'])
def test_a_message_that_the_page_would_not_send_ends_the_session(running: Served, message: str) -> None:
    async def session() -> None:
        async with opened(running.address) as browser:
            await browser.socket.send_str(message)
            await browser.wait_end()

    asyncio.run(session())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_is_left_when_the_server_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    async def session(running: Served) -> set[int]:
        async with opened(running.address) as browser:
            await browser.wait_for("ASSETS")
            processes = running.processes()
            running.process.send_signal(number)
            await asyncio.to_thread(running.process.wait, 30)
            return processes

    with served(shop(tmp_path)) as running:
        processes = asyncio.run(session(running))
        assert len(processes) >= 2
        wait_gone(processes)
        if number is not signal.SIGKILL:
            assert not list((tmp_path / ".ringfence").glob("serve-*.url"))


def test_an_application_that_heeds_nothing_is_killed_with_its_socket(running: Served) -> None:
    async def session() -> set[int]:
        async with opened(running.address) as browser:
            await browser.wait_for("ASSETS")
            processes = running.processes()
            for pid in processes:
                signal.pidfd_send_signal(pidfd(pid), signal.SIGSTOP)
            return processes

    processes = asyncio.run(session())
    applications = {pid for pid in processes if b"serve.application" in Path(f"/proc/{pid}/cmdline").read_bytes()}
    wait_gone(applications)
    for pid in processes - applications:
        signal.pidfd_send_signal(pidfd(pid), signal.SIGCONT)
    wait_gone(processes)


def pidfd(pid: int) -> int:
    return os.pidfd_open(pid)


def test_a_session_that_nobody_types_in_ends(tmp_path: Path) -> None:
    async def session() -> None:
        gate = Gate("http://127.0.0.1:0")
        said: list[str] = []
        server = Server(gate, ["--workspace", str(shop(tmp_path)), "--read-only"], said.append, idle=0.5)
        runner = web.AppRunner(server.application(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        server.gate = Gate(f"http://127.0.0.1:{port}", gate.token)
        async with opened(server.gate.address) as browser:
            await browser.wait_end()
        await runner.cleanup()
        assert (server.open_now, said) == (0, [])

    asyncio.run(session())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "is not an address of this machine alone"),
        (["--host", "evil.example"], "is not an address of this machine alone"),
        (["--behind-proxy", "ringfence.example.org"], "is not an address as"),
        (["--behind-proxy", "https://ringfence.example.org/below"], "is not an address as"),
    ],
)
def test_what_others_could_read_is_not_served(tmp_path: Path, options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "ringfence.cli", "serve", "--workspace", str(shop(tmp_path)), *options]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_behind_a_proxy_its_host_and_origin_count(tmp_path: Path) -> None:
    with served(shop(tmp_path), "--behind-proxy", "https://Ringfence.example.org:443", "--port", "0") as running:
        assert running.address.startswith("https://ringfence.example.org/")
        port = int(next((tmp_path / ".ringfence").glob("serve-*.url")).stem.rpartition("-")[2])
        direct = Served(running.process, f"http://127.0.0.1:{port}{running.path}", tmp_path)
        assert direct.status(running.path) == 403
        assert direct.status(running.path, Host="ringfence.example.org") == 200
        assert direct.status(running.path, Host="ringfence.example.org", Origin=f"http://127.0.0.1:{port}") == 403


def test_an_origin_is_written_as_browsers_send_it() -> None:
    assert origin_of("https://Ringfence.Example.org:443/") == "https://ringfence.example.org"
    assert origin_of("http://[::1]:8470") == "http://[::1]:8470"
    for wrong in ("ftp://a", "https://", "https://a/b", "https://u@a", "https://a b", "https://a:x", "https://a?b"):
        assert origin_of(wrong) is None

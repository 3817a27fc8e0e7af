"""Sinks are told what they want, in their own formats; a dead one is counted and stops nothing."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from time import monotonic

import pytest
from ringfence.model.errors import InputError
from ringfence.model.watch_settings import Sends, SinkSettings
from ringfence.watch import webhook
from ringfence.watch.events import Kind
from ringfence.watch.sinks import QUEUED, JsonLines, Sink, ended, opened
from ringfence.watch.syslog import Syslog
from ringfence.watch.violations import violation_of
from ringfence.watch.webhook import Webhook

from tests.unit.watch.watch_factory import event

TOKEN = "t0ken"


@contextmanager
def receiver(*answers: int) -> Iterator[tuple[str, list[tuple[str, object]]]]:
    """Give the URL of a server that answers so, the last answer for ever, and what it got: token and events."""
    got: list[tuple[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers.get("Authorization", ""), json.loads(body)["events"]))
            self.send_response(answers[min(len(got), len(answers)) - 1])
            self.send_header("Location", "http://192.0.2.1/")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/secret-path", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "WAITS", (0.0, 0.0))


def test_a_file_gets_a_line_of_json_for_each_event(tmp_path: Path) -> None:
    (sink,) = opened([SinkSettings("file", "out/watch.jsonl", Sends.DENIALS)], tmp_path)
    sink.event(event())
    sink.event(event(Kind.ALLOWED, answered=True))
    sink.violation(violation_of(event()))
    ended([sink])
    lines = [json.loads(line) for line in (tmp_path / "out/watch.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["denied", "violation"]
    assert lines[0]["violation"] == lines[1]["violation"]["id"]
    assert lines[0]["client"] == {"address": "10.0.0.3", "asset": "dev", "labels": {"role": "dev"}}
    assert sink.data()["sent"] == 2


def test_a_webhook_gets_its_token_and_tries_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOOK", TOKEN)
    with receiver(503, 200) as (url, got):
        (sink,) = opened([SinkSettings("webhook", url, token_env="HOOK")], tmp_path)
        sink.violation(violation_of(event()))
        ended([sink])
    assert [token for token, _ in got] == [f"Bearer {TOKEN}"] * 2
    assert sink.data() == {"sink": sink.name, "sent": 1, "dropped": 0, "trouble": ""}
    assert "secret-path" not in str(sink.data())
    assert TOKEN not in str(sink.data())


@pytest.mark.parametrize(("answer", "tries"), [(500, 3), (404, 1), (302, 1)])
def test_a_webhook_is_not_tried_for_ever_and_follows_nowhere(answer: int, tries: int) -> None:
    with receiver(answer) as (url, got):
        sink = Sink(Webhook(url, TOKEN), Sends.VIOLATIONS)
        sink.violation(violation_of(event()))
        ended([sink])
    assert len(got) == tries
    assert sink.data()["dropped"] == 1
    assert sink.trouble == f"it answers {answer}"


def test_a_dead_sink_takes_a_bounded_queue_and_counts_the_rest() -> None:
    class Dead:
        name = "dead"
        asked = threading.Event()
        go_on = threading.Event()

        def send(self, messages: object) -> None:
            self.asked.set()
            self.go_on.wait(120)
            raise OSError("nobody there")

        def close(self) -> None:
            """Nothing is open."""

    dead = Dead()
    sink = Sink(dead, Sends.DENIALS)
    sink.event(event())
    assert dead.asked.wait(120)
    for _ in range(QUEUED + 50):
        sink.event(event())
    assert sink.dropped == 50
    dead.go_on.set()
    sink.end(monotonic() + 5)
    assert sink.data() == {"sink": "dead", "sent": 0, "dropped": QUEUED + 51, "trouble": "nobody there"}


def test_syslog_is_rfc_5424_over_udp_and_a_socket_of_this_machine(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "log"))
        Syslog(f"udp://127.0.0.1:{udp.getsockname()[1]}").send([event().data()])
        Syslog(f"unix://{tmp_path}/log").send([event(Kind.ALLOWED).data()])
        first, second = udp.recv(4096), unix.recv(4096)
    assert first.startswith(b"<132>1 2026-11-29T20:00:00Z ")
    assert second.startswith(b"<134>1 ")
    head, _, text = first.partition(b" - ")
    assert head.endswith(b" denied")
    assert json.loads(text)["rule"] == "nodev"


def test_syslog_over_tcp_counts_octets_and_connects_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = Syslog(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        sender.send([event().data(), event().data()])
        connection, _ = server.accept()
        with connection:
            got = connection.recv(65536)
    count, _, rest = got.partition(b" ")
    assert rest[: int(count)].endswith(b"}")
    assert rest[int(count) :].startswith(count)
    sender.close()
    with pytest.raises(OSError, match="refused"):
        sender.send([event().data()])


def test_a_token_that_is_not_there_is_told_before_the_watch_begins(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("two words\n")
    for settings in (
        SinkSettings("webhook", "https://x/", token_env="RINGFENCE_NO_SUCH"),
        SinkSettings("webhook", "https://x/", token_file="none"),
        SinkSettings("webhook", "https://x/", token_file="token"),
        SinkSettings("file", "token/below"),
    ):
        with pytest.raises(InputError):
            opened([settings], tmp_path)


def test_json_lines_are_appended(tmp_path: Path) -> None:
    for _ in range(2):
        lines = JsonLines(tmp_path / "w.jsonl")
        lines.send([{"event": "x"}])
        lines.close()
    assert (tmp_path / "w.jsonl").read_text() == '{"event": "x"}\n' * 2


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_file_that_is_none_is_told_before_the_watch_begins(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "events"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "other")
    with pytest.raises(InputError, match="cannot be written"):
        opened([SinkSettings("file", "events")], tmp_path)


def test_a_line_that_a_full_disk_tore_is_ended_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = JsonLines(tmp_path / "events")
    write, room = os.write, [5, 0]

    def full(descriptor: int, text: bytes) -> int:
        if room and not room[0]:
            raise OSError(28, "No space left on device")
        return write(descriptor, text[: room.pop(0)] if room else text)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        sender.send([{"event": 1}])
    room.clear()
    sender.send([{"event": 2}])
    sender.close()
    assert (tmp_path / "events").read_text() == '{"eve\n{"event": 2}\n'

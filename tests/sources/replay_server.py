"""A small HTTP server on loopback that replays documented answers and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Replay:
    """What is answered, by path: an object, or a function of the query that gives one, or a status and text."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []
        self.url = ""

    def answer(self, method, target, headers, body):
        parts = urlsplit(target)
        query = parse_qsl(parts.query)
        self.asked.append((method, parts.path, query, dict(headers), body))
        found = self.answers.get(parts.path, (404, "not found"))
        found = found(dict(query)) if callable(found) else found
        if isinstance(found, tuple):
            status, said, *more = found
            return status, str(said).encode(), dict(more[0]) if more else {}
        return 200, json.dumps(found).encode(), {}


@contextmanager
def replaying(answers):
    """Give a running Replay; its `url` is where it listens."""
    replay = Replay(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content, headers = replay.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": len(content), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    replay.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)

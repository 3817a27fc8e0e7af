"""A small HTTP server on loopback that replays documented answers and keeps what it was asked."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Replay:
    """What is answered, by path: an object, or a function of the query (of the body, where there is one) that gives
    an object or a text, or a status and text."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []
        self.url = ""

    def answer(self, method, target, headers, body):
        parts = urlsplit(target)
        query = parse_qsl(parts.query)
        self.asked.append((method, parts.path, query, dict(headers), body))
        found = self.answers.get(parts.path, (404, "not found"))
        found = found(body or dict(query)) if callable(found) else found
        if isinstance(found, str):
            return 200, found.encode(), {"Content-Type": "application/soap+xml; charset=utf-8"}
        if isinstance(found, tuple):
            status, said, *more = found
            return status, str(said).encode(), dict(more[0]) if more else {}
        return 200, json.dumps(found).encode(), {}


def certificate(directory):
    """Make a certificate of loopback that is its own authority, and its key; return both paths."""
    paths = directory / "tls.pem", directory / "tls.key"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    where = ("-out", paths[0], "-keyout", paths[1])
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *where]
    subprocess.run(command, check=True, capture_output=True)
    return paths


@contextmanager
def replaying(answers, tls=None):
    """Give a running Replay; its `url` is where it listens. `tls` has the paths of a certificate and its key."""
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
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    replay.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)

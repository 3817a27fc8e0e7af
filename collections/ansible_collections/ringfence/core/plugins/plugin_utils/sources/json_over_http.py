"""Asks a REST interface for JSON: one connection, TLS checked, throttling obeyed, no redirect followed."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused

Query = Sequence[tuple[str, str]]
_LARGEST = 256 * 1024 * 1024
_LONGEST_WAIT = 60.0
_LONGEST_WORDS = 300
_AGAIN = (429, 502, 503, 504)


@dataclass(frozen=True)
class Endpoint:
    """Where an interface is, what every request says, and whom to trust."""

    url: str
    headers: Mapping[str, str]
    ca_certs: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    validate_certs: bool = True
    timeout: int = 30
    retries: int = 4


class NoAnswer(Exception):
    """A request got no answer that can be used; the message says which and why."""


class JsonClient:
    """Asks one endpoint; closed with `with`."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Take an endpoint; raise SourceRefused where its URL is none, or would show a secret on the way."""
        parts = urlsplit(endpoint.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise SourceRefused(f"'{endpoint.url}' is not a valid server URL: write https://host")
        if parts.scheme == "http" and "Authorization" in endpoint.headers and not _is_loopback(parts.hostname):
            raise SourceRefused(f"the token would go to {endpoint.url} in clear text: use https://")
        self._endpoint = endpoint
        self._base = parts.path.rstrip("/")
        self._connection = _connection(endpoint)

    def __enter__(self) -> JsonClient:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str, query: Query = ()) -> dict[str, object]:
        """Return the object that a path below the endpoint's answers; raise NoAnswer where there is none."""
        target = f"{self._base}/{path}" + (f"?{urlencode(query)}" if query else "")
        for attempt in range(self._endpoint.retries + 1):
            status, wait, content = self._ask(path, target)
            if status == 200:
                return _object(path, content)
            if status not in _AGAIN or attempt == self._endpoint.retries:
                break
            time.sleep(min(wait if wait is not None else 0.5 * 2**attempt, _LONGEST_WAIT))
        raise NoAnswer(f"{path}: {status} {http.client.responses.get(status, '')}: {_said(content)}")

    def _ask(self, path: str, target: str) -> tuple[int, float | None, bytes]:
        try:
            self._connection.request("GET", target, headers={"Accept": "application/json", **self._endpoint.headers})
            response = self._connection.getresponse()
            content = response.read(_LARGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise NoAnswer(f"{path}: {error or type(error).__name__}") from error
        if len(content) > _LARGEST:
            self._connection.close()
            raise NoAnswer(f"{path}: the answer is larger than {_LARGEST >> 20} MiB")
        wait = response.headers.get("Retry-After", "")
        return response.status, float(wait) if wait.isascii() and wait.isdigit() else None, content


def _connection(endpoint: Endpoint) -> http.client.HTTPConnection:
    parts = urlsplit(endpoint.url)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port or 80, timeout=endpoint.timeout)
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_certs)
        if endpoint.client_cert:
            context.load_cert_chain(endpoint.client_cert, endpoint.client_key)
    except (OSError, ssl.SSLError) as error:
        raise SourceRefused(f"the certificates for {endpoint.url} cannot be read: {error}") from error
    if not endpoint.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, parts.port or 443, timeout=endpoint.timeout, context=context)


def _object(path: str, content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"{path}: the answer is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise NoAnswer(f"{path}: the answer is not an object")
    return found


def _said(content: bytes) -> str:
    """Return the words with which a server refuses: its message, where the answer is an object that has one."""
    text = content[:_LONGEST_WORDS].decode(errors="replace")
    with suppress(ValueError, RecursionError):
        found = json.loads(content)
        if isinstance(found, dict):
            text = next((str(found[key]) for key in ("message", "detail") if isinstance(found.get(key), str)), text)
    return " ".join(text[:_LONGEST_WORDS].split())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

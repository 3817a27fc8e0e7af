"""A webhook: messages are posted as JSON over https, a few times at most, with a token that nothing prints."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from ringfence.model.errors import InputError, Place
from ringfence.model.watch_settings import SinkSettings

TRIES = 3
SECONDS = 5.0
# Seconds before the second and the third try.
WAITS = (1.0, 4.0)
GOOD = range(200, 300)
# Answers after which the same message may be taken later (RFC 9110, 15.6; RFC 6585, 4).
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class Webhook:
    """Posts `{"events": […]}`. No redirection is followed: the token is for this host alone."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urlsplit(url)
        self.name = f"{parts.scheme}://{parts.netloc}/…"  # the path may be a secret
        self._secure = parts.scheme == "https"
        self._netloc = parts.netloc
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "User-Agent": "ringfence"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._over = threading.Event()

    @staticmethod
    def of(settings: SinkSettings, directory: Path) -> Webhook:
        """Return the webhook of settings. Raise InputError where its token is not to be had."""
        return Webhook(settings.target, _token(settings, directory))

    def send(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Post messages; raise OSError after the last try, or where the answer says that no try will do."""
        body = json.dumps({"events": list(messages)}).encode()
        why = OSError("not tried")
        for attempt in range(TRIES):
            if attempt and self._over.wait(WAITS[attempt - 1]):
                break
            try:
                status = self._post(body)
            except (OSError, HTTPException) as error:
                why = OSError(getattr(error, "strerror", None) or type(error).__name__)
                continue
            if status in GOOD:
                return
            why = OSError(f"it answers {status}")
            if status not in LATER:
                break
        raise why

    def close(self) -> None:
        """Try nothing again from now on."""
        self._over.set()

    def _post(self, body: bytes) -> int:
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._netloc, timeout=SECONDS)
        try:
            connection.request("POST", self._path, body, self._headers)
            return connection.getresponse().status
        finally:
            connection.close()


def _token(settings: SinkSettings, directory: Path) -> str:
    if settings.token_env:
        token = os.environ.get(settings.token_env, "")
        if not token:
            raise InputError(f"the environment has no {settings.token_env}, which the webhook's token is to come from")
    elif settings.token_file:
        path = directory / settings.token_file
        try:
            token = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise InputError("the webhook's token cannot be read from this file", Place(str(path))) from error
        if not token:
            raise InputError("there is no token in it", Place(str(path)))
    else:
        return ""
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise InputError("the webhook's token has characters that no header may have")
    return token

"""Asks a vCenter for the tags of its machines, over its REST interface, in the form of today or that before 7.0 U2."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from types import TracebackType
from typing import Any
from urllib.parse import quote

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.api import Login

# vSphere Automation API: `/api` since 7.0 U2; `/rest` wraps every answer in `value`.
_FORMS = (
    ("/api", "/api/session", "/cis/tagging", "?action="),
    ("/rest", "/rest/com/vmware/cis/session", "/com/vmware/cis/tagging", "?~action="),
)
_TAGS_AT_ONCE = 100


@dataclass(frozen=True)
class MachineTags:
    """The tags of machines by their ids, categories with their sorted values; or why they cannot be read."""

    of: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    failure: str | None = None


def read_tags(login: Login) -> MachineTags:
    """Return the tags of all machines."""
    try:
        with _Session(login) as session:
            return MachineTags(_read(session))
    except KeyError as error:
        return MachineTags(failure=f"tags cannot be read: an answer lacks {error}")
    except (OSError, HTTPException, ValueError, TypeError) as error:
        return MachineTags(failure=f"tags cannot be read: {error}")


def _read(session: _Session) -> dict[str, dict[str, list[str]]]:
    names = {}
    categories: dict[str, str] = {}
    identities = [str(one) for one in session.get("/tag")]
    for start in range(0, len(identities), _TAGS_AT_ONCE):
        names.update(_used(session, identities[start : start + _TAGS_AT_ONCE]))
    found: dict[str, dict[str, list[str]]] = {}
    for identity, machines in names.items():
        tag = session.get(f"/tag/{session.identity(identity)}")
        category = str(tag["category_id"])
        if category not in categories:
            categories[category] = str(session.get(f"/category/{session.identity(category)}")["name"])
        for machine in machines:
            found.setdefault(machine, {}).setdefault(categories[category], []).append(str(tag["name"]))
    return {machine: {key: sorted(tags[key]) for key in sorted(tags)} for machine, tags in sorted(found.items())}


def _used(session: _Session, identities: Sequence[str]) -> dict[str, list[str]]:
    """Return the machines of those tags that machines have."""
    answer = session.post("/tag-association", "list-attached-objects-on-tags", {"tag_ids": list(identities)})
    used = {
        str(one["tag_id"]): [
            str(each["id"]) for each in one.get("object_ids") or () if each["type"] == "VirtualMachine"
        ]
        for one in answer
    }
    return {identity: machines for identity, machines in used.items() if machines}


class _Session:
    """A login of the REST interface over one connection, ended when the block is left."""

    def __init__(self, login: Login) -> None:
        self._connection = HTTPSConnection(login.hostname, login.port, context=login.context, timeout=login.seconds)
        self._login = login
        self._headers: dict[str, str] = {}
        self._form = _FORMS[0]

    def __enter__(self) -> _Session:
        basic = b64encode(f"{self._login.username}:{self._login.password}".encode()).decode()
        for form in _FORMS:
            self._form = form
            status, answer = self._ask("POST", form[1], {"Authorization": f"Basic {basic}"})
            if status in (200, 201):
                self._headers = {"vmware-api-session-id": str(self._unwrapped(answer))}
                return self
            if status != 404:
                break
        self._connection.close()
        raise OSError(f"the login answers status {status}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError, HTTPException, ValueError):
            self._ask("DELETE", self._form[1], self._headers)
        self._connection.close()

    def identity(self, identity: str) -> str:
        """Return an id as a part of a path."""
        plain = quote(identity, safe=":")
        return plain if self._form[0] == "/api" else f"id:{plain}"

    def get(self, path: str) -> Any:
        """Return the answer to a question about tags."""
        return self._answer("GET", f"{self._form[0]}{self._form[2]}{path}")

    def post(self, path: str, action: str, question: Mapping[str, Any]) -> Any:
        """Return the answer to a question that has a body."""
        return self._answer("POST", f"{self._form[0]}{self._form[2]}{path}{self._form[3]}{action}", question)

    def _answer(self, method: str, path: str, question: Mapping[str, Any] | None = None) -> Any:
        status, answer = self._ask(method, path, self._headers, question)
        if status != 200:
            raise OSError(f"{path} answers status {status}")
        return self._unwrapped(answer)

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], question: Mapping[str, Any] | None = None
    ) -> tuple[int, Any]:
        body = None if question is None else json.dumps(question)
        more = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, body, {**headers, **more, "Accept": "application/json"})
        response = self._connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text and response.status in (200, 201) else None

    def _unwrapped(self, answer: Any) -> Any:
        if self._form[0] == "/rest" and isinstance(answer, dict):
            answer = answer["value"]
        return [] if answer is None else answer

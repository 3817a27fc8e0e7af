"""Asks a Proxmox VE cluster for nodes, virtual machines and containers, and what guests say of their addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import unmatched

try:
    import proxmoxer
    import requests
    from proxmoxer.core import AuthenticationError, ResourceException
except ImportError as missing:
    PROXMOXER_MISSING: ImportError | None = missing
else:
    PROXMOXER_MISSING = None

Row = Mapping[str, Any]
# pveproxy's own statuses where a node does not answer: 595 no connection, 596 its TLS, 599 too many redirections.
_NODE_AWAY = (595, 596, 599)
_KINDS = ("qemu", "lxc")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
# What a node says of a machine that was deleted since the cluster listed it.
_GONE = re.compile(r"does not exist|no such (vm|container|guest)|unable to find configuration", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """Whom to ask, as whom, for which guests; `verify` is whether certificates count, or a file of authorities."""

    host: str
    user: str
    port: int = 8006
    password: str | None = None
    token_name: str | None = None
    token: str | None = None
    verify: bool | str = True
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    guests: bool = True
    timeout: int = 20
    parallel: int = 8


@dataclass(frozen=True)
class Guest:
    """A virtual machine or container: its row of the cluster, its configuration, and the interfaces it tells of.

    `agentless` is one that answers and tells no addresses; `failure` why it was not read wholly, be it because its node
    is `away`; `gone` is one that was deleted since the cluster listed it.
    """

    row: Row
    configuration: Row = field(default_factory=dict)
    interfaces: Sequence[Row] = ()
    agentless: bool = False
    failure: str = ""
    away: bool = False
    gone: bool = False


@dataclass(frozen=True)
class Answer:
    """What a cluster has; `notes` are filters that none of its machines meets."""

    nodes: Sequence[Row] = ()
    guests: Sequence[Guest] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def ask_proxmox(wanted: Wanted) -> Answer:
    """Return nodes and guests; raise SourceRefused where the cluster does not answer or refuses the account."""
    try:
        api = _connected(wanted)
        rows = _rows(api.cluster.resources.get(type="vm"))
    except (AuthenticationError, ResourceException, requests.RequestException, ValueError) as error:
        raise SourceRefused(f"{wanted.host} gave no list of its machines: {_words(error)}") from error
    failures = {}
    nodes: Sequence[Row] = ()
    try:
        nodes = [row for row in _rows(api.cluster.status.get()) if row.get("type") == "node"]
    except (ResourceException, requests.RequestException, ValueError) as error:
        failures["nodes"] = _words(error)
    machines = [row for row in rows if not row.get("template")]
    have = {name: [text for row in machines for text in _has(row, name)] for name in wanted.filters}
    notes = unmatched("filters", wanted.filters, have, "machine")
    chosen = [row for row in machines if chooses(row, wanted.filters)]
    with ThreadPoolExecutor(max_workers=max(1, wanted.parallel)) as pool:
        guests = list(pool.map(lambda row: _guest(api, row, wanted.guests), chosen))
    return Answer(nodes, _without_gone(api, guests), failures, notes)


def _without_gone(api: proxmoxer.ProxmoxAPI, guests: Sequence[Guest]) -> list[Guest]:
    """Return guests, those marked that failed because the cluster does not list them any more."""
    if not any(guest.failure and not guest.away and not guest.gone for guest in guests):
        return list(guests)
    try:
        there = {str(row.get("vmid")) for row in _rows(api.cluster.resources.get(type="vm"))}
    except (ResourceException, requests.RequestException, ValueError):
        return list(guests)
    return [
        replace(guest, gone=True) if guest.failure and str(guest.row.get("vmid")) not in there else guest
        for guest in guests
    ]


def chooses(row: Row, filters: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a guest has, of every field that filters name, one of the values; of its tags any counts."""
    return all(set(_has(row, name)) & set(values) for name, values in filters.items())


def _has(row: Row, name: str) -> list[str]:
    return tags_of(row) if name == "tags" else [str(row.get(name, ""))]


def tags_of(row: Row) -> list[str]:
    """Return the tags of a guest: one text, with semicolons, commas or blanks between."""
    return [tag for tag in re.split(r"[;,\s]+", str(row.get("tags") or "")) if tag]


def _connected(wanted: Wanted) -> proxmoxer.ProxmoxAPI:
    account = (
        {"token_name": wanted.token_name, "token_value": wanted.token}
        if wanted.token_name
        else {"password": wanted.password or ""}
    )
    return proxmoxer.ProxmoxAPI(
        wanted.host,
        port=wanted.port,
        user=wanted.user,
        verify_ssl=wanted.verify,
        timeout=wanted.timeout,
        **account,
    )


def _guest(api: proxmoxer.ProxmoxAPI, row: Row, talkative: bool) -> Guest:
    """Return a guest; what could not be asked says why. What one guest fails at is its own, unless its node is away."""
    node, kind, number = str(row.get("node")), row.get("type"), str(row.get("vmid"))
    if kind not in _KINDS or not number.isascii() or not number.isdigit() or not _NODE.fullmatch(node):
        return Guest(row, failure="the cluster lists it without a node, a type or a number")
    where = api.nodes(node)(kind)(number)
    try:
        configuration = where.config.get()
        if not isinstance(configuration, dict):
            raise ValueError("the answer is not a configuration")
    except ResourceException as error:
        words = _words(error)
        gone = error.status_code == 404 or _GONE.search(words) is not None
        return Guest(row, failure=words, away=error.status_code in _NODE_AWAY, gone=gone)
    except requests.ConnectionError as error:
        return Guest(row, failure=_words(error), away=True)
    except (requests.RequestException, ValueError) as error:
        return Guest(row, failure=_words(error))
    if not talkative or row.get("status") != "running":
        return Guest(row, configuration)
    try:
        answer = where.interfaces.get() if kind == "lxc" else where.agent("network-get-interfaces").get()
    except (requests.RequestException, ResourceException) as error:
        # The node has just given the configuration: it is the guest that does not answer in time.
        late = not isinstance(error, ResourceException) or error.status_code in _NODE_AWAY
        return Guest(row, configuration, failure=f"it hangs: {_words(error)}" if late else "", agentless=not late)
    except ValueError:
        answer = None
    told = answer.get("result") if isinstance(answer, dict) else answer
    # An agent that refuses the question answers with a mapping, {"error": {…}}.
    if not isinstance(told, list):
        return Guest(row, configuration, agentless=True)
    return Guest(row, configuration, _rows(told))


def _rows(answer: object) -> list[Row]:
    if not isinstance(answer, list):
        raise ValueError("the answer is not a list")
    return [row for row in answer if isinstance(row, dict)]


def _words(error: Exception) -> str:
    if isinstance(error, ResourceException):
        return f"{error.status_code} {error.status_message}: {str(error.content)[:200]}".strip()
    return " ".join(str(error).split()) or type(error).__name__

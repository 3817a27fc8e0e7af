"""Asks a Proxmox VE cluster for nodes, virtual machines and containers, and what guests say of their addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils.option_texts import unmatched
from ansible_collections.ringfence.core.plugins.plugin_utils.source_found import SourceRefused

try:
    import proxmoxer
    import requests
    from proxmoxer.core import AuthenticationError, ResourceException
except ImportError as missing:
    PROXMOXER_MISSING: ImportError | None = missing
else:
    PROXMOXER_MISSING = None

Row = Mapping[str, object]
# pveproxy's own statuses where a node does not answer: 595 no connection, 596 its TLS, 599 too many redirections.
_NODE_AWAY = (595, 596, 599)


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
    """A virtual machine or container: its row of the cluster, its configuration, and the interfaces it tells of."""

    row: Row
    configuration: Row = field(default_factory=dict)
    interfaces: Sequence[Row] = ()
    agentless: bool = False
    failure: str = ""


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
    return Answer(nodes, guests, failures, notes)


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
    """Return a guest; what could not be asked says why. A node that is away fails its guests, an agent only itself."""
    where = api.nodes(row.get("node"))(row.get("type"))(row.get("vmid"))
    try:
        configuration = where.config.get()
        if not isinstance(configuration, dict):
            raise ValueError("the answer is no configuration")
    except (ResourceException, requests.RequestException, ValueError) as error:
        return Guest(row, failure=_words(error))
    if not talkative or row.get("status") != "running":
        return Guest(row, configuration)
    try:
        if row.get("type") == "lxc":
            return Guest(row, configuration, _rows(where.interfaces.get()))
        answer = where.agent("network-get-interfaces").get()
        return Guest(row, configuration, _rows(answer.get("result") if isinstance(answer, dict) else None))
    except ResourceException as error:
        if error.status_code in _NODE_AWAY:
            return Guest(row, configuration, failure=_words(error))
        return Guest(row, configuration, agentless=True)
    except (requests.RequestException, ValueError) as error:
        return Guest(row, configuration, failure=_words(error))


def _rows(answer: object) -> list[Row]:
    if not isinstance(answer, list):
        raise ValueError("the answer is no list")
    return [row for row in answer if isinstance(row, dict)]


def _words(error: Exception) -> str:
    if isinstance(error, ResourceException):
        return f"{error.status_code} {error.status_message}: {str(error.content)[:200]}".strip()
    return " ".join(str(error).split()) or type(error).__name__

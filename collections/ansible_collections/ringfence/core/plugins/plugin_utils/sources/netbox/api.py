"""Asks NetBox and Nautobot for devices, virtual machines and addresses, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.json_over_http import (
    Endpoint,
    JsonClient,
    NoAnswer,
)

Row = Mapping[str, object]
Filters = Mapping[str, Sequence[str]]
DEVICES, MACHINES, ADDRESSES = "dcim/devices/", "virtualization/virtual-machines/", "ipam/ip-addresses/"
INTERFACES, MACHINE_INTERFACES = "dcim/interfaces/", "virtualization/interfaces/"
# Interfaces that are for management out of band alone: those of a server's controller.
MANAGEMENT = "dcim/interfaces/?mgmt_only"
ASSIGNMENTS, NAMESPACES = "ipam/ip-address-to-interface/", "ipam/namespaces/"
# The longest way round; a server that never ends its pages is at fault.
_MOST_PAGES = 100_000


@dataclass(frozen=True)
class Wanted:
    """What to ask: filters as the interface has them, how many rows a page, and whether interfaces too.

    `spaces` is whether to ask whose address space an address is in, where that takes a question of its own.
    """

    endpoint: Endpoint
    kind: str = "netbox"
    device_filters: Filters = field(default_factory=dict)
    machine_filters: Filters = field(default_factory=dict)
    address_filters: Filters = field(default_factory=dict)
    interfaces: bool = False
    spaces: bool = False
    page_size: int = 500


@dataclass
class Answer:
    """Rows by the part of the interface, and why a part was not read, or not wholly."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def ask_netbox(wanted: Wanted) -> Answer:
    """Return what the interface has; every part that fails says why."""
    answer = Answer()
    filters = {DEVICES: wanted.device_filters, MACHINES: wanted.machine_filters, ADDRESSES: wanted.address_filters}
    parts = [DEVICES, MACHINES, ADDRESSES]
    if wanted.kind == "nautobot":
        parts += [ASSIGNMENTS, INTERFACES, MACHINE_INTERFACES, *([NAMESPACES] if wanted.spaces else [])]
    elif wanted.interfaces:
        parts += [INTERFACES, MACHINE_INTERFACES]
    else:
        parts += [MANAGEMENT]
        filters[MANAGEMENT] = {"mgmt_only": ["true"]}
    with JsonClient(wanted.endpoint) as client:
        for part in parts:
            if part == MANAGEMENT and not answer.rows[DEVICES]:
                continue
            rows = answer.rows.setdefault(part, [])
            try:
                for row in _rows(client, part, filters.get(part, {}), wanted):
                    rows.append(row)
            except NoAnswer as error:
                answer.failures[part] = str(error)
    return answer


def _rows(client: JsonClient, part: str, filters: Filters, wanted: Wanted) -> Iterator[Row]:
    query = [(name, value) for name, values in filters.items() for value in values]
    query.append(("limit", str(wanted.page_size)))
    if wanted.kind == "nautobot":
        query.append(("depth", "1"))
    elif part in (DEVICES, MACHINES):
        # Large, slow to make, and where people put secrets; the second word is that of NetBox 4.5 and newer.
        query += [("exclude", "config_context"), ("omit", "config_context")]
    seen = set()
    path = part.partition("?")[0]
    for _ in range(_MOST_PAGES):
        page = client.get(f"api/{path}", query)
        results = page.get("results")
        if not isinstance(results, list):
            raise NoAnswer(f"api/{path}: the answer has no results")
        yield from (row for row in results if isinstance(row, dict))
        following = page.get("next")
        if not isinstance(following, str) or not following:
            return
        # Behind a proxy the address of the next page may name another server; only what it asks for counts.
        query = parse_qsl(urlsplit(following).query)
        if tuple(query) in seen:
            raise NoAnswer(f"api/{path}: its pages repeat")
        seen.add(tuple(query))

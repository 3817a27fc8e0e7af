"""Turns machines of Hyper-V hosts into hosts; what guests say of themselves is data of somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.etree import ElementTree

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import (
    Candidate,
    Found,
    good_addresses,
    good_candidates,
    good_labels,
    is_whole,
    named,
    reached_as_windows,
    without_empty,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.hyperv.api import HostAnswer, Row
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import unmatched

_GUEST = {"FullyQualifiedDomainName": "fqdn", "OSName": "os", "OSVersion": "os_version"}


@dataclass(frozen=True)
class Shape:
    """How hosts are to look: what their labels begin with, how Ansible reaches Windows, whether resting ones count."""

    label_prefix: str = "hyperv_"
    windows_connection: str = "psrp"
    states: Sequence[str] = ()


def hosts(answers: Sequence[HostAnswer], shape: Shape) -> Found:
    """Return the machines of all hosts, and warnings of the hosts that were not reached."""
    rows: dict[Any, tuple[str, Row]] = {}
    for answer in answers:
        for number, row in enumerate(answer.machines):
            if not shape.states or str(row.get("state")) in shape.states:
                # While a machine moves, two hosts of a cluster have it; the one that comes later counts.
                rows[row["id"] if isinstance(row.get("id"), str) else (answer.host, number)] = (answer.host, row)
    malformed: list[str] = []
    turn = partial(_candidate, shape)
    found = good_candidates(rows.values(), turn, lambda item: item[1].get("name"), malformed)
    failed = [answer for answer in answers if answer.failure]
    states = {str(row.get("state")) for answer in answers for row in answer.machines}
    warnings = unmatched("states", {"": shape.states}, {"": states}, "machine")
    warnings += [f"the host {answer.host} was not reached: {answer.failure}" for answer in failed]
    if failed:
        warnings.append(f"{len(failed)} of {len(answers)} hosts were not reached; the rest is there")
    unreached = {f"hyperv {one.host}": one.failure for one in failed}
    known = sorted(named(found), key=lambda host: host[0])
    return Found(known, [*warnings, *malformed], unreached, whole=not failed and is_whole(malformed))


def _candidate(shape: Shape, item: tuple[str, Row]) -> Candidate:
    host, row = item
    adapters = [without_empty(one) for one in _adapters(row)]
    addresses = good_addresses(text for one in adapters for text in one.get("addresses", ()))
    guest = guest_items(row.get("guest"))
    bios = re.search(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", str(row.get("bios") or ""))
    groups = [str(one) for one in _list(row.get("groups"))]
    fact = {
        "kind": "vm",
        # No "id": what Hyper-V calls a machine is not what its firmware, and so other sources, call it.
        "guid": row.get("id"),
        "uuid": bios[0].lower() if bios else None,
        "host": host,
        "state": row.get("state"),
        "generation": row.get("generation"),
        "clustered": row.get("clustered"),
        "groups": groups,
        **guest,
        "mac": [one["mac"] for one in adapters if "mac" in one],
        "interfaces": adapters,
    }
    variables: dict[str, Any] = {
        "ringfence_addresses": addresses,
        "ringfence_labels": good_labels({"host": host, "group": groups[0] if groups else ""}, shape.label_prefix),
        "ringfence_sources": [f"hyperv {host}"],
        "ringfence_hyperv": without_empty(fact),
        **({"ansible_host": addresses[0]} if addresses else {}),
    }
    if guest.get("os", "").startswith("Windows"):
        variables |= reached_as_windows(shape.windows_connection)
    return Candidate(str(row.get("name") or ""), str(row.get("id"))[:8], variables)


def _adapters(row: Row) -> Iterator[dict[str, Any]]:
    for one in _list(row.get("adapters")):
        if isinstance(one, dict):
            digits = str(one.get("mac") or "")
            known = re.fullmatch(r"[0-9A-Fa-f]{12}", digits) and digits != "0" * 12
            yield {
                "name": one.get("name"),
                "mac": ":".join(re.findall("..", digits.lower())) if known else None,
                "switch": one.get("switch"),
                "vlan": one.get("vlan"),
                "addresses": good_addresses(_list(one.get("addresses"))),
            }


def guest_items(items: Any) -> dict[str, str]:
    """Return what a guest says of itself: its name and system, from the items of the data exchange, which are XML."""
    found = {}
    for item in _list(items):
        text = str(item)
        if "<!" in text:
            continue
        try:
            # A document type, the only way to entities, is left out above.
            root = ElementTree.fromstring(text)  # noqa: S314
        except ElementTree.ParseError:
            continue
        values = {one.get("NAME"): one.findtext("VALUE") or "" for one in root.findall("PROPERTY")}
        name = _GUEST.get(str(values.get("Name")))
        if name and values.get("Data"):
            found[name] = str(values["Data"])
    return found


def _list(value: Any) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("value"), list):
        # What Windows PowerShell 5.1 makes of some arrays: {"value": […], "Count": n}.
        return list(value["value"])
    return value if isinstance(value, list) else []

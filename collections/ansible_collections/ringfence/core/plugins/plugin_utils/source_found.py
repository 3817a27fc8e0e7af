"""What a source found: hosts with names of their own, good labels, good addresses, and whom it did not reach."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address

from ansible_collections.ringfence.core.plugins.plugin_utils.label_texts import label_text

# Names that mean something else to Ansible.
_TAKEN = frozenset({"all", "ungrouped", "localhost", "127.0.0.1", "::1"})
_LONGEST_NAME = 200
_SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|cookie|api[_.-]?key|(private|access)[_.-]?key|basicauth|user[_.-]?data",
    re.IGNORECASE,
)
_KEY = re.compile(r"[^A-Za-z0-9_.:/-]+")


@dataclass(frozen=True)
class Found:
    """Hosts, each a name and its variables; warnings for people; and for each part of the source that failed, why.

    The names in `unreached` begin what the assets of that part have in `ringfence_sources`. `tables` are what a source
    tells beside hosts: variables of groups without hosts, each of the name of its group. `whole` is whether nothing
    failed, be it something that took no host away.
    """

    hosts: Sequence[tuple[str, Mapping[str, object]]] = ()
    warnings: Sequence[str] = ()
    unreached: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, object] = field(default_factory=dict)
    whole: bool = True

    def data(self) -> dict[str, object]:
        """Return plain data, as a cache keeps it."""
        hosts = [[name, dict(variables)] for name, variables in self.hosts]
        return {
            "hosts": hosts,
            "warnings": list(self.warnings),
            "unreached": dict(self.unreached),
            "tables": dict(self.tables),
        }


@dataclass(frozen=True)
class Candidate:
    """A host before it has a name that is its alone: the name it would have, and what tells it from another."""

    wish: str
    unique: str
    variables: Mapping[str, object]


class SourceRefused(Exception):
    """A source gave nothing at all; the message says which and why."""


def named(candidates: Sequence[Candidate]) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield names and variables: who shares the name it would have is told apart by what is its own, all of them."""
    wishes = [host_name(one.wish) or host_name(one.unique) or "unnamed" for one in candidates]
    count = Counter(wishes)
    used = {wish for wish in wishes if count[wish] == 1 and wish not in _TAKEN}
    for wish, one in zip(wishes, candidates, strict=True):
        name = wish
        if wish not in used or count[wish] > 1:
            start = name = host_name(f"{wish}_{one.unique}")
            number = 1
            while name in used:
                number += 1
                name = f"{start}_{number}"
            used.add(name)
        yield name, dict(one.variables)


def host_name(text: str) -> str:
    """Return a text as the name of a host: what Ansible or a shell could take for something else is `_`."""
    return re.sub(r"[^\w.-]+", "_", text, flags=re.ASCII).strip("_.-")[:_LONGEST_NAME]


def good_labels(labels: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Return labels with keys of the engine's characters, values as label texts; empty ones are left out.

    A text that can be no label stays: the engine leaves it out, and tells of which host and source it is.
    """
    found = {}
    for key, value in labels.items():
        if value is None or isinstance(value, dict | list):
            continue
        text = label_text(str(value).lower() if isinstance(value, bool) else str(value))
        if text:
            found[_label_key(f"{prefix}{key}")] = text
    return found


@lru_cache(maxsize=4096)
def _label_key(text: str) -> str:
    name = _KEY.sub("_", text)
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


def without_secrets(mapping: Mapping[str, object]) -> dict[str, object]:
    """Return a mapping without the entries whose names say that they hold secrets."""
    return {key: value for key, value in mapping.items() if not _SECRET.search(key)}


def reached_as_windows(connection: str) -> dict[str, object]:
    """Return the variables of a host with Windows: how Ansible reaches it, and what enforces on it."""
    shell = {"ansible_shell_type": "powershell"} if connection == "ssh" else {}
    return {"ringfence_enforcer": "windows", "ansible_connection": connection, **shell}


def good_addresses(texts: Iterable[object]) -> list[str]:
    """Return the addresses that a host can have and that tell it from others, each once, without their prefix."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            address = ip_address(str(text).partition("/")[0].partition("%")[0].strip())
        except ValueError:
            continue
        if not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified):
            found[str(address)] = None
    return list(found)


def without_empty(mapping: Mapping[str, object]) -> dict[str, object]:
    """Return a mapping without what says nothing: None, empty texts, lists and mappings."""
    return {key: value for key, value in mapping.items() if value not in (None, "", [], {}, ())}

"""What a source found: hosts with names of their own, good labels, good addresses, and whom it did not reach."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, TypeVar

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inner_interfaces import is_everybodys
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.first_few import first_few
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.label_texts import label_text
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.secret_names import names_secret

# Names that mean something else to Ansible.
TAKEN = frozenset({"all", "ungrouped", "localhost", "127.0.0.1", "::1"})
_LONGEST_NAME = 200
_KEY = re.compile(r"[^A-Za-z0-9_.:/-]+")
_REALM = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_OVER_SSH = ("ssh", "paramiko", "paramiko_ssh", "libssh", "smart")
# An address, with a zone or in brackets, or a name; names have underscores and letters of any language.
_REACHED = re.compile(r"\[?[\w:][\w.:%-]*\]?")
_NAMED = 5
# What reading an answer raises where a part of it is not of the form that it should be; XML's faults are SyntaxErrors.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, SyntaxError, TypeError, ValueError)
_LEFT_OUT = "left out, because the source's data for them is not valid"
_NO_LABELS = "labels left out, because they contain characters that cannot be printed"
Item = TypeVar("Item")
# The labels of the host that is just read that can be none.
_no_labels: ContextVar[list[str]] = ContextVar("no_labels", default=[])  # noqa: B039 - nobody reads the default


Host = tuple[str, Mapping[str, Any]]  # its name and its variables


@dataclass(frozen=True)
class Found:
    """Hosts, each a name and its variables; warnings for people; and for each part of the source that failed, why.

    The names in `unreached` begin what the assets of that part have in `ringfence_sources`. `tables` are what a source
    tells beside hosts: variables of groups without hosts, each of the name of its group. `whole` is whether nothing
    failed, be it something that took no host away.
    """

    hosts: Sequence[Host] = ()
    warnings: Sequence[str] = ()
    unreached: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
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
    variables: Mapping[str, Any]


class SourceRefused(Exception):
    """A source gave nothing at all; the message says which and why."""


def good_candidates(
    items: Iterable[Item],
    turn: Callable[[Item], Candidate | None],
    called: Callable[[Item], object],
    warnings: list[str],
) -> list[Candidate]:
    """Return the hosts that items turn into; what is malformed is left out, and one warning counts and names it.

    `called` gives the name of an item, for people; `turn` gives None for an item that is no host.
    """
    found = []
    broken = []
    no_labels: list[str] = []
    for item in items:
        lost: list[str] = []
        _no_labels.set(lost)
        try:
            candidate = turn(item)
            fault = None if candidate is None else _fault(candidate)
        except MALFORMED as error:
            candidate, fault = None, f"{type(error).__name__}: {error}"
        if fault is not None:
            broken.append(f"{_called(item, called)} ({fault[:100]})")
        elif candidate is not None:
            found.append(candidate)
            no_labels += [f"{_called(item, called)}: {one}" for one in lost]
    _tell(_LEFT_OUT, broken, warnings)
    _tell(_NO_LABELS, no_labels, warnings)
    return found


def sound(
    items: Iterable[Item], check: Callable[[Item], object], called: Callable[[Item], object], warnings: list[str]
) -> list[Item]:
    """Return the items that can be read as `check` reads them; one warning counts and names the others."""
    found = []
    broken = []
    for item in items:
        try:
            check(item)
        except MALFORMED as error:
            broken.append(f"{_called(item, called)} ({type(error).__name__}: {error})"[:180])
        else:
            found.append(item)
    _tell(_LEFT_OUT, broken, warnings)
    return found


def is_whole(told: Iterable[str]) -> bool:
    """Return whether no object was left out, by what was told of it."""
    return not any(text.startswith(_LEFT_OUT) for text in told)


def _tell(why: str, broken: Sequence[str], warnings: list[str]) -> None:
    if broken:
        warnings.append(f"{why}: {first_few(broken, _NAMED, '; ')}")


def _fault(candidate: Candidate) -> str | None:
    named_by_text = isinstance(candidate.wish, str) and isinstance(candidate.unique, str)
    return variables_fault(candidate.variables) if named_by_text else "its name is not text"


def variables_fault(variables: Mapping[str, Any]) -> str | None:
    """Return what the engine would refuse in the variables of a host, so that one host's costs the others nothing."""
    addresses, labels = variables.get("ringfence_addresses", []), variables.get("ringfence_labels", {})
    if not isinstance(addresses, list) or not all(map(can_be_held, addresses)):
        return "its addresses are not valid"
    if not isinstance(labels, dict) or not all(isinstance(text, str) for pair in labels.items() for text in pair):
        return "its labels are not text"
    if not _REALM.fullmatch(str(variables.get("ringfence_realm", "default"))):
        return "its realm is not a word"
    if not isinstance(variables.get("ansible_host", ""), str):
        return "its ansible_host is not text"
    return None


def can_be_reached(host: object, connection: object) -> bool:
    """Return whether Ansible may take a text as the name or address that it connects to.

    One that begins with a hyphen is an option to ssh and the like, which may run a command here; over ssh anything but
    a name or an address may become a command of a shell.
    """
    if not isinstance(host, str) or host.startswith("-") or not host.isprintable():
        return False
    return str(connection).rpartition(".")[2] not in _OVER_SSH or _REACHED.fullmatch(host) is not None


def _called(item: Item, called: Callable[[Item], object]) -> str:
    try:
        return ascii(str(called(item))[:80])[1:-1]
    except MALFORMED:
        return "one without a name"


def named(candidates: Sequence[Candidate]) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield names and variables: who shares the name it would have is told apart by what is its own, all of them.

    No name is given twice, and whatever the order of the candidates, each has the same name.
    """
    wishes = [host_name(one.wish) or host_name(one.unique) or "unnamed" for one in candidates]
    count = Counter(wishes)
    used = {wish for wish in wishes if count[wish] == 1 and wish not in TAKEN}
    names = dict(enumerate(wishes))
    shared = [number for number, wish in names.items() if wish not in used]
    for number in sorted(
        shared, key=lambda number: (wishes[number], candidates[number].unique, _told(candidates[number]))
    ):
        names[number] = free_name(host_name(f"{wishes[number]}_{candidates[number].unique}"), used)
        used.add(names[number])
    for number, one in enumerate(candidates):
        yield names[number], dict(one.variables)


def _told(candidate: Candidate) -> str:
    return repr(sorted(candidate.variables.items()))


def free_name(start: str, taken: Container[str]) -> str:
    """Return a name that is not taken: the one given, else with the first number behind it that makes it so."""
    name, number = start, 1
    while name in taken or name in TAKEN:
        number += 1
        name = f"{start}_{number}"
    return name


def host_name(text: str) -> str:
    """Return a text as the name of a host: what Ansible or a shell could take for something else is `_`."""
    return re.sub(r"[^\w.-]+", "_", text, flags=re.ASCII).strip("_.-")[:_LONGEST_NAME].rstrip("_.-")


def address_name(address: str) -> str:
    """Return an address as the name of a host; two addresses never have one, since `::` stays two signs."""
    text = address.replace(":", "_")
    return f"v6{text}" if text.startswith("_") else f"{text}0" if text.endswith("_") else text


def realm_name(text: str) -> str:
    """Return a text as the name of a realm, empty for none."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", text)
    return name if not name or re.match(r"[A-Za-z_]", name) else f"_{name}"


def good_labels(labels: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return labels with keys of the engine's characters, values as label texts; empty ones are left out.

    A text that can be no label is left out too, and told where `good_candidates` reads the host.
    """
    found = {}
    for key, value in labels.items():
        text = "" if isinstance(value, dict | list | tuple) else value_text(value)
        if text and text.isprintable():
            found[_label_key(f"{prefix}{key}")] = text
        elif text:
            _no_labels.get().append(f"{prefix}{key}={text[:40]!a}")
    return found


def value_text(value: object) -> str:
    """Return a value as a label has it: `true` and `false` as tables write them, nothing for None."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return label_text(str(value))


@lru_cache(maxsize=4096)
def _label_key(text: str) -> str:
    name = _KEY.sub("_", text)
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


def without_secrets(mapping: Mapping[str, Any]) -> dict[str, object]:
    """Return a mapping without the entries whose names say that they hold secrets."""
    return {key: value for key, value in mapping.items() if not names_secret(key)}


def reached_as_windows(connection: str) -> dict[str, object]:
    """Return the variables of a host with Windows: how Ansible reaches it, and what enforces on it."""
    shell = {"ansible_shell_type": "powershell"} if connection == "ssh" else {}
    return {"ringfence_enforcer": "windows", "ansible_connection": connection, **shell}


def good_addresses(texts: Iterable[object]) -> list[str]:
    """Return the addresses that a host can have and that tell it from others, each once, without their prefix."""
    found = (_good_address(str(text)) for text in texts if text)
    return list(dict.fromkeys(address for address in found if address))


def can_be_held(address: object) -> bool:
    """Return whether a value is the text of an address that a host can have; the engine refuses others."""
    return isinstance(address, str) and _can_be_held(address)


@lru_cache(maxsize=65536)
def _can_be_held(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or text == "255.255.255.255" or "%" in text)


def sorted_addresses(addresses: Iterable[str]) -> list[str]:
    """Return addresses in an order of their own, IPv4 first, where the order in which they came says nothing."""
    known = [ip_address(address) for address in addresses]
    return [str(address) for address in sorted(known, key=lambda one: (one.version, int(one)))]


@lru_cache(maxsize=65536)
def _good_address(text: str) -> str:
    try:
        address = ip_address(text.partition("/")[0].partition("%")[0].strip())
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return "" if is_everybodys(address) else str(address)


def without_empty(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without what says nothing: None, empty texts, lists and mappings."""
    return {key: value for key, value in mapping.items() if value not in (None, "", [], {}, ())}

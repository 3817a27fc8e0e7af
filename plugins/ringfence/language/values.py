"""The small written values: services, address lists, processes, names of hosts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ringfence.language.checking import fields
from ringfence.language.definitions import SERVICE_WORDS, Definitions, unknown
from ringfence.language.nodes import Entry, Listing, Node, Scalar, Table, kind
from ringfence.language.reports import Reports, meant, nearest
from ringfence.model.addresses import network_of
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Process
from ringfence.model.services import ICMP_TYPES, ICMPV6_TYPES, WELL_KNOWN, Services, parse_service
from ringfence.model.services import union as all_services
from ringfence.model.units import is_unit_name, not_followed

# useradd(8), and what directory services add to it: `user@domain`, `DOMAIN\user`; or a numeric uid.
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,254}\$?")
# [MS-GPFAS] separates the fields of a rule by `|`, so a path or name can hold none.
PROGRAM = re.compile(r'[^\x00-\x1f\x7f|"<>*?]{1,260}')
WINDOWS_SERVICE = re.compile(r"[^\x00-\x1f\x7f|/\\]{1,256}")
HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
MOST_NESTING = 50
PROCESS_WORDS = ("unit", "user", "program", "service")


def words(node: Node, what: str, reports: Reports) -> tuple[Scalar, ...]:
    """Return the strings of a word or a list of words; everything else, and an empty list, is reported."""
    if isinstance(node, Listing):
        if not node.items:
            reports.add(node.place, f"the list of {what} is empty", "write at least one, or leave the key out")
        return tuple(word for item in node for word in _word(item, what, reports))
    return _word(node, what, reports)


def _word(node: Node, what: str, reports: Reports) -> tuple[Scalar, ...]:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return (node,)
    if isinstance(node, Scalar) and node.value is not None:
        reports.add(node.place, f"{what} are words, not {kind(node)}", f'write "{node.text}": in quotes')
    else:
        reports.add(node.place, f"{what} are words, not {kind(node)}", "write one word or a list of words")
    return ()


def service_set(node: Node, definitions: Definitions, reports: Reports, using: Sequence[str] = ()) -> Services | None:
    """Return the services of a word or a list; None where one is wrong. `using` are the names being resolved."""
    if isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
        remedy = f"write 'tcp/{node.text}' or 'udp/{node.text}'"
        reports.add(node.place, f"the number {node.text} is not a valid service: it has no protocol", remedy)
        return None
    before = len(reports)
    found = [_service(word, definitions, reports, using) for word in words(node, "services", reports)]
    return all_services(one for one in found if one is not None) if len(reports) == before else None


def _service(word: Scalar, definitions: Definitions, reports: Reports, using: Sequence[str]) -> Services | None:
    name = word.text.strip()
    if len(using) > MOST_NESTING:
        reports.add(word.place, f"definitions nested deeper than {MOST_NESTING} levels", "name protocols and ports")
        return None
    if name in using:
        reports.add(word.place, f"the service '{name}' is defined by itself", "name protocols and ports")
        return None
    if name in definitions.services:
        if name not in definitions.read_services:
            definition = definitions.services[name].value
            definitions.read_services[name] = service_set(definition, definitions, reports, (*using, name))
        return definitions.read_services[name]
    try:
        return parse_service(name)
    except InputError as error:
        protocol, slash, detail = name.partition("/")
        if slash and protocol not in SERVICE_WORDS:
            near = nearest(protocol, SERVICE_WORDS - {"any"})
            meant = f"{near}/{detail.strip(' ]),;')}"
            remedy = f"did you mean '{meant}'?" if near and _is_service(meant) else error.remedy
        elif slash and error.remedy and detail.count("-") == 1:
            remedy = f"write '{protocol}/{'-'.join(reversed(detail.split('-')))}'"
        elif slash:
            remedy = error.remedy or _detail_remedy(protocol, detail)
        else:
            near = nearest(name, {*SERVICE_WORDS, *WELL_KNOWN, *definitions.services})
            remedy = f"did you mean '{near}'?" if near else error.remedy
        reports.add(word.place, error.message, remedy)
        return None


def _is_service(text: str) -> bool:
    try:
        parse_service(text)
    except InputError:
        return False
    return True


def _detail_remedy(protocol: str, detail: str) -> str:
    if protocol in {"icmp", "icmpv6"}:
        near = nearest(detail, ICMP_TYPES if protocol == "icmp" else ICMPV6_TYPES)
        return f"did you mean '{protocol}/{near}'?" if near else f"write '{protocol}/echo-request'"
    return "write 'ip/47'" if protocol == "ip" else f"write '{protocol}/80' or '{protocol}/8000-8010'"


def networks(node: Node, reports: Reports, what: str = "addresses") -> tuple[IntervalSet, tuple[str, ...]]:
    """Return the addresses of a network or a list of networks, and their texts; report what is not a valid network."""
    sets, texts = members(node, reports, what)
    return union(sets), texts


def members(node: Node, reports: Reports, what: str = "addresses") -> tuple[tuple[IntervalSet, ...], tuple[str, ...]]:
    """Return the addresses of each network of a list, and their texts; what is not a valid network is reported."""
    sets: list[IntervalSet] = []
    texts: list[str] = []
    for word in words(node, what, reports):
        try:
            sets.append(network_of(word.text))
            texts.append(word.text.strip())
        except InputError as error:
            reports.add(
                word.place, error.message, error.remedy or "write it like 10.0.0.0/8, 2001:db8::/32 or 10.0.0.7"
            )
    return tuple(sets), tuple(texts)


def list_members(word: Scalar, definitions: Definitions, reports: Reports) -> tuple[IntervalSet, ...] | None:
    """Return the addresses of each network of a named list, or None after reporting that there is none so named."""
    definition = definitions.lists.get(word.text)
    if definition is None:
        reports.add(word.place, *unknown("list", word.text, definitions.lists))
        return None
    if word.text not in definitions.read_lists:
        definitions.read_lists[word.text] = members(definition.value, reports)[0]
    return definitions.read_lists[word.text]


def host_name(word: Scalar, reports: Reports) -> str | None:
    """Return a DNS name (RFC 1035) in lower case without its final dot, or None after reporting what is wrong."""
    name = word.text.strip().rstrip(".").lower()
    if "*" in name:
        reports.add(word.place, f"'{word.text}' holds a wildcard, which no resolver answers", "name each host")
        return None
    parts = name.split(".")
    if len(name) > 253 or not all(HOST_LABEL.fullmatch(part) for part in parts):
        reports.add(word.place, f"'{word.text}' is not a valid DNS name", "write it like api.example.org")
        return None
    if parts[-1].isdigit():
        reports.add(word.place, f"'{word.text}' is an address and no DNS name", f"write {{cidr: {word.text}}}")
        return None
    return name


def process_of(entry: Entry, side: str, reports: Reports) -> Process | None:
    """Return the process beside a selector; `side` is `from` or `to`. None after reporting what is wrong."""
    before = len(reports)
    if not isinstance(entry.value, Table) or not entry.value.entries:
        reports.add(entry.value.place, f"a process is a mapping, not {kind(entry.value)}", "write {unit: name.service}")
        return None
    written = fields(entry.value)
    for key, one in written.items():
        if key not in PROCESS_WORDS:
            reports.add(one.place, f"'{key}' is not a kind of process", meant(key, PROCESS_WORDS, "the kinds are"))
    if side == "to" and "user" in written:
        reports.add(
            written["user"].place,
            "a user cannot be matched in 'to': the kernel knows the user of what a host sends, not of who listens",
            "name the unit that listens: {unit: name.service}",
        )
    linux = {"unit", "user"} & written.keys()
    windows = {"program", "service"} & written.keys()
    if linux and windows:
        reports.add(
            entry.value.place, "a process is on Linux (unit, user) or on Windows (program, service)", "write two peers"
        )
    process = Process(
        units=_units(written.get("unit"), reports),
        users=_names(written.get("user"), USER, "users", "write a user's name or number", reports),
        programs=_names(
            written.get("program"), PROGRAM, "programs", 'write a path without any of | " < > * ?', reports
        ),
        services=_names(written.get("service"), WINDOWS_SERVICE, "services", "write a service's short name", reports),
    )
    return process if len(reports) == before else None


def _units(entry: Entry | None, reports: Reports) -> tuple[str, ...]:
    """Return the units of an entry, after reporting what is none or cannot be followed from start to start."""
    if entry is None:
        return ()
    names: list[str] = []
    for word in words(entry.value, "units", reports):
        if not is_unit_name(word.text):
            whole = f"{word.text}.service"
            hint = f"did you mean '{whole}'?" if is_unit_name(whole) else "write a unit's whole name: 'name.service'"
            reports.add(word.place, f"'{word.text}' names no unit", hint)
        elif why := not_followed(word.text):
            reports.add(word.place, f"'{word.text}' cannot be followed when it starts again", why)
        else:
            names.append(word.text)
    return tuple(dict.fromkeys(names))


def _names(entry: Entry | None, form: re.Pattern[str], what: str, remedy: str, reports: Reports) -> tuple[str, ...]:
    if entry is None:
        return ()
    names: list[str] = []
    for word in words(entry.value, what, reports):
        if form.fullmatch(word.text):
            names.append(word.text)
        else:
            reports.add(word.place, f"'{word.text}' names no {what.removesuffix('s')}", remedy)
    return tuple(dict.fromkeys(names))

"""The `ringfence_*` variables of a host: read, checked, every fault named with the host and the variable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ringfence.model.addresses import V6_BASE, network_of, point_of
from ringfence.model.assets import Control, Label
from ringfence.model.errors import InputError, Place
from ringfence.model.label_rules import label_key_fault
from ringfence.model.label_texts import label_fault, label_text, visible
from ringfence.sources.attributes import plain_value
from ringfence.sources.identifying import is_everybodys_point
from ringfence.sources.vaulted import REMEDY, is_vaulted

INVENTORY = "inventory"
ADDRESSES = "ringfence_addresses"
LABELS = "ringfence_labels"
WORKLOAD = "ringfence_workload"
ENFORCER = "ringfence_enforcer"
REALM = "ringfence_realm"
CONTROL = "ringfence_control"
SOURCES = "ringfence_sources"
# Written by the inventory plugin `ringfence.core.labels` for playbooks; the engine derives labels itself, and does not
# let rules see the groups that came of them.
LABEL_VALUES = "ringfence_label_values"
LABEL_GROUPS = "ringfence_label_groups"
# The name that a host would have if another one did not have it; what a source gave it, before later files; and which
# source meant it by its name alone, with the labels that came so.
WISHED = "ringfence_name"
GIVEN = "ringfence_given"
BY_NAME = "ringfence_by_name"
# The row of a table that a host is, `hosts.csv:7`, where another one's name looks the same.
PLACE = "ringfence_place"
# Why a source did not read all of this one host: what it told before stands.
INCOMPLETE = "ringfence_incomplete"

# What is read of how Ansible reaches a host.
CONNECTION = (
    "ansible_host",
    "ansible_ssh_host",
    "ansible_port",
    "ansible_ssh_port",
    "ansible_connection",
    "ansible_shell_type",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_ssh_args",
    "ansible_paramiko_proxy_command",
    "ansible_libssh_proxy_command",
    "ansible_psrp_proxy",
    "ansible_winrm_proxy",
)

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_MULTICAST = (*network_of("224.0.0.0/4"), *network_of("ff00::/8"))
# RFC 1122 3.2.1.3 and RFC 4291 2.5.2: never the address of a host.
_NOBODY = frozenset({0, (1 << 32) - 1, V6_BASE})
_TEMPLATE = re.compile(r"\{\{|\{%")


@dataclass(frozen=True, slots=True)
class LabelFault:
    """Why what is written for a key can be no label, in words that follow those for who wrote it, and the way out."""

    key: str
    fault: str
    remedy: str


@dataclass
class HostVariables:
    """Reads the variables of one host; `errors` collects what is wrong, each reading then gives its default."""

    host: str
    variables: Mapping[str, object]
    place: Place | None = None
    errors: list[InputError] = field(default_factory=list)

    def given(self, variable: str) -> bool:
        """Return whether the host has the variable; a null counts as not given."""
        return self.variables.get(variable) is not None

    def addresses(self) -> tuple[int, ...]:
        """Return the points of `ringfence_addresses`: a list of addresses, or text with commas or blanks between.

        What every host has for itself, or none can have, is left out; `address_faults` tells it.
        """
        value = self._value(ADDRESSES)
        if value is None:
            return ()
        items = _parts(value)
        if not isinstance(items, list):
            self._refuse(ADDRESSES, f"is {shown(value)}", "write a list of addresses: ['10.0.0.7', '2001:db8::7']")
            return ()
        return sorted_points(self._address(item) for item in items)

    def address_faults(self) -> Iterator[str]:
        """Yield the addresses in `ringfence_addresses` that tell no host from another: loopback, link-local, groups."""
        items = _parts(plain_value(self.variables.get(ADDRESSES)))
        for item in items if isinstance(items, list) else ():
            if isinstance(item, str) and is_everybodys_address(item):
                yield visible(item)

    def labels(self) -> dict[str, Label]:
        """Return the labels that the inventory itself gives; what can be none is left out, `label_faults` tells it."""
        value = self._value(LABELS)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._refuse(LABELS, f"is {shown(value)}", "write a mapping: {role: web, env: prod}")
            return {}
        return {
            key.strip(): Label(label_text(text), INVENTORY)
            for key, text in value.items()
            if isinstance(text, str) and written_label_fault(key, text) is None
        }

    def label_faults(self) -> Iterator[LabelFault]:
        """Yield what `ringfence_labels` gives that can be no label."""
        value = plain_value(self.variables.get(LABELS))
        for key, given in value.items() if isinstance(value, dict) else ():
            fault = written_label_fault(key, given)
            if fault is not None:
                yield fault

    def closed(self) -> Iterator[str]:
        """Yield the variables of the connection that are vaulted by themselves: they count as not given."""
        for variable in CONNECTION:
            if is_vaulted(self.variables.get(variable)):
                yield variable

    def workload(self) -> bool:
        """Return `ringfence_workload`, true unless said; INI inventories give the words as text."""
        value = self._value(WORKLOAD)
        if value is None or isinstance(value, bool):
            return value is not False
        if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
            return value.lower() in ("true", "yes")
        self._refuse(WORKLOAD, f"is {shown(value)}", "write true or false")
        return True

    def word(self, variable: str, default: str) -> str:
        """Return a variable that is one word: a realm or an enforcer."""
        value = self._value(variable)
        if value is None:
            return default
        if isinstance(value, str) and _WORD.fullmatch(value):
            return value
        self._refuse(variable, f"is {shown(value)}", "write a letter or '_', then letters, digits and any of _ . -")
        return default

    def sources(self) -> tuple[str, ...]:
        """Return `ringfence_sources`, where an inventory plugin said which file or account the host comes from."""
        value = self._value(SOURCES)
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        if all(isinstance(item, str) for item in items):
            return tuple(sorted({str(item) for item in items}))
        self._refuse(SOURCES, f"is {shown(value)}", "write a list of names")
        return ()

    def control(self, default: Control | None) -> Control | None:
        """Return `ringfence_control` as `{from: [network…], port: n}`, what it leaves out as the workspace has it."""
        value = self._value(CONTROL)
        if value is None:
            return None
        remedy = "write {from: ['10.9.0.0/24'], port: 22}"
        if not isinstance(value, dict):
            self._refuse(CONTROL, f"is {shown(value)}", remedy)
            return None
        for key in sorted(set(value) - {"from", "port"}):
            self._refuse(CONTROL, f"has the unknown key '{key}'", remedy)
        networks = value.get("from", list(default.networks) if default else None)
        networks = [networks] if isinstance(networks, str) else networks
        port = value.get("port", default.port if default else 22)
        if not isinstance(networks, list) or not networks:
            self._refuse(CONTROL, "does not say from where", remedy)
            return None
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
            self._refuse(CONTROL, f"has the port {shown(port)}", "write a port from 1 to 65535")
            return None
        if not all(self._is_network(network) for network in networks):
            return None
        return Control.of(networks, port)

    def text(self, variable: str) -> str | None:
        """Return a variable of Ansible's own as text, None where it is absent or no text."""
        value = plain_value(self.variables.get(variable))
        return value if isinstance(value, str) and value.strip() else None

    def _value(self, variable: str) -> object:
        value = plain_value(self.variables.get(variable))
        if is_vaulted(value):
            self._refuse(variable, "is vaulted, and Ansible's listing keeps it closed", REMEDY)
            return None
        if isinstance(value, str) and is_template(value):
            self._refuse(
                variable,
                f"is the template {shown(value)}, which an inventory does not evaluate",
                "write the value itself, or let an inventory plugin compose it",
            )
            return None
        return value

    def _address(self, item: object) -> int | None:
        if is_vaulted(item):
            self._refuse(ADDRESSES, "holds a vaulted address, and Ansible's listing keeps it closed", REMEDY)
            return None
        if not isinstance(item, str):
            self._refuse(ADDRESSES, f"holds {shown(item)}", "write every address as text, in quotes where needed")
            return None
        fault, remedy = None, "write single IPv4 or IPv6 addresses"
        try:
            point = point_of(item)
        except InputError:
            point, fault = 0, f"holds {shown(item)}, which is not a valid address"
            if _is_address(alone := item.partition("/")[0]) and alone != item:
                remedy = f"write the address without its prefix: '{alone}'"
        if fault is None:
            return None if is_everybodys_point(point) else point
        self._refuse(ADDRESSES, fault, remedy)
        return None

    def _is_network(self, network: object) -> bool:
        if not isinstance(network, str):
            self._refuse(CONTROL, f"names {shown(network)} as a network", "write networks as text: '10.9.0.0/24'")
            return False
        try:
            network_of(network)
        except InputError as error:
            self._refuse(CONTROL, f"names a wrong network: {error.message}", error.remedy or "write '10.9.0.0/24'")
            return False
        return True

    def _refuse(self, variable: str, fault: str, remedy: str) -> None:
        self.errors.append(InputError(f"{variable} of host '{self.host}' {fault}", self.place, remedy))


def is_template(text: str) -> bool:
    """Return whether a text is a Jinja2 template that Ansible would evaluate in a play only."""
    return _TEMPLATE.search(text) is not None


def written_label_fault(key: str, value: object) -> LabelFault | None:
    """Return why a key and a value that somebody wrote are not a valid label, None where they are one."""
    shown_key = visible(key)
    fault = label_key_fault(visible(key.strip()))
    if fault is not None:
        return LabelFault(key, f"has a wrong key: {fault}", "rename it")
    if value is None:
        return LabelFault(key, f"gives '{shown_key}' no value", "write its value as text, or delete it")
    if is_vaulted(value):
        return LabelFault(key, f"gives '{shown_key}' a vaulted value, and Ansible's listing keeps it closed", REMEDY)
    if not isinstance(value, str):
        text = json.dumps(value) if isinstance(value, bool | int | float) else "…"
        return LabelFault(
            key, f"gives '{shown_key}' {shown(value)}, and labels are text", f"write {shown_key}: '{text}'"
        )
    fault = label_fault(label_text(value))
    return (
        None
        if fault is None
        else LabelFault(key, f"gives '{shown_key}' {fault}", "correct the value where it comes from")
    )


def is_everybodys_address(text: str) -> bool:
    """Return whether a text is an address that every host has for itself, or that none can have."""
    try:
        return is_everybodys_point(point_of(text))
    except InputError:
        return False


def can_be_held(point: int) -> bool:
    """Return whether a host can have an address: not the unspecified, the broadcast or a multicast address."""
    return point not in _NOBODY and not any(low <= point <= high for low, high in _MULTICAST)


def _parts(value: object) -> object:
    """Return the addresses of a text with commas or blanks between; any other value as it is."""
    return [part for part in re.split(r"[\s,;]+", value) if part] if isinstance(value, str) else value


def _is_address(text: str) -> bool:
    try:
        point_of(text)
    except InputError:
        return False
    return True


def sorted_points(points: Iterable[int | None]) -> tuple[int, ...]:
    """Return points sorted, each once, without the missing ones."""
    return tuple(sorted({point for point in points if point is not None}))


def shown(value: object) -> str:
    """Return a short form of a value for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"

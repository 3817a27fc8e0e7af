"""Asks libvirt on one or many hosts, all at once and within a time: domains, their definitions and their addresses."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit, urlunsplit

try:
    import libvirt
except ImportError as missing:
    LIBVIRT_MISSING: ImportError | None = missing
else:
    LIBVIRT_MISSING = None
    # Without a handler libvirt writes every error to standard error as well.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)

# virDomainInterfaceAddressesSource of libvirt-domain.h, in the order in which they are believed.
SOURCES = {"agent": 1, "lease": 0, "arp": 2}
# virDomainState of libvirt-domain.h.
_STATES = ("unknown", "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "suspended")


@dataclass(frozen=True)
class Wanted:
    """Which hosts to ask for what; `timeout` is how many seconds one host may take in all."""

    uris: Sequence[str]
    sources: Sequence[str] = tuple(SOURCES)
    only_active: bool = False
    timeout: float = 60
    agent_timeout: int = 5


@dataclass(frozen=True)
class Domain:
    """A domain: its definition in XML, its state, and by source the addresses of each MAC address.

    `guest` is what its agent tells of its system; `failure` says why the rest could not be read.
    """

    uuid: str
    name: str
    state: str
    definition: str
    addresses: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    guest: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True)
class HostAnswer:
    """What one host said: its name, its domains, and what people should know; or why it said nothing."""

    uri: str
    host: str = ""
    domains: Sequence[Domain] = ()
    warnings: Sequence[str] = ()
    failure: str | None = None


def ask_libvirt(wanted: Wanted) -> list[HostAnswer]:
    """Return what every host answers, in the order of their URIs.

    A host that does not answer in time is left behind: libvirt has no way to end a call, its thread ends with Ansible.
    """
    answers: SimpleQueue[HostAnswer] = SimpleQueue()
    for uri in wanted.uris:
        threading.Thread(target=lambda uri=uri: answers.put(_host(uri, wanted)), daemon=True).start()
    found: dict[str, HostAnswer] = {}
    end = time.monotonic() + wanted.timeout
    with suppress(Empty):
        while len(found) < len(wanted.uris):
            answer = answers.get(timeout=max(0.0, end - time.monotonic()))
            found[answer.uri] = answer
    silent = f"it did not answer within {wanted.timeout:g} s"
    return [found.get(uri) or HostAnswer(uri, failure=silent) for uri in wanted.uris]


def shown_uri(uri: str) -> str:
    """Return a URI as people know it: without its query, which says where keys and sockets are."""
    scheme, place, path, _, _ = urlsplit(uri)
    return urlunsplit((scheme, place.rpartition("@")[2], path, "", "")) if place else f"{scheme}://{path}"


def _host(uri: str, wanted: Wanted) -> HostAnswer:
    warnings: list[str] = []
    try:
        connection, sources = _opened(uri, wanted.sources, warnings)
    except libvirt.libvirtError as error:
        return HostAnswer(uri, failure=_words(error))
    try:
        return _read(connection, uri, sources, wanted, warnings)
    except libvirt.libvirtError as error:
        return HostAnswer(uri, failure=_words(error))
    finally:
        with suppress(libvirt.libvirtError):
            connection.close()


def _opened(uri: str, sources: Sequence[str], warnings: list[str]) -> tuple[libvirt.virConnect, Sequence[str]]:
    """Return a connection and what may be asked over it: the agent answers only where more than reading is allowed."""
    whole = _unattended(uri)
    if "agent" in sources:
        try:
            return libvirt.open(whole), sources
        except libvirt.libvirtError as error:
            if error.get_error_code() not in (libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_ACCESS_DENIED):
                raise
            warnings.append(f"guest agents are not asked, this login may only read: {_words(error)}")
    return libvirt.openReadOnly(whole), [source for source in sources if source != "agent"]


def _unattended(uri: str) -> str:
    """Return a URI with which ssh asks nobody for a password."""
    scheme, place, path, query, fragment = urlsplit(uri)
    if not scheme.endswith("+ssh") or "no_tty=" in query:
        return uri
    return urlunsplit((scheme, place, path, "&".join(filter(None, (query, "no_tty=1"))), fragment))


def _read(
    connection: libvirt.virConnect, uri: str, sources: Sequence[str], wanted: Wanted, warnings: list[str]
) -> HostAnswer:
    flags = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE if wanted.only_active else 0
    domains = []
    failed = []
    broken: dict[str, str] = {}
    # Agents that hang may take half of the host's time: its domains without their word are better than no domains.
    agents_until = time.monotonic() + wanted.timeout / 2
    unasked = 0
    for domain in connection.listAllDomains(flags):
        late = time.monotonic() > agents_until
        unasked += late
        asked = [source for source in sources if not late or source != "agent"]
        try:
            domains.append(_domain(domain, asked, wanted, broken))
        except libvirt.libvirtError as error:
            # What was destroyed since the list was made is gone; what cannot be read is there.
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                failed.append(f"{domain.name()!a}: {_words(error)}")
                domains.append(Domain(domain.UUIDString(), domain.name(), _STATES[0], "", failure=_words(error)))
    if failed:
        warnings.append(f"{len(failed)} domains cannot be read: {'; '.join(failed[:5])}")
    if unasked and "agent" in sources:
        warnings.append(f"{unasked} guest agents were not asked, since others before them took too long")
    warnings += [f"{source} addresses cannot be read here: {why}" for source, why in broken.items()]
    return HostAnswer(uri, connection.getHostname(), domains, warnings)


def _domain(domain: libvirt.virDomain, sources: Sequence[str], wanted: Wanted, broken: dict[str, str]) -> Domain:
    number = domain.state()[0]
    state = _STATES[number] if number < len(_STATES) else _STATES[0]
    known = (domain.UUIDString(), domain.name(), state, domain.XMLDesc(0))
    if not domain.isActive():
        return Domain(*known)
    addresses: dict[str, Mapping[str, Sequence[str]]] = {}
    guest: dict[str, str] = {}
    for source in sources:
        if source == "agent":
            with suppress(libvirt.libvirtError):
                domain.agentSetResponseTimeout(wanted.agent_timeout)
        told = _addresses(domain, source, broken)
        if told is not None:
            addresses[source] = _by_mac(told)
            if source == "agent":
                guest = _guest(domain)
    return Domain(*known, addresses, guest)


def _addresses(domain: libvirt.virDomain, source: str, broken: dict[str, str]) -> dict | None:
    """Return the addresses that one of libvirt's sources reports, or None.

    That there is no agent, and no ARP table of a hypervisor, is usual. A login that may not ask, and a host that fails
    at its own leases or ARP table, are added to `broken`.
    """
    try:
        return domain.interfaceAddresses(SOURCES[source])
    except libvirt.libvirtError as error:
        code = error.get_error_code()
        fails = source != "agent" and code == libvirt.VIR_ERR_INTERNAL_ERROR
        if fails or code in (libvirt.VIR_ERR_OPERATION_DENIED, libvirt.VIR_ERR_ACCESS_DENIED):
            broken[source] = _words(error)
        return None


def _guest(domain: libvirt.virDomain) -> dict[str, str]:
    asked = libvirt.VIR_DOMAIN_GUEST_INFO_OS | libvirt.VIR_DOMAIN_GUEST_INFO_HOSTNAME
    try:
        told = domain.guestInfo(asked)
    except libvirt.libvirtError:
        return {}
    return {str(key): value for key, value in told.items() if isinstance(value, str)}


def _by_mac(told: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for interface in told.values():
        mac = str(interface.get("hwaddr") or "").lower()
        found.setdefault(mac, []).extend(str(each["addr"]) for each in interface.get("addrs") or ())
    return found


def _words(error: libvirt.libvirtError) -> str:
    return " ".join(str(error).split())

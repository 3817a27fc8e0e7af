"""Asks a vCenter or an ESXi host with pyvmomi: one pass of the property collector over machines and what holds them."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from socket import setdefaulttimeout
from typing import Any
from urllib.parse import unquote

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.answers import Thing
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.stub import PageStub

try:
    from pyVim.connect import Disconnect, SmartConnect
    from pyVmomi import vim, vmodl
except ImportError as missing:
    PYVMOMI_MISSING: ImportError | None = missing
else:
    PYVMOMI_MISSING = None

# vSphere Web Services API, VirtualMachine: VirtualMachineConfigInfo, GuestInfo, VirtualMachineRuntimeInfo.
MACHINE = (
    "name",
    "parent",
    "parentVApp",
    "resourcePool",
    "runtime.host",
    "runtime.powerState",
    "config.template",
    "config.instanceUuid",
    "config.uuid",
    "config.guestId",
    "config.annotation",
    "guest.guestFamily",
    "guest.hostName",
    "guest.ipAddress",
    "guest.toolsRunningStatus",
    "guest.net",
    "customValue",
)
CARDS = "config.hardware.device"
HYPERVISOR = ("name", "parent", "summary.hardware.uuid", "summary.config.product.fullName", "config.network.vnic")
_PAGE = 1000


@dataclass(frozen=True)
class Login:
    """Where and as whom to ask; `seconds` is how long a single answer may take."""

    hostname: str
    username: str
    password: str = field(repr=False)
    port: int = 443
    validate_certs: bool = True
    ca_path: str | None = None
    seconds: float = 120

    @property
    def context(self) -> ssl.SSLContext:
        """Return how the server's certificate is checked."""
        if self.validate_certs:
            return ssl.create_default_context(cafile=self.ca_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True)
class Wanted:
    """What to read: below which places, of which machines alone (by their ids), and what besides."""

    within: Sequence[str] = ()
    only: frozenset[str] | None = None
    hypervisors: bool = True
    network_cards: bool = False


@dataclass(frozen=True)
class VsphereAnswer:
    """All things by their ids, the names of custom attributes by their keys, and what could not be read."""

    things: dict[str, Thing]
    attributes: dict[int, str]
    failures: Sequence[str]


def ask_vsphere(login: Login, wanted: Wanted) -> VsphereAnswer:
    """Return what a server answers. Raise SourceRefused where it cannot be reached, the login fails or it faults."""
    service = _connected(login)
    try:
        return _read_those_that_stand(service, wanted)
    except (OSError, vmodl.MethodFault) as error:
        raise SourceRefused(f"{login.hostname} did not answer what is in it: {_words(error)}") from error
    finally:
        with suppress(OSError, vmodl.MethodFault):
            Disconnect(service)


def _read_those_that_stand(service: Any, wanted: Wanted) -> VsphereAnswer:
    """Return what a server answers, without the machines that were deleted since their ids were read."""
    while True:
        try:
            return _read(service, wanted)
        except vmodl.fault.ManagedObjectNotFound as error:
            gone = getattr(error.obj, "_moId", None)
            if wanted.only is None or gone not in wanted.only:
                raise
            wanted = replace(wanted, only=wanted.only - {gone})


def _connected(login: Login) -> Any:
    setdefaulttimeout(login.seconds)
    try:
        return SmartConnect(
            host=login.hostname,
            port=login.port,
            user=login.username,
            pwd=login.password,
            sslContext=login.context,
            httpConnectionTimeout=login.seconds,
        )
    except vim.fault.InvalidLogin as error:
        raise SourceRefused(f"{login.hostname} refuses the login of '{login.username}': check its password") from error
    except ssl.SSLCertVerificationError as error:
        reason = f"the certificate of {login.hostname} is not trusted: {error.verify_message}"
        raise SourceRefused(f"{reason}; set 'ca_path' to the file of its authority") from error
    except (OSError, vmodl.MethodFault) as error:
        raise SourceRefused(f"{login.hostname}:{login.port} cannot be asked: {_words(error)}") from error
    finally:
        setdefaulttimeout(None)


def _read(service: Any, wanted: Wanted) -> VsphereAnswer:
    content = service.RetrieveContent()
    types = vmodl.query.PropertyCollector
    machine = [*MACHINE, CARDS] if wanted.network_cards else [*MACHINE]
    properties = [types.PropertySpec(type=vim.VirtualMachine, pathSet=machine)]
    properties += [types.PropertySpec(type=kind, pathSet=["name", "parent"]) for kind in _structure()]
    hypervisor = HYPERVISOR if wanted.hypervisors else ("name", "parent")
    properties.append(types.PropertySpec(type=vim.HostSystem, pathSet=[*hypervisor]))
    views = [_view(content, content.rootFolder, [*_structure(), vim.HostSystem])]
    objects = [types.ObjectSpec(obj=content.rootFolder)]
    if wanted.only is not None and not wanted.within:
        objects += [types.ObjectSpec(obj=vim.VirtualMachine(known, service._stub)) for known in sorted(wanted.only)]
    else:
        views += [_view(content, place, [vim.VirtualMachine]) for place in _places(content, wanted.within)]
    step = types.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
    objects += [types.ObjectSpec(obj=view, skip=True, selectSet=[step]) for view in views]
    query = types.FilterSpec(objectSet=objects, propSet=properties, reportMissingObjectsInResults=True)
    things: dict[str, Thing] = {}
    refused: Counter[tuple[str, str]] = Counter()
    collector = vmodl.query.PropertyCollector(content.propertyCollector._moId, PageStub(service._stub))
    for thing in pages(collector, query):
        things[thing.id] = thing
        refused.update(thing.missing)
    for view in views:
        view.Destroy()
    manager = content.customFieldsManager
    attributes = {each.key: each.name for each in manager.field} if manager else {}
    failures = [f"'{path}' of {count} objects cannot be read: {fault}" for (path, fault), count in refused.items()]
    return VsphereAnswer(things, attributes, failures)


def pages(collector: Any, query: Any) -> Iterable[Thing]:
    """Yield the objects of an answer, all pages of it."""
    options = vmodl.query.PropertyCollector.RetrieveOptions(maxObjects=_PAGE)
    page = collector.RetrievePropertiesEx(specSet=[query], options=options)
    while page is not None:
        yield from page.objects
        page = collector.ContinueRetrievePropertiesEx(token=page.token) if page.token else None


def _places(content: Any, within: Sequence[str]) -> list:
    """Return the folders, datacenters, clusters or pools of paths such as `DC0/vm/prod`."""
    if not within:
        return [content.rootFolder]
    places = []
    for path in within:
        place = content.searchIndex.FindByInventoryPath(path.strip("/"))
        if place is None:
            remedy = "write it as in 'DC0/vm/prod', 'DC0/host/cluster-1' or 'DC0/host/cluster-1/Resources/pool-1'"
            raise SourceRefused(f"'{path}' does not exist or cannot be read: {remedy}")
        places.append(place)
    return places


def _view(content: Any, place: Any, kinds: list[type]) -> Any:
    return content.viewManager.CreateContainerView(place, kinds, True)


def _structure() -> list[type]:
    return [vim.Folder, vim.Datacenter, vim.ComputeResource, vim.ResourcePool]


def _words(error: Exception) -> str:
    """Return the one line of an error that people need; faults print as whole objects."""
    return unquote(str(getattr(error, "msg", None) or error)).strip() or type(error).__name__

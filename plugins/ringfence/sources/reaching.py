"""How Ansible reaches a host: at which name or address, on which port, and whether through another machine.

Behind a gateway's port there is another machine than the gateway, so `ansible_host` identifies no machine there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.model.addresses import point_of
from ringfence.model.assets import USUAL_ENFORCER, Asset
from ringfence.model.errors import InputError

# Ports on which a kind of connection usually finds the host itself; ssh for every other kind.
_USUAL = {"winrm": (5985, 5986), "psrp": (5985, 5986), "netconf": (830, 22), "httpapi": (80, 443)}
_WINDOWS, _WINDOWS_SHELLS = {"winrm", "psrp"}, {"powershell", "cmd"}
_NETWORK = {"network_cli", "netconf", "httpapi", "grpc"}
_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args")
_PROXIES = (
    "ansible_paramiko_proxy_command",
    "ansible_libssh_proxy_command",
    "ansible_psrp_proxy",
    "ansible_winrm_proxy",
)
_JUMP = re.compile(r"(?:^|\s)-J|proxy(?:jump|command)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Way:
    """The way to a host: no `host` where none is known, `port` 0 for the usual one, `jump` what leads there."""

    host: str = ""
    port: int = 0
    jump: str = ""


def way_to(asset: Asset, port: int = 22) -> Way:
    """Return the way to an asset; `port` is where the workspace's hosts are managed."""
    attributes = asset.attributes
    host = attributes.get("ansible_host", attributes.get("ansible_ssh_host"))
    given = _port(attributes.get("ansible_port", attributes.get("ansible_ssh_port")))
    connection = str(attributes.get("ansible_connection", "ssh")).rpartition(".")[2]
    usual = (*_USUAL.get(connection, (22,)), port, *((asset.control.port,) if asset.control else ()))
    texts = [str(attributes[name]) for name in _ARGUMENTS if name in attributes]
    jumps = [text for text in texts if _JUMP.search(text)]
    jumps += [str(attributes[name]) for name in _PROXIES if attributes.get(name)]
    return Way(
        host=host.strip().rstrip(".").lower() if isinstance(host, str) else "",
        port=0 if given is None or given in usual else given,
        jump=" ".join(" ".join(jumps).split()),
    )


def usual_enforcer(variables: Mapping[str, object]) -> str:
    """Return the enforcer of a host for which none is named, by the way in which Ansible connects to it.

    There is no nft behind WinRM, PowerShell over SSH, or the command line of a switch.
    """
    connection = str(variables.get("ansible_connection", "")).rpartition(".")[2]
    if connection in _NETWORK:
        return "network"
    if connection in _WINDOWS or str(variables.get("ansible_shell_type", "")).rpartition(".")[2] in _WINDOWS_SHELLS:
        return "windows"
    return USUAL_ENFORCER


def reached_point(asset: Asset) -> int | None:
    """Return the address that Ansible connects to, None where it is a name."""
    host = asset.attributes.get("ansible_host", asset.name)
    if not isinstance(host, str):
        return None
    try:
        return point_of(host)
    except InputError:
        return None


def _port(value: object) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None

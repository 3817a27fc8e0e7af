"""Asks Hyper-V hosts over WinRM, with a script that only reads and answers in an encoding that no name can break."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from xml.etree.ElementTree import ParseError

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused

try:
    import requests
    from winrm.exceptions import WinRMError, WinRMTransportError, WSManFaultError
    from winrm.protocol import Protocol
except ImportError as missing:
    PYWINRM_MISSING: ImportError | None = missing
else:
    PYWINRM_MISSING = None

Row = Mapping[str, Any]
# Only Get- and ConvertTo-; the answer is base64 of JSON, so neither the console's code page nor its width matters.
SCRIPT = r"""
$ProgressPreference='SilentlyContinue';$ErrorActionPreference='Stop'
$v='root\virtualization\v2';$q=@{Namespace=$v;ErrorAction='SilentlyContinue'}
$k=@{};Get-CimInstance @q -ClassName Msvm_KvpExchangeComponent|%{$k[$_.SystemName]=@($_.GuestIntrinsicExchangeItems)}
$u=@{};Get-CimInstance @q -ClassName Msvm_VirtualSystemSettingData|?{$_.VirtualSystemType -like '*:Realized'}|%{
$u[$_.VirtualSystemIdentifier]=$_.BIOSGUID}
$f=@(Get-VM|%{$i="$($_.VMId)".ToUpper();[ordered]@{name=$_.Name;id=$i;bios=$u[$i];state="$($_.State)"
generation=$_.Generation;clustered=$_.IsClustered;groups=@($_.Groups|?{$_}|%{$_.Name});guest=$k[$i]
adapters=@($_.NetworkAdapters|%{[ordered]@{name=$_.Name;mac=$_.MacAddress;switch=$_.SwitchName
vlan=$_.VlanSetting.AccessVlanId;addresses=@($_.IPAddresses)}})}})
$j=ConvertTo-Json -InputObject $f -Depth 6 -Compress
[Console]::Out.Write([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($j)))
"""


@dataclass(frozen=True)
class Wanted:
    """Whom to ask and how; every host gets the same account."""

    servers: Sequence[str]
    user: str
    password: str | None = None
    transport: str = "kerberos"
    scheme: str = "https"
    port: int = 5986
    validate_certs: bool = True
    ca_certs: str | None = None
    timeout: int = 60
    parallel: int = 8


@dataclass(frozen=True)
class HostAnswer:
    """The machines of a host, or why it was not reached."""

    host: str
    machines: Sequence[Row] = ()
    failure: str = ""


class HyperVRefused(Exception):
    """A host gave no answer that can be used."""


def ask_hyperv(wanted: Wanted) -> list[HostAnswer]:
    """Return the answer of every host, in their order; raise SourceRefused where a password would be shown."""
    for host in wanted.servers:
        if not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
            raise SourceRefused(f"'{host}' is no name of a host")
        if wanted.scheme == "http" and wanted.transport == "basic" and not _is_loopback(host):
            raise SourceRefused(f"the password would go to {host} in clear text: use https, kerberos or ntlm")
    with ThreadPoolExecutor(max_workers=max(1, wanted.parallel)) as pool:
        return list(pool.map(lambda host: _ask(host, wanted), wanted.servers))


def _ask(host: str, wanted: Wanted) -> HostAnswer:
    faults = (WinRMError, WinRMTransportError, WSManFaultError, requests.RequestException, OSError, HyperVRefused)
    try:
        return HostAnswer(host, read_answer(*_run(host, wanted)))
    except faults as error:
        return HostAnswer(host, failure=" ".join(str(error).split()) or type(error).__name__)
    except (ParseError, StopIteration, ValueError, AssertionError, AttributeError) as error:
        # What pywinrm makes of an answer that is not WinRM's.
        return HostAnswer(host, failure=f"its answer is not WinRM's: {error or type(error).__name__}")


def _run(host: str, wanted: Wanted) -> tuple[bytes, bytes, int]:
    shown = f"[{host}]" if ":" in host else host
    protocol = Protocol(
        f"{wanted.scheme}://{shown}:{wanted.port}/wsman",
        transport=wanted.transport,  # type: ignore[arg-type]  # one of the choices of the option
        username=wanted.user,
        password=wanted.password or "",
        server_cert_validation="validate" if wanted.validate_certs else "ignore",
        ca_trust_path=wanted.ca_certs or "legacy_requests",
        read_timeout_sec=wanted.timeout + 10,
        operation_timeout_sec=wanted.timeout,
    )
    encoded = base64.b64encode(SCRIPT.strip().encode("utf-16-le")).decode()
    shell = protocol.open_shell()
    try:
        command = protocol.run_command(
            shell, f"powershell.exe -NoProfile -NonInteractive -EncodedCommand {encoded}", skip_cmd_shell=True
        )
        try:
            output = protocol.get_command_output(shell, command)
        finally:
            protocol.cleanup_command(shell, command)
    finally:
        protocol.close_shell(shell)
    return output


def read_answer(output: bytes, errors: bytes, status: int) -> list[Row]:
    """Return the machines that the script printed; raise HyperVRefused where it failed or printed something else."""
    if status != 0:
        raise HyperVRefused(f"its script ended with status {status}: {_said(errors)}")
    try:
        found = json.loads(base64.b64decode(b"".join(output.split()), validate=True))
    except (ValueError, RecursionError) as error:
        raise HyperVRefused(f"its script did not print what it should: {error}") from error
    if not isinstance(found, list):
        raise HyperVRefused("its script printed no list")
    return [one for one in found if isinstance(one, dict)]


def _said(errors: bytes) -> str:
    text = errors.decode(errors="replace")
    parts = re.findall(r'<S S="Error">(.*?)</S>', text, re.DOTALL)
    said = html.unescape("".join(parts).replace("_x000D__x000A_", "\n")) if parts else text
    return " ".join(said.split())[:300] or "without a word"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""Runs nmap over ranges and nothing else, and reads the XML that it or an earlier run wrote."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused, without_empty
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.sweep.ranges import Ranges

Seen = Mapping[str, object]


@dataclass(frozen=True)
class Sweep:
    """How nmap sweeps: the ports it tries (none: only which hosts are there), packets a second, seconds at most."""

    ports: str = ""
    services: bool = False
    names: bool = False
    rate: int = 300
    timeout: int = 1800
    command: str = "nmap"


@dataclass(frozen=True)
class Report:
    """Hosts that answered, and why a report is not whole."""

    hosts: Sequence[Seen]
    fault: str = ""


def run_nmap(ranges: Ranges, sweep: Sweep) -> list[Report]:
    """Return what nmap found, a report for each IP version; raise SourceRefused where it cannot run."""
    return [_run(ranges, sweep, version) for version in (4, 6) if ranges.targets(version)]


def _run(ranges: Ranges, sweep: Sweep, version: int) -> Report:
    command = [sweep.command, "-oX", "-", "--no-stylesheet", "--max-rate", str(sweep.rate), "-iL", "-"]
    command += ["-6"] if version == 6 else []
    # Without -n nmap asks name servers, which are outside of the ranges.
    command += [] if sweep.names else ["-n"]
    command += ["-sT", "-p", sweep.ports] if sweep.ports else ["-sn"]
    command += ["-sV"] if sweep.ports and sweep.services else []
    left_out = ranges.left_out(version)
    command += ["--exclude", ",".join(left_out)] if left_out else []
    try:
        done = subprocess.run(
            command,
            input="\n".join(ranges.targets(version)).encode(),
            capture_output=True,
            timeout=sweep.timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise SourceRefused(
            f"'{sweep.command}' is not installed: install nmap, or list its reports in 'xml'"
        ) from error
    except OSError as error:
        raise SourceRefused(f"'{sweep.command}' cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as expired:
        report = read_report(expired.stdout or b"")
        return Report(report.hosts, f"nmap was stopped after {sweep.timeout} s, before IPv{version} was finished")
    report = read_report(done.stdout)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return Report(
            report.hosts, f"nmap ended with status {done.returncode}: {said[0] if said else 'without a word'}"
        )
    return report


def read_file(path: Path) -> Report:
    """Return what a file of nmap's XML tells."""
    try:
        return read_report(path.read_bytes())
    except OSError as error:
        return Report((), f"it cannot be read: {error.strerror}")


def read_report(content: bytes) -> Report:
    """Return the hosts of nmap's XML that are up, those before a fault too."""
    if b"<!ENTITY" in content:
        return Report((), "it declares XML entities, which nmap never does")
    hosts: list[Seen] = []
    try:
        seen_root = False
        # Entities are refused above, and nothing else in XML makes a parser read or grow what was not given.
        for event, element in ElementTree.iterparse(BytesIO(content), events=("start", "end")):  # noqa: S314
            if not seen_root:
                seen_root = True
                if element.tag != "nmaprun":
                    return Report((), f"it is not an nmap report but '{element.tag}'")
            elif event == "end" and element.tag == "host":
                hosts += _host(element)
                element.clear()
    except ElementTree.ParseError as error:
        return Report(hosts, f"it is not complete XML: {error}")
    return Report(hosts)


def _host(element: ElementTree.Element) -> Iterator[Seen]:
    status = element.find("status")
    if status is not None and status.get("state") != "up":
        return
    addresses = element.findall("address")
    macs = [one for one in addresses if one.get("addrtype") == "mac"]
    match = element.find("os/osmatch")
    yield without_empty(
        {
            "addresses": [one.get("addr", "") for one in addresses if one.get("addrtype") in ("ipv4", "ipv6")],
            "mac": [one.get("addr", "") for one in macs],
            "vendor": macs[0].get("vendor") if macs else None,
            # No "names", by which machines are recognised: whoever has an address often says how it is called.
            "dns_names": [one.get("name", "") for one in element.findall("hostnames/hostname")],
            "reason": status.get("reason") if status is not None else None,
            "os": match.get("name") if match is not None else None,
            "seen": element.get("endtime") or element.get("starttime"),
            "listeners": [listener for port in element.findall("ports/port") for listener in _listener(port)],
        }
    )


def _listener(port: ElementTree.Element) -> Iterator[dict[str, object]]:
    state, service = port.find("state"), port.find("service")
    number = port.get("portid", "")
    good = number.isascii() and number.isdigit() and len(number) <= 5
    if state is None or state.get("state") != "open" or not good:
        return
    told = service.attrib if service is not None else {}
    more = {
        key: told.get(name) for key, name in {"service": "name", "product": "product", "version": "version"}.items()
    }
    yield without_empty({"port": int(number), "protocol": port.get("protocol"), **more})

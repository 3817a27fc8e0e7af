"""A vCenter to ask: govmomi's simulator, built from Debian's packages, on loopback with a certificate of its own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ringfence.lab.rootfs import cache_directory

SOURCE = Path(__file__).parent / "sources/vcsim/main.go"
LIBRARIES = Path("/usr/share/gocode")
_GOVMOMI = LIBRARIES / "src/github.com/vmware/govmomi/simulator"


class CannotSimulate(Exception):
    """What this machine lacks for a vCenter; the message names it."""


@dataclass(frozen=True)
class Vcenter:
    """A running simulator and the login that it takes."""

    host: str
    port: int
    certificate: Path
    username: str = "reader"
    password: str = "secret"


def require_sources() -> None:
    """Raise CannotSimulate where there is nothing to build the simulator from or with."""
    if shutil.which("go") is None:
        raise CannotSimulate("needs Go to build vcsim: apt-get install golang-go")
    if not _GOVMOMI.is_dir():
        raise CannotSimulate("needs govmomi to build vcsim: apt-get install golang-github-vmware-govmomi-dev")


def build_cache() -> Path:
    """Return where Go keeps what it has compiled, by its contents: beside the lab's cache, for the next run too."""
    return cache_directory().with_name("go")


def build(directory: Path) -> Path:
    """Return the simulator's program, built in a directory. Raises CannotSimulate.

    What it is made of is compiled once on a machine, since from nothing that takes a minute; who comes second waits.
    """
    require_sources()
    program = directory / "vcsim"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(LIBRARIES), "GOFLAGS": ""}
    environment["GOCACHE"] = str(build_cache())
    build_cache().mkdir(parents=True, exist_ok=True)
    with (build_cache() / "ringfence.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["go", "build", "-o", program, SOURCE], env=environment, check=True)
    return program


@contextmanager
def running(
    program: Path, directory: Path, guests: Mapping[str, Mapping[str, object]], *options: str
) -> Iterator[Vcenter]:
    """Run a simulator whose machines are as told, by the names that it gives them; it ends with this block."""
    directory.mkdir(parents=True, exist_ok=True)
    certificate, key = certificate_at(directory)
    told = directory / "guests.json"
    told.write_text(json.dumps(guests))
    files = ["-certificate", certificate, "-key", key, "-guests", told]
    server = subprocess.Popen([program, *files, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        host, _, port = server.stdout.readline().strip().rpartition(":")
        yield Vcenter(host, int(port), certificate)
    finally:
        server.stdin.close()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()


def certificate_at(directory: Path) -> tuple[Path, Path]:
    """Return the files of a new certificate for 127.0.0.1 and of its key."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subject = ["-subj", "/CN=vcsim", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", key, "-out", certificate]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *subject]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def guest(number: int, **more: object) -> dict[str, object]:
    """Return a Linux guest with a card, an IPv4 and an IPv6 address, as the simulator takes it."""
    four = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    mac = f"00:50:56:{number >> 16 & 63:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    return {
        "HostName": f"vm-{number}.example.org",
        "IpAddress": four,
        "GuestFamily": "linuxGuest",
        "ToolsRunningStatus": "guestToolsRunning",
        "Net": [nic(mac, {four: 24, f"2001:db8::{number:x}": 64})],
        **more,
    }


def nic(mac: str, addresses: Mapping[str, int], card: int = 4000) -> dict[str, object]:
    """Return a network interface with its addresses and their prefix lengths; card -1 is no card of the machine."""
    told = [
        {"IpAddress": address, "PrefixLength": length, "State": "preferred"} for address, length in addresses.items()
    ]
    return {
        "Network": "VM Network",
        "MacAddress": mac,
        "Connected": True,
        "DeviceConfigId": card,
        "IpAddress": list(addresses),
        "IpConfig": {"IpAddress": told},
    }

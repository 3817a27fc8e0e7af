"""What a benchmark needs of this machine, asked before anything is measured."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from ringfence.lab.probe import probe, require_watches
from ringfence.model.errors import OutsideError

from .. import chromium
from ..simulated_vcenter import CannotSimulate, require_sources
from .fleet import HOSTS


def lack(name: str) -> str:
    """Return why a benchmark cannot be measured here and what helps; empty where nothing is known to be missing."""
    try:
        NEEDS.get(name, _nothing)()
    except (OutsideError, CannotSimulate) as missing:
        return str(missing)
    return ""


def _nothing() -> None:
    return


def _machines() -> None:
    probe().require("machines")
    require_watches(HOSTS)


def _namespaces() -> None:
    if os.geteuid() != 0:
        raise OutsideError("network namespaces with a link between them need root", remedy="run it as root")
    for tool, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(tool) is None:
            raise OutsideError(f"no command '{tool}'", remedy=f"apt-get install {package}")


def _iptables() -> None:
    _namespaces()
    for tool, package in (("ipset", "ipset"), ("iptables-legacy", "iptables"), ("iptables-nft", "iptables")):
        if shutil.which(tool) is None:
            raise OutsideError(f"no command '{tool}'", remedy=f"apt-get install {package}")


def _browser() -> None:
    if missing := chromium.lacking():
        raise OutsideError(missing)


def _tracking() -> None:
    probe().require("namespaces")
    if shutil.which("conntrack") is None:
        raise OutsideError("no command 'conntrack'", remedy="apt-get install conntrack")


NEEDS: dict[str, Callable[[], None]] = {
    "apply": _machines,
    "classes": _iptables,
    "inventory_vsphere": require_sources,
    "map": _browser,
    "packet": _namespaces,
    "quarantine": _namespaces,
    "verify": _machines,
    "watch": _tracking,
}

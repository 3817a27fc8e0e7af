"""Whose a table or a chain is, by the names that programs give them."""

from __future__ import annotations

import re

# Tables of nft by name, from the sources of each.
_TABLES = {
    "firewalld": "firewalld",
    "docker-bridges": "Docker",
    "netavark": "Podman",
    "libvirt_network": "libvirt",
    "kube-proxy": "Kubernetes",
    "kube_proxy": "Kubernetes",
    "f2b-table": "fail2ban",
    "crowdsec": "CrowdSec",
    "crowdsec6": "CrowdSec",
    "sshguard": "sshguard",
    "cilium": "Cilium",
    "calico": "Calico",
    "incus": "Incus",
    "lxd": "LXD",
    "tailscale": "Tailscale",
    "mullvad": "Mullvad",
}
# Chains of iptables by how their names begin.
_CHAINS = (
    (re.compile(r"ufw6?-"), "ufw"),
    (re.compile(r"f2b-|fail2ban-"), "fail2ban"),
    (re.compile(r"DOCKER(\b|_|-)"), "Docker"),
    (re.compile(r"NETAVARK|CNI-"), "Podman"),
    (re.compile(r"LIBVIRT_"), "libvirt"),
    (re.compile(r"KUBE-"), "Kubernetes"),
    (re.compile(r"cali[-:]"), "Calico"),
    (re.compile(r"CILIUM_"), "Cilium"),
    (re.compile(r"ts-(input|forward|postrouting)"), "Tailscale"),
    (re.compile(r"CROWDSEC"), "CrowdSec"),
    (re.compile(r"sshguard"), "sshguard"),
    (re.compile(r"(INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING)_(direct|ZONES|ZONES_SOURCE)$|(IN|FWDI|FWDO|PRE|POST)_[a-z]"),
     "firewalld"),
)  # fmt: skip
# What sets the policy of the chain that its own chains are entered from (ufw(8): `ufw default deny`).
_SETS_POLICY = {"ufw"}


def table_owner(name: str) -> str:
    """Return whose a table of nft is, empty where nobody is known for its name."""
    return _TABLES.get(name, "")


def chain_owner(name: str) -> str:
    """Return whose a chain of iptables is, empty where nobody is known for its name."""
    return next((owner for shape, owner in _CHAINS if shape.match(name)), "")


def policy_owner(entered: set[str]) -> str:
    """Return who set the policy of a chain from which the chains of `entered` owners are entered."""
    return next(iter(sorted(entered & _SETS_POLICY)), "")

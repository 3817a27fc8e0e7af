"""Interfaces and addresses that are a host's own affair, as guests tell of them: they tell no two hosts apart.

The engine has the same lists, with where each entry is from, for what it gathers itself
(`ringfence.sources.known_to_all`); a plug-in has to do without the engine.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network

INNER_INTERFACES = (
    r"lo\d*",
    r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}",
    r"podman\d*|cni\d*|cni-podman\d*|nerdctl\d*",
    r"veth.*|vnet\d+|macvtap\d*|vif\d.*|fw(?:br|ln|pr)\d.*|tap.*|tun\d*",
    r"virbr\d+(?:-nic)?|lxcbr\d+|lxdbr\d+|incusbr\d+|vboxnet\d+|vmnet\d+",
    r"cali.*|tunl\d+|vxlan[.-]calico.*|wireguard[.]cali|wg-v6[.]cali",
    r"flannel.*|cbr\d+|kube-.*|nodelocaldns|weave|vethwe.*",
    r"cilium_.*|lxc.*|antrea-.*|ovn-k8s-.*|genev_sys.*|vxlan_sys.*",
    r"ovs-.*|br-int|br-tun|qbr.*|qvb.*|qvo.*",
    r"sit\d*|gre\d*|gretap\d*|erspan\d*|ip6tnl\d*|ip6gre\d*|ip_vti\d*|ip6_vti\d*|teql\d*|ifb\d*",
    r"usb\d+|idrac|bmc\d*",
    r"vEthernet \((?:Default Switch|nat|WSL.*|DockerNAT)\)|Loopback Pseudo-Interface.*",
)
EVERYBODYS_ADDRESSES = (
    *("127.0.0.0/8", "::1", "169.254.0.0/16", "fe80::/10", "0.0.0.0/8", "255.255.255.255", "::", "224.0.0.0/4"),
    *("ff00::/8", "192.0.0.0/29", "fd00:ec2::254", "168.63.129.16"),
)
_INNER = re.compile("|".join(INNER_INTERFACES), re.IGNORECASE)
_NETWORKS = {
    version: [network for text in EVERYBODYS_ADDRESSES if (network := ip_network(text)).version == version]
    for version in (4, 6)
}


@lru_cache(maxsize=4096)
def is_inner(name: str) -> bool:
    """Return whether an interface is a host's own affair: a bridge for containers, an end of a guest, a tunnel."""
    return _INNER.fullmatch(name) is not None


def is_everybodys(address: IPv4Address | IPv6Address) -> bool:
    """Return whether every host has an address, or none can: loopback, link-local, multicast, a cloud's metadata."""
    return any(address in network for network in _NETWORKS[address.version])

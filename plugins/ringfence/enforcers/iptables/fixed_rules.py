"""What stands above every policy: the control path, loopback, cut and established connections, and the built-ins.

No set of ipset holds both ports of a connection. So the tuples that stood before are in two sets, one with each port,
and a packet must be in both; what is cut is rules of the chain `rf_cut_<in|out>`, which the target fills exactly.
"""

from __future__ import annotations

from ringfence.enforcers.iptables.built_in_rules import built_in_rules, replies
from ringfence.enforcers.iptables.networks import networks_of
from ringfence.enforcers.iptables.text import GENERATION, Parts, set_text, size_for
from ringfence.model.addresses import FAMILIES, addresses_of
from ringfence.model.assets import Control
from ringfence.model.rules import Direction

# Direction -> the remote and the local address as `-m set` calls them, the option of the local port, the interface.
SIDES = {Direction.IN: ("src", "dst", "--dport", "-i"), Direction.OUT: ("dst", "src", "--sport", "-o")}
MOST_STANDING = 65536
# A SYN without ACK is no packet of a connection that stood: it begins another, which the policy judges.
NO_FIRST_PACKET = "-m tcp ! --tcp-flags SYN,ACK SYN"


def fixed_rules(parts: Parts, direction: Direction, control: Control | None) -> list[str]:
    """Return the rules of one direction, in order, and add the sets and chains they need."""
    remote, local, local_port, interface = SIDES[direction]
    rules = []
    networks = addresses_of(control.networks) & FAMILIES[parts.family] if control else None
    if control and networks:
        name = f"rf_control{parts.family}{GENERATION}"
        elements = networks_of(networks)
        parts.sets[name] = set_text(parts.family, name, "hash:net", size_for(len(elements)), elements=elements)
        # asked for its address first: a port is read from a header, and a packet without one would be dropped
        rules.append(f"-p tcp -m set --match-set {name} {remote} -m tcp {local_port} {control.port} -j RETURN")
    standing = " ".join(
        f"-m set --match-set {_standing(parts, port)} {local},{local if port == 'l' else remote},{remote}"
        for port in ("l", "r")
    )
    cut = f"rf_cut_{direction}"
    parts.filter[cut] = ()
    return [
        *rules,
        f"{interface} lo -j RETURN",
        f"-j {cut}",
        *replies(direction, parts.family),
        f"-p tcp {standing} {NO_FIRST_PACKET} -j RETURN",
        f"! -p tcp {standing} -j RETURN",
        *built_in_rules(direction, parts.family),
    ]


def _standing(parts: Parts, port: str) -> str:
    """Return the set of standing tuples with their local (`l`) or remote (`r`) port, and add it."""
    name = f"rf_standing_{port}{parts.family}{GENERATION}"
    parts.sets[name] = set_text(parts.family, name, "hash:ip,port,ip", MOST_STANDING, "timeout 0")
    return name

"""What a host cannot do without, above every policy: neighbour and router discovery, MLD, IGMP, a DHCP client.

Each is as narrow as its protocol allows, so that no service has a channel through a policy that denies it one:

- neighbour and router discovery has hop limit 255, so it was sent on this link (RFC 4861, 6.1, 7.1 and 8.1);
  advertisements of routers and redirects come from link-local addresses (6.1.2, 8.1);
- MLD has hop limit 1, goes to groups and comes from a link-local address, or from none yet (RFC 2710, 3; RFC 3590;
  RFC 3810, 5 and 5.2.13);
- IGMP has a TTL of 1 and goes to groups (RFC 2236, 2; RFC 3376, 4);
- a DHCP client speaks from its port to all servers of the link at once, which finds a lease and, by rebinding, keeps it
  (RFC 2131, 4.1 and 4.4.5; RFC 8415, 7.1 and 18.2.5); servers and relays answer from theirs, in IPv6 on the link. What
  it sends to one server's address is the policy's to allow.

None of these begins a connection that carries more than they let through. IGMP is judged packet by packet, and what a
host answers from a DHCP client's port to a server's port is not a reply: a client asks, it answers nobody. Else whoever
speaks first from a server's port would be answered past the policy. Such packets, and ICMP errors about them, are
judged by what stands below, as if they were first ones. Linux does not track discovery and MLD.

Matches stand in the order of the header, in which nft lists them.
"""

from __future__ import annotations

from ringfence.model.rules import Direction

_ON_LINK = "ip6 hoplimit 255"
_ONE_HOP = "ip6 hoplimit 1"
BUILT_IN = (
    f"{_ON_LINK} icmpv6 type {{ 133, 135, 136 }} accept",
    f"{_ON_LINK} ip6 saddr fe80::/10 icmpv6 type {{ 134, 137 }} accept",
    f"{_ONE_HOP} ip6 saddr fe80::/10 ip6 daddr ff00::/8 icmpv6 type {{ 130, 131, 132, 143 }} accept",
    f"{_ONE_HOP} ip6 saddr :: ip6 daddr ff00::/8 icmpv6 type {{ 131, 132, 143 }} accept",
    "ip ttl 1 ip protocol 2 ip daddr 224.0.0.0/4 accept",
)
_REPLY = "ct state established,related"
# Out, in the order of what is met most: all but IGMP and UDP, datagrams of flows that this host began, other datagrams,
# and errors about datagrams. Connection tracking knows what an error is about.
_REPLIES = {
    Direction.IN: (f"{_REPLY} ct protocol != 2 accept",),
    Direction.OUT: (
        f"{_REPLY} ct protocol != {{ 2, 17 }} accept",
        f"{_REPLY} ct protocol != 2 ct direction 0 accept",
        f"{_REPLY} udp sport . udp dport != {{ 68 . 67, 546 . 547 }} accept",
        f"{_REPLY} meta l4proto 1 ct protocol != 2 ct original proto-src != 67 accept",
        f"{_REPLY} meta l4proto 58 ct protocol != 2 ct original proto-src != 547 accept",
    ),
}
_DHCP = {
    Direction.IN: (
        "meta nfproto ipv4 udp sport 67 udp dport 68 accept",
        "ip6 saddr fe80::/10 ip6 daddr fe80::/10 udp sport 547 udp dport 546 accept",
    ),
    Direction.OUT: (
        "ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept",
        "ip6 saddr fe80::/10 ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept",
    ),
}


def built_in_rules(direction: Direction) -> tuple[str, ...]:
    """Return the rules of the built-ins for one direction, in order."""
    return (*BUILT_IN, *_DHCP[direction])


def replies(direction: Direction) -> tuple[str, ...]:
    """Return the rules that let the replies of connections through that were allowed, in order."""
    return _REPLIES[direction]

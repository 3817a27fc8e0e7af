"""Random rules of other firewalls, for nft and both variants of iptables: what is understood, and what is not."""

from __future__ import annotations

from random import Random

from .beside_world import CLIENTS, SERVERS

Steps = list[tuple[list[str], str]]
HOOKS = (
    ("prerouting", "-150"),
    ("input", "-20"),
    ("input", "0"),
    ("input", "10"),
    ("output", "0"),
    ("postrouting", "10"),
)
ENDS = ("accept", "drop", "accept", "drop", "return", "reject", "continue", "counter")


def steps(random: Random) -> Steps:
    """Return commands that give a host rules, each with its standard input."""
    kinds = random.choice((["nft"], ["nft"], ["nft-xt"], ["legacy"], ["nft", "legacy"], ["nft", "nft-xt"]))
    found: Steps = []
    for kind in kinds:
        if kind == "nft":
            found += [(["nft", "-f", "-"], nft_text(random, number)) for number in range(random.randint(1, 2))]
        else:
            variant = "legacy" if kind == "legacy" else "nft"
            if random.random() < 0.4:
                found.append((["ipset", "-exist", "restore"], IPSETS))
                sets = True
            else:
                sets = False
            for family in random.choice(((4,), (6,), (4, 6))):
                program = f"{'ip6' if family == 6 else 'ip'}tables-{variant}-restore"
                found.append(([program], iptables_text(random, family, sets)))
    return found


def nft_text(random: Random, number: int) -> str:
    """Return a table."""
    family = random.choice(("inet", "inet", "ip", "ip6"))
    chains = [f"c{one}" for one in range(random.randint(0, 3))]
    lines = [f"table {family} other{number} {{"]
    lines += [f"set {name} {{ {kind} }}" for name, kind in SETS.items() if family != "ip6" or "ipv4" not in kind]
    # a chain leads only to those before it: the kernel takes no circles
    for index, name in enumerate(chains):
        lines += [f"chain {name} {{", *_nft_rules(random, family, chains[:index]), "}"]
    lines.append(
        f"map ports {{ type inet_service : verdict; elements = {{ 25 : drop, 53 : {_end(random, chains)} }}; }}"
    )
    for index, (hook, priority) in enumerate(random.sample(HOOKS, random.randint(1, 3))):
        policy = random.choice(("accept", "accept", "drop")) if hook == "input" else "accept"
        lines += [f"chain b{index} {{", f"type filter hook {hook} priority {priority}; policy {policy};"]
        if random.random() < 0.6:
            lines.append(random.choice(_ESTABLISHED))
        if family != "ip" and policy == "drop":
            lines.append("meta l4proto 58 icmpv6 type { 133, 134, 135, 136 } accept")
        lines += [*_nft_rules(random, family, chains), "}"]
    return "\n".join([*lines, "}"]) + "\n"


SETS = {
    "some": f"type ipv4_addr; flags interval; elements = {{ {CLIENTS[0]}, 10.8.0.0/16 }};",
    "some6": f"type ipv6_addr; elements = {{ {CLIENTS[2]} }};",
    "services": "type inet_proto . inet_service; flags interval; elements = { tcp . 22-80, udp . 53 };",
    "filled": "type ipv4_addr; flags dynamic; size 8;",
}
_ESTABLISHED = (
    "ct state established,related accept",
    "ct state vmap { established : accept, related : accept, invalid : drop }",
    "ct state { established, related } counter accept",
    "ct direction reply accept",
)


def _nft_rules(random: Random, family: str, chains: list[str]) -> list[str]:
    found = []
    for _ in range(random.randint(0, 5)):
        tests = random.sample(_nft_tests(family), random.randint(0, 2))
        # what asks for several protocols at once is refused
        if sum(any(word in test for word in ("tcp", "udp", "icmp", "l4proto")) for test in tests) > 1:
            tests = tests[:1]
        kind = random.random()
        if kind < 0.12 and not any("udp" in test or "icmp" in test for test in tests):
            found.append(f"{' '.join(tests)} tcp dport vmap @ports")
        elif kind < 0.2 and not any(word in test for test in tests for word in ("tcp", "udp", "icmp", "l4proto")):
            ends = _end(random, chains), _end(random, chains)
            found.append(f"{' '.join(tests)} meta l4proto vmap {{ 6 : {ends[0]}, 17 : {ends[1]} }}")
        else:
            found.append(f"{' '.join(tests)} {_end(random, chains, ENDS)}")
    return found


def _end(random: Random, chains: list[str], ends: tuple[str, ...] = ("accept", "drop", "return")) -> str:
    if chains and random.random() < 0.3:
        return f"{random.choice(('jump', 'goto'))} {random.choice(chains)}"
    return random.choice(ends)


def _nft_tests(family: str) -> list[str]:
    four = [
        f"ip saddr {CLIENTS[0]}",
        f"ip saddr != {CLIENTS[1]}",
        "ip saddr @some",
        "ip saddr != @some",
        f"ip daddr {SERVERS[0]}",
        "ip saddr 10.9.0.2/31",
        f"ip saddr . tcp dport {{ {CLIENTS[0]} . 22, {CLIENTS[1]} . 80-443 }}",
        "icmp type echo-request",
        "ip protocol udp",
        "ip ttl > 60",
        "ip saddr 10.9.0.0-10.9.0.2",
        "ip saddr @filled",
    ]
    six = [
        f"ip6 saddr {CLIENTS[2]}",
        "ip6 saddr @some6",
        "ip6 daddr != fd08::/16",
        "icmpv6 type echo-request",
        "ip6 nexthdr tcp",
        "rt type 0",
    ]
    both = [
        "tcp dport 22",
        "tcp dport != { 22, 80-443 }",
        "udp dport { 53, 1000-2000 }",
        "th dport 443",
        "tcp dport >= 1000",
        "meta l4proto { tcp, udp }",
        "meta l4proto . th dport @services",
        "ct state new",
        "ct state != new",
        "ct state invalid",
        "ct direction original",
        "ct status dnat",
        "tcp flags syn / fin,syn,rst,ack",
        "tcp flags & (fin|syn) == (fin|syn)",
        "tcp flags ack",
        'iifname "lo"',
        'iifname != "lo"',
        'iifname "s0"',
        'oifname { "lo", "x*" }',
        "fib daddr type local",
        "fib saddr type local",
        "meta mark 5",
        "meta mark set 5",
        "limit rate 1/second",
        "meta pkttype broadcast",
        "tcp sport 1024-65535",
        "ct mark 0",
        "meta length < 1000",
        'log prefix "x"',
    ]
    return both + {"inet": four + six, "ip": four, "ip6": six}[family]


IPSETS = f"""create hosts hash:ip family inet
add hosts {CLIENTS[0]}
create nets hash:net family inet
add nets 10.9.0.2/31
create pairs hash:ip,port family inet
add pairs {CLIENTS[1]},tcp:80
add pairs {CLIENTS[0]},udp:53
create ports bitmap:port range 0-65535
add ports 22-80
"""


def iptables_text(random: Random, family: int, sets: bool) -> str:
    """Return a listing to restore."""
    chains = [f"X{one}" for one in range(random.randint(0, 3))]
    lines = []
    for table, hooks in (("filter", ("INPUT", "OUTPUT")), ("mangle", ("PREROUTING", "INPUT"))):
        if table == "mangle" and random.random() < 0.6:
            continue
        lines.append(f"*{table}")
        policy = {hook: random.choice(("ACCEPT", "ACCEPT", "DROP")) for hook in hooks}
        lines += [f":{hook} {policy[hook]} [0:0]" for hook in hooks]
        lines += [f":{chain} - [0:0]" for chain in chains]
        for index, chain in enumerate(chains):
            lines += _iptables_rules(random, family, chain, chains[:index], sets)
        for hook in hooks:
            if random.random() < 0.6:
                lines.append(f"-A {hook} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
            if family == 6:
                lines += [f"-A {hook} -p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j ACCEPT" for kind in (135, 136)]
            lines += _iptables_rules(random, family, hook, chains, sets)
        lines.append("COMMIT")
    return "\n".join(lines) + "\n"


def _iptables_rules(random: Random, family: int, chain: str, chains: list[str], sets: bool) -> list[str]:
    found = []
    for _ in range(random.randint(0, 5)):
        tests = random.sample(_iptables_tests(family, sets, chain), random.randint(0, 2))
        # a protocol can be said once
        if sum("-p " in test for test in tests) > 1 or sum("-s " in test for test in tests) > 1:
            tests = tests[:1]
        if chains and random.random() < 0.3:
            target = f"{random.choice(('-j', '-g'))} {random.choice(chains)}"
        else:
            target = f"-j {random.choice(('ACCEPT', 'DROP', 'ACCEPT', 'DROP', 'RETURN', 'MARK --set-mark 7'))}"
            if "MARK" in target:
                target = '-m comment --comment "a \\"b\\" -j"'
        found.append(f"-A {chain} {' '.join(tests)} {target}")
    return found


def _iptables_tests(family: int, sets: bool, chain: str) -> list[str]:
    four = [
        f"-s {CLIENTS[0]}/32",
        f"! -s {CLIENTS[1]}/32",
        "-s 10.9.0.2/31",
        "-p icmp -m icmp --icmp-type 8",
        "-m iprange --src-range 10.9.0.1-10.9.0.2",
        "-m addrtype --dst-type LOCAL",
        "-m addrtype --src-type MULTICAST,BROADCAST",
        "-m ttl --ttl-gt 60",
        "-f",
    ]
    six = [f"-s {CLIENTS[2]}/128", "-p ipv6-icmp -m icmp6 --icmpv6-type 128", "-m rt --rt-type 0", f"! -d {SERVERS[1]}"]
    if sets:
        four += [
            "-m set --match-set hosts src",
            "-m set ! --match-set nets src",
            "-m set --match-set pairs src,dst",
            "-m set --match-set nets dst",
        ]
    both = [
        "-p tcp -m tcp --dport 22",
        "-p tcp -m tcp ! --dport 80:443",
        "-p udp -m udp --dport 53",
        "-p tcp -m multiport --dports 22,80:443,8080",
        "-p udp -m multiport --ports 1000,5432",
        "! -p tcp",
        "-p udp",
        "-m conntrack --ctstate NEW",
        "-m conntrack --ctstate INVALID",
        "-m conntrack ! --ctstate NEW",
        "-m state --state NEW,ESTABLISHED",
        "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
        "-p tcp -m tcp --tcp-flags SYN,FIN SYN,FIN",
        "-m limit --limit 1/sec",
        "-m mark --mark 0x5",
        "-p tcp -m tcp --sport 1024:65535",
        "-m conntrack --ctdir ORIGINAL",
        "-m conntrack --ctstatus ASSURED",
        "-m pkttype --pkt-type broadcast",
    ]
    if chain in ("INPUT", "PREROUTING"):
        both += ["-i lo", "! -i lo", "-i s+", "-i eth0"]
    if chain == "OUTPUT":
        both += ["-o lo", "! -o lo", "-o s0"]
    return both + (four if family == 4 else six)

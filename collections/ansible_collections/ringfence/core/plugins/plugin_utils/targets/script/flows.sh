# Flows: what connection tracking knows of everything but TCP, whose connections are sockets (sockets.sh).

# The most that are told; a name server has one for every question of the last minutes.
flows_most=20000

# Prints the entries of connection tracking as /proc has them, from the first of these that this host has: /proc, the
# command conntrack, Python. Fails where it has none.
tracked_text() {
    if [ -r /proc/net/nf_conntrack ]; then
        cat /proc/net/nf_conntrack 2>/dev/null && return 0
    fi
    if have conntrack; then
        { conntrack -L -f ipv4 -o extended && conntrack -L -f ipv6 -o extended; } 2>/dev/null && return 0
    fi
    tracked_python list </dev/null
}

tracked_python() {
    find_python "python3 /usr/libexec/platform-python" || return 1
    "$python" -c "$tracked_program" "$1" 2>/dev/null
}

# ctnetlink (linux/netfilter/nfnetlink_conntrack.h): `list` prints what there is; `forget` deletes what standard input
# names, lines as those of cut_elements; `forget_addresses` all that has one of the addresses, or networks, of standard input at an end.
# shellcheck disable=SC2016
tracked_program='
import socket, struct, sys

def attribute(kind, body):
    return struct.pack("=HH", 4 + len(body), kind) + body + bytes(-len(body) % 4)

def attributes(data):
    found = {}
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        if size < 4:
            break
        found[kind & 0x3FFF] = data[4:size]
        data = data[size + 3 & ~3:]
    return found

def ask(kind, flags, family, body=b""):
    link.send(struct.pack("=IHHIIBBH", 20 + len(body), 256 + kind, flags, 1, 0, family, 0, 0) + body)
    while True:
        data = link.recv(1 << 20)
        while len(data) >= 16:
            size, kind = struct.unpack_from("=IH", data)
            if kind in (2, 3):
                return
            yield attributes(data[20:size])
            data = data[size + 3 & ~3:]

def entries(family):
    for found in ask(1, 0x301, family):
        ends = []
        for one in (found[1], found[2]):
            ip, proto = (attributes(attributes(one)[part]) for part in (1, 2))
            at = 1 if family == socket.AF_INET else 3
            ports = [struct.unpack(">H", proto[part])[0] for part in (2, 3) if part in proto]
            kinds = [proto[part][0] for part in (5, 8) if part in proto]
            ends.append((proto[1][0], ip[at], ip[at + 1], ports, kinds))
        yield found, ends

def told(one):
    protocol, source, target, ports, kinds = one
    words = ["src=" + socket.inet_ntop(family, source), "dst=" + socket.inet_ntop(family, target)]
    if ports:
        words.append("sport=%d dport=%d" % tuple(ports))
    return words + ["type=%d" % kind for kind in kinds]

def key(protocol, one, other, first, second):
    if protocol in (17, 132):
        return protocol, frozenset(((one, first), (other, second)))
    return protocol, one, other, first if protocol in (1, 58) else 0

def network(text):
    address, _, bits = text.partition("/")
    packed = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    rest = 8 * len(packed) - int(bits or 8 * len(packed))
    return len(packed), rest, int.from_bytes(packed, "big") >> rest

def met(packed):
    number = int.from_bytes(packed, "big")
    return any((len(packed), rest, number >> rest) in whole for rest in rests)

link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
wanted = set()
over, whole, rests = [], set(), set()
if sys.argv[1] == "forget_addresses":
    over = [network(line.strip()) for line in sys.stdin if line.strip()]
    whole, rests = set(over), {rest for _, rest, _ in over}
if sys.argv[1] == "forget":
    for line in sys.stdin:
        if len(line.split()) == 6:
            version, protocol, one, other, first, second = line.split()
            family = socket.AF_INET if version == "4" else socket.AF_INET6
            pair = (socket.inet_pton(family, end) for end in (one, other))
            wanted.add(key(int(protocol), *pair, int(first), int(second.replace("-", "0"))))
for family, name in ((socket.AF_INET, "ipv4 2"), (socket.AF_INET6, "ipv6 10")):
    gone = []
    for found, (there, back) in entries(family):
        protocol, client, server, ports, kinds = *there[:2], back[1], *there[3:]
        if over:
            if any(met(one) for one in (there[1], there[2], back[1], back[2])):
                gone.append(found)
        elif sys.argv[1] == "list":
            seen = [] if struct.unpack(">I", found[3])[0] & 2 else ["[UNREPLIED]"]
            print(name, "any", protocol, 0, *told(there), *seen, *told(back))
        else:
            ends = [ports[0], back[3][0]] if ports else [kinds[0], 0] if kinds else [0, 0]
            if protocol != 6 and key(protocol, client, server, *ends) in wanted:
                gone.append(found)
    for found in gone:
        body = attribute(0x8001, found[1]) + b"".join(attribute(kind, found[kind]) for kind in (12, 18) if kind in found)
        list(ask(2, 5, family, body))
'

# Makes connection tracking forget the flows of standard input, lines as those of cut_elements, as far as this host can.
forget_flows() {
    if find_python "python3 /usr/libexec/platform-python"; then
        "$python" -c "$tracked_program" forget 2>/dev/null
        return 0
    fi
    if ! have conntrack; then return 0; fi
    while read -r forget_family forget_protocol forget_local forget_remote forget_lport forget_rport; do
        case $forget_protocol in
        6 | '') continue ;;
        17 | 132)
            conntrack -D -f "ipv$forget_family" -p "$forget_protocol" -s "$forget_local" -r "$forget_remote" \
                --sport "$forget_lport" --reply-port-src "$forget_rport"
            conntrack -D -f "ipv$forget_family" -p "$forget_protocol" -s "$forget_remote" -r "$forget_local" \
                --sport "$forget_rport" --reply-port-src "$forget_lport"
            ;;
        1) conntrack -D -f ipv4 -p icmp -s "$forget_local" -r "$forget_remote" --icmp-type "$forget_lport" ;;
        58) conntrack -D -f ipv6 -p icmpv6 -s "$forget_local" -r "$forget_remote" --icmpv6-type "$forget_lport" ;;
        *) conntrack -D -f "ipv$forget_family" -p "$forget_protocol" -s "$forget_local" -r "$forget_remote" ;;
        esac </dev/null >/dev/null 2>&1
    done
}

# An awk program over addresses, UDP sockets and tracked connections, in this order, that prints `F family protocol way
# local remote local-port remote-port uid inode state` for every flow of this host. `way` is `in` where the client is the
# far end. Tracking takes who speaks first for the client, also where it began in the middle: `answers` is a way out from
# a port that was bound to one that was chosen by a kernel, which may be the answer to an `in`, `answered` the like of an
# `out`. Of messages the ports are the type and the type of the answer (`-` unless it is known), of what has no ports
# 0. `state` is `replied`, `new` (nobody answered) or `socket` (connected, and not tracked). Which socket a flow is of is
# told where it is one alone, else `-`. Addresses are those that the filter sees: in front of source NAT, behind
# destination NAT. What is forwarded, or stays within the host, is left out.
# shellcheck disable=SC2016 # awk's own variables
flow_program="$socket_words"'
    function out(line) { if (++told <= most) print "F " line }
    function chosen(port) { return port + 0 >= lowest && port + 0 <= highest }
    function owner(protocol, local, remote, lport, rport,    key) {
        if (protocol != 17) return "- -"
        key = local " " remote " " lport " " rport
        if (key in connected) return connected[key]
        return sockets[lport] == 1 ? owners[lport] : "- -"
    }
    FILENAME == "/proc/net/if_inet6" {
        for (i = 1; i <= 32; i += 4) address = (i > 1 ? address ":" : "") tolower(substr($1, i, 4))
        here[address] = 1
        next
    }
    FILENAME == "/proc/net/fib_trie" {
        if ($1 == "|--") address = $2
        else if ($1 == "/32" && $3 == "LOCAL") here[address] = 1
        next
    }
    FILENAME == "/proc/sys/net/ipv4/ip_local_port_range" { lowest = $1; highest = $2; next }
    FILENAME ~ /^\/proc\/net\/udp6?$/ {
        if ($4 != "01" && $4 != "07") next
        split($2, near, ":"); split($3, far, ":")
        lport = number(near[2]); rport = number(far[2])
        if ($4 == "07") { owners[lport] = $8 " " $10; sockets[lport]++; next }
        a = plain(near[1]); b = plain(far[1])
        if (substr(a, 1, 24) == "00000000000000000000FFFF" && length(a) == 32) { a = substr(a, 25); b = substr(b, 25) }
        if (length(a) == 8 ? substr(a, 1, 2) == "7F" : a == "00000000000000000000000000000001") next
        key = text(a) " " text(b) " " lport " " rport
        connected[key] = $8 " " $10; family[key] = length(a) == 8 ? 4 : 6
        next
    }
    $1 == "unread" { print "U" }
    $4 ~ /^[0-9]+$/ && $4 != 6 {
        split("", first); split("", second); state = "replied"
        for (i = 5; i <= NF; i++) {
            if ($i == "[UNREPLIED]") state = "new"
            at = index($i, "=")
            if (!at) continue
            name = substr($i, 1, at - 1); value = substr($i, at + 1)
            if (name in first) { if (!(name in second)) second[name] = value } else first[name] = value
        }
        if (!("src" in first) || !("src" in second)) next
        client = whole(first["src"]); server = whole(second["src"])
        if ((client in here) == (server in here)) next
        way = client in here ? "out" : "in"
        protocol = $4; version = $1 == "ipv4" ? 4 : 6
        if (way == "out") { local = client; remote = server; lport = first["sport"]; rport = second["sport"] }
        else { local = server; remote = client; lport = second["sport"]; rport = first["sport"] }
        if (protocol == 1 || protocol == 58) { lport = first["type"]; rport = "type" in second ? second["type"] : "-" }
        else if (protocol != 17 && protocol != 132) lport = rport = 0
        key = local " " remote " " lport " " rport
        seen[key] = 1
        if (protocol == 17 && key in connected && !sockets[lport]) { way = "out"; if (state == "new") state = "socket" }
        else if (protocol == 17 && way == "out" && sockets[lport] && !chosen(lport) && chosen(rport)) way = "answers"
        else if (protocol == 17 && way == "in" && sockets[lport] && chosen(lport) && !chosen(rport)) way = "answered"
        out(version " " protocol " " way " " local " " remote " " lport + 0 " " (rport == "-" ? rport : rport + 0) " " owner(protocol, local, remote, lport, rport) " " state)
    }
    END {
        for (key in connected)
            if (!(key in seen)) out(family[key] " 17 out " key " " connected[key] " socket")
        if (told > most) print "M " told - most
    }
'

# Prints the flows of this host; `M number` for how many more there are than are told; `U` where connection tracking cannot
# be read: then the connected sockets are all.
flow_text() {
    prepare_sockets
    set --
    for flow_file in /proc/sys/net/ipv4/ip_local_port_range /proc/net/if_inet6 /proc/net/fib_trie /proc/net/udp /proc/net/udp6; do
        if [ -r "$flow_file" ]; then set -- "$@" "$flow_file"; fi
    done
    # through a pipe: a busy host tracks more than a full disk has room for
    { tracked_text || echo unread; } |
        awk -v little="$socket_little" -v most="$flows_most" "$flow_program" "$@" -
}

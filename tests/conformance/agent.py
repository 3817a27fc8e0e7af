"""The prober's hand on a host: opens listeners, sends from any address, unit and user, and says what arrived.

Its source is given to the host's own python3 (3.8 syntax, standard library); requests come as JSON lines on standard
input, answers go out the same way, and the end of input is its end. A unit is a control group `system.slice/<unit>`
that the agent enters while it makes a socket; a user is the file system uid of that moment (what `meta skuid` sees).
"""

# ruff: noqa: PTH103, PTH118, PTH123
import ctypes
import errno
import json
import os
import select
import socket
import struct
import subprocess
import sys

GROUPS = "/sys/fs/cgroup/system.slice"
HOME = "conformance.scope"
SHORT, LARGE, BARE = 8, 3000, 2  # bytes of payload; a large datagram travels in three fragments
TCP, UDP, ICMP, ICMPV6, SCTP = 6, 17, 1, 58, 132
NETLINK_NETFILTER = 12
FLUSH_CONNTRACK = struct.pack("=IHHIIBBH", 20, 0x0102, 5, 1, 0, 0, 0, 0)  # IPCTNL_MSG_CT_DELETE of everything, acked
C_LIBRARY = ctypes.CDLL(None)


class Agent:
    """All sockets of one case, and what came in on them."""

    def __init__(self):
        self.listeners = []  # (socket, protocol); raw sockets have protocol and family
        self.raw = []
        self.clients = {}  # a connecting socket -> the probe's id
        self.accepted = []
        self.arrived = []
        self.addresses = set()

    def prepare(self, request):
        """Forget the last case; take addresses, rules and listeners; say what could not be had."""
        for opened in [
            *self.clients,
            *self.accepted,
            *(one[0] for one in self.listeners),
            *(one[0] for one in self.raw),
        ]:
            opened.close()
        self.listeners, self.raw, self.clients, self.accepted, self.arrived = [], [], {}, [], []
        problems = self.take_addresses(set(request["addresses"]))
        problems += self.load(request)["problems"]
        for protocol, port, unit in request["listeners"]:
            problems += self.listen(protocol, port, unit)
        for family, protocol in request["raw"]:
            opened = socket.socket(family, socket.SOCK_RAW, protocol)
            opened.setblocking(False)
            self.raw.append((opened, family, protocol))
        flush_conntrack()
        return {"problems": problems}

    def take_addresses(self, wanted):
        lines = [f"addr del {with_length(one)} dev eth0" for one in self.addresses - wanted]
        lines += [f"addr add {with_length(one)} dev eth0{' nodad' * (':' in one)}" for one in wanted - self.addresses]
        self.addresses = wanted
        lines.append("neigh flush dev eth0")
        done = run(["ip", "-force", "-batch", "-"], "\n".join(lines) + "\n")
        return [done.stderr] if done.returncode else []

    def load(self, request):
        """Run commands, each with its standard input, and say which of them failed."""
        problems = []
        for command, given in request["steps"]:
            done = run(command, given)
            problems += [given[:200] + ": " + done.stderr] if done.returncode else []
        return {"problems": problems}

    def listen(self, protocol, port, unit):
        opened = made_by(unit, 0, socket.AF_INET6, socket.SOCK_STREAM if protocol == TCP else socket.SOCK_DGRAM, 0)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setblocking(False)
        try:
            opened.bind(("::", port))
            if protocol == TCP:
                opened.listen(64)
        except OSError as error:
            opened.close()
            return [f"no listener on {protocol}/{port}: {error}"]
        self.listeners.append((opened, protocol))
        return []

    def send(self, request):
        """Send probes; return the source port of each that has one."""
        return {"ports": {str(probe["id"]): self.send_one(probe) for probe in request["probes"]}}

    def send_one(self, probe):
        family = socket.AF_INET6 if ":" in probe["source"] else socket.AF_INET
        protocol = probe["protocol"]
        if protocol in (TCP, UDP) and probe["shape"] != "bare":
            kind = socket.SOCK_STREAM if protocol == TCP else socket.SOCK_DGRAM
            opened = made_by(probe["unit"], probe["uid"], family, kind, 0)
        else:
            opened = made_by(probe["unit"], probe["uid"], family, socket.SOCK_RAW, protocol)
        if probe["client_port"]:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if probe["hops"] and family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, probe["hops"])
        elif probe["hops"]:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, probe["hops"])
        opened.bind((probe["source"], probe["client_port"] or 0))
        own = opened.getsockname()[1]
        opened.setblocking(False)
        target = (probe["target"], probe["port"] if opened.type != socket.SOCK_RAW else 0)
        try:
            if opened.type == socket.SOCK_STREAM:
                self.clients[opened] = probe["id"]
                opened.connect(target)
            else:
                opened.sendto(packet_of(probe, family), target)
        except OSError as error:
            if error.errno == errno.EPERM:  # this host's own table said no
                self.clients.pop(opened, None)
            elif error.errno != errno.EINPROGRESS:
                raise
        if opened.type != socket.SOCK_STREAM:
            opened.close()
        return own

    def collect(self, request):
        """Return all that arrived and all connections that stand, since `prepare`."""
        sockets = [one[0] for one in self.listeners] + [one[0] for one in self.raw]
        while sockets:
            ready = set(select.select(sockets, [], [], 0)[0])
            if not ready:
                break
            for opened, protocol in self.listeners:
                if opened in ready:
                    self.take(opened, protocol)
            for opened, family, protocol in self.raw:
                if opened in ready:
                    self.take_raw(opened, family, protocol)
        connected = []
        if self.clients:
            for opened in select.select([], list(self.clients), [], 0)[1]:
                if opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 and has_peer(opened):
                    connected.append(self.clients[opened])
        return {"arrived": self.arrived, "connected": connected}

    def take(self, opened, protocol):
        if protocol == TCP:
            accepted, peer = opened.accept()
            self.accepted.append(accepted)
        else:
            peer = opened.recvfrom(LARGE)[1]
        self.arrived.append([protocol, plain(peer[0]), peer[1], opened.getsockname()[1]])

    def take_raw(self, opened, family, protocol):
        data, peer = opened.recvfrom(65535)
        if family == socket.AF_INET:
            data = data[(data[0] & 15) * 4 :]
        if protocol in (TCP, UDP) and len(data) != BARE:
            return  # an ordinary segment or datagram, seen beside its own socket
        if (family, protocol) in ((socket.AF_INET, ICMP), (socket.AF_INET6, ICMPV6)):
            port, mark = (data[0], data[4:6]) if len(data) >= 6 else (0, b"")
        elif protocol == SCTP and len(data) >= 12:
            port, mark = struct.unpack("!H", data[2:4])[0], data[:2]
        else:
            port, mark = 0, data[:2]
        number = struct.unpack("!H", mark)[0] if len(mark) == 2 else -1
        self.arrived.append([protocol, plain(peer[0]), number, port])

    def list(self, request):
        """Return what the kernel holds: the outputs of some commands, each behind its heading."""
        text, problems = "", []
        for heading, command in request["listing"]:
            done = run(command, "")
            text += heading + done.stdout
            problems += [done.stderr] if done.returncode else []
        return {"text": text, "problems": problems}


def made_by(unit, uid, family, kind, protocol):
    """Return a socket made in a unit's control group by a user."""
    if unit:
        enter(unit)
    if uid:
        C_LIBRARY.setfsuid(uid)
    try:
        return socket.socket(family, kind, protocol)
    finally:
        if uid:
            C_LIBRARY.setfsuid(0)
        if unit:
            enter(HOME)


def has_peer(opened):
    try:
        opened.getpeername()
    except OSError:
        return False
    return True


def enter(group):
    with open(os.path.join(GROUPS, group, "cgroup.procs"), "w") as file:
        file.write("0")


def packet_of(probe, family):
    """Return what to send: shapes are `short`, `empty`, `large` (fragmented) and `bare` (no transport header)."""
    size = {"short": SHORT, "empty": 0, "large": LARGE, "bare": BARE}[probe["shape"]]
    mark = struct.pack("!H", probe["id"])
    protocol = probe["protocol"]
    if probe["shape"] == "bare":
        return mark
    if (protocol == ICMP and family == socket.AF_INET) or (protocol == ICMPV6 and family == socket.AF_INET6):
        body = bytes([probe["port"], 0, 0, 0]) + mark + b"\0\1" + bytes(size)
        return body[:2] + struct.pack("!H", internet_checksum(body)) + body[4:] if protocol == ICMP else body
    if protocol == SCTP:
        head = mark + struct.pack("!HI", probe["port"], 0)
        chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 1, 65535, 1, 1, 1)  # INIT, RFC 9260
        return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk
    return (mark + bytes(size))[:size]


def internet_checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def flush_conntrack():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.sendto(FLUSH_CONNTRACK, (0, 0))
        answer = netlink.recv(4096)
    failed = struct.unpack("=i", answer[16:20])[0]
    if failed:
        raise OSError(-failed, "conntrack entries cannot be flushed")


def run(command, given):
    return subprocess.run(command, input=given, capture_output=True, text=True)


def with_length(address):
    return address + ("/128" if ":" in address else "/32")


def plain(address):
    return address[7:] if address.startswith("::ffff:") and "." in address else address


def main():
    """Answer requests until there are no more; the arguments are the units there are."""
    if sys.argv[1:]:
        for group in (HOME, *sys.argv[1:]):
            os.makedirs(os.path.join(GROUPS, group), exist_ok=True)
        enter(HOME)
    for cache in ("arp_cache", "ndisc_cache"):  # all packets of a case may wait for one neighbour to be found
        run(["ip", "ntable", "change", "name", cache, "dev", "eth0", "queue", "10000"], "").check_returncode()
    agent = Agent()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(agent, request.pop("do"))(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who asked must hear it
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

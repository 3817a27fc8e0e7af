"""A host's report tells who listens and who talks to whom, with the process that nft would see."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.module_utils.flows_conntrack import Tracked, parse, tracked
from ansible_collections.ringfence.core.plugins.module_utils.flows_diag import listener_cgroups
from ansible_collections.ringfence.core.plugins.module_utils.flows_processes import clean, processes, unit_of
from ansible_collections.ringfence.core.plugins.module_utils.flows_report import Options, collect
from ansible_collections.ringfence.core.plugins.module_utils.flows_sockets import sockets

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def end(address: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return f"{''.join(f'{word:08X}' for word in words)}:{port:04X}"


def row(local: tuple[str, int], remote: tuple[str, int], state: int, uid: int, inode: int) -> str:
    return (
        f"   0: {end(*local)} {end(*remote)} {state:02X} 00000000:00000000 00:00000000 00000000 {uid} 0 {inode} 1 0\n"
    )


class FakeHost:
    """A /proc made by hand: files of sockets, and processes with their sockets, units and users."""

    def __init__(self, proc: Path) -> None:
        self.proc = proc
        (proc / "net").mkdir()
        self.sockets: dict[str, list[str]] = {}
        self.write("net/if_inet6", "fd000000000000000000000000000001 02 40 00 80 eth0\n")
        self.write(
            "net/fib_trie", "Local:\n  |-- 10.0.0.1\n     /32 host LOCAL\n  |-- 10.0.0.255\n     /32 link BROADCAST\n"
        )
        self.write("sys/net/ipv4/ip_local_port_range", "32768\t60999\n")
        self.write("net/nf_conntrack", "")

    def write(self, path: str, text: str) -> None:
        (self.proc / path).parent.mkdir(parents=True, exist_ok=True)
        (self.proc / path).write_text(text)

    def add(
        self, table: str, local: tuple[str, int], remote: tuple[str, int], state: int, uid: int, inode: int
    ) -> None:
        self.sockets.setdefault(table, []).append(row(local, remote, state, uid, inode))
        self.write(f"net/{table}", HEADER + "".join(self.sockets[table]))

    def process(self, pid: int, name: str, cgroup: str, inodes: tuple[int, ...] = (), uid: int = 0) -> None:
        self.write(f"{pid}/status", f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        self.write(f"{pid}/cgroup", cgroup)
        (self.proc / str(pid) / "fd").mkdir()
        for number, inode in enumerate(inodes):
            (self.proc / str(pid) / "fd" / str(number)).symlink_to(f"socket:[{inode}]")

    def report(self, options: Options | None = None) -> dict[str, list[dict[str, object]]]:
        return collect(options or Options(), str(self.proc))


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


def test_a_connection_to_a_listener_comes_in_and_any_other_goes_out(host: FakeHost) -> None:
    host.add("tcp6", ("::", 5432), ("::", 0), 0x0A, 0, 100)
    host.add("tcp6", ("::ffff:10.0.0.1", 5432), ("::ffff:10.0.0.9", 40000), 1, 0, 101)
    host.add("tcp6", ("::ffff:10.0.0.1", 5432), ("::ffff:10.0.0.9", 40001), 1, 0, 102)
    host.add("tcp6", ("fd00::1", 51000), ("fd00::7", 443), 1, 0, 103)
    host.process(
        812, "postgres", "0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n", (100, 101, 102)
    )
    host.process(900, "curl", "0::/system.slice/cron.service\n", (103,))
    report = host.report()
    rows = {(flow["direction"], flow["client"], flow["server"], flow["port"]): flow for flow in report["flows"]}
    incoming = rows["in", "10.0.0.9", "10.0.0.1", 5432]
    assert (incoming["connections"], incoming["unit"], incoming["process"], incoming["user"]) == (
        2,
        "postgresql@15-main.service",
        "postgres",
        "root",
    )
    assert rows["out", "fd00::1", "fd00::7", 443]["unit"] == "cron.service"
    assert len(rows) == 2
    assert report["addresses"] == ["10.0.0.1", "fd00::1"]
    assert report["listeners"][0]["unit"] == "postgresql@15-main.service"
    assert report["units"]["postgresql@15-main.service"] == {
        "path": "system.slice/system-postgresql.slice/postgresql@15-main.service",
        "users": ["root"],
    }


def test_a_connection_in_its_last_wait_belongs_to_the_listener_that_took_it(host: FakeHost) -> None:
    host.add("tcp", ("0.0.0.0", 80), ("0.0.0.0", 0), 0x0A, 0, 100)
    host.add("tcp", ("10.0.0.1", 80), ("10.0.0.9", 40000), 6, 0, 0)
    host.add("tcp", ("10.0.0.1", 40001), ("10.0.0.9", 80), 6, 0, 0)
    host.process(7, "nginx", "0::/system.slice/nginx.service\n", (100,))
    flows = {flow["direction"]: flow for flow in host.report()["flows"]}
    assert (flows["in"]["unit"], flows["out"]["unit"], flows["out"]["user"]) == ("nginx.service", None, None)


def test_where_the_listener_is_gone_the_port_that_clients_never_get_is_the_servers(host: FakeHost) -> None:
    host.add("tcp", ("10.0.0.1", 80), ("10.0.0.9", 40000), 1, 0, 100)
    assert host.report()["flows"][0]["direction"] == "in"


def test_opening_connections_and_loopback_are_left_out_unless_asked_for(host: FakeHost) -> None:
    host.add("tcp", ("10.0.0.1", 40000), ("10.0.0.9", 80), 2, 0, 100)
    host.add("tcp", ("127.0.0.1", 40000), ("127.0.0.1", 80), 1, 0, 101)
    host.add("tcp6", ("fd00::1", 40000), ("fd00::1", 80), 1, 0, 102)
    assert host.report()["flows"] == []
    assert len(host.report(Options(loopback=True))["flows"]) == 2


def test_tracked_connections_add_what_sockets_do_not_tell_and_count_bytes(host: FakeHost) -> None:
    host.add("udp", ("0.0.0.0", 514), ("0.0.0.0", 0), 7, 0, 100)
    host.add("tcp", ("10.0.0.1", 40000), ("10.0.0.9", 443), 1, 33, 101)
    host.process(5, "rsyslogd", "0::/system.slice/rsyslog.service\n", (100,))
    host.write(
        "net/nf_conntrack",
        "ipv4     2 udp      17 29 src=10.0.0.9 dst=10.0.0.1 sport=5000 dport=514 packets=3 bytes=300 [UNREPLIED]"
        " src=10.0.0.1 dst=10.0.0.9 sport=514 dport=5000 packets=0 bytes=0 mark=0 zone=0 use=2\n"
        "ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.9 sport=40000 dport=443 packets=5 bytes=50"
        " src=10.0.0.9 dst=10.0.0.1 sport=443 dport=40000 packets=6 bytes=60 [ASSURED] mark=0 use=1\n"
        "ipv4     2 tcp      6 20 ESTABLISHED src=10.0.1.1 dst=10.0.2.1 sport=1000 dport=22"
        " src=10.0.2.1 dst=10.0.1.1 sport=22 dport=1000 [ASSURED] mark=0 use=1\n",
    )
    report = host.report()
    flows = {flow["direction"]: flow for flow in report["flows"]}
    assert report["conntrack"] == "proc"
    assert (flows["in"]["protocol"], flows["in"]["unit"], flows["in"]["bytes"]) == ("udp", "rsyslog.service", 300)
    assert (flows["out"]["connections"], flows["out"]["packets"], flows["out"]["bytes"]) == (1, 11, 110)
    assert (flows["forward"]["client"], flows["forward"]["server"]) == ("10.0.1.1", "10.0.2.1")


def test_a_tracked_connection_has_the_server_behind_destination_nat() -> None:
    line = (
        "ipv4     2 tcp      6 100 ESTABLISHED src=10.0.0.9 dst=192.0.2.1 sport=4000 dport=80"
        " src=10.0.0.1 dst=10.0.0.9 sport=8080 dport=4000 [ASSURED] mark=0 use=1"
    )
    assert parse(line) == Tracked(6, "10.0.0.9", 4000, "10.0.0.1", 8080, 0, 0)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "ipv6     10 icmpv6   58 29 src=fd00::1 dst=fd00::2 type=128 code=0 id=7 packets=1 bytes=104"
            " src=fd00::2 dst=fd00::1 type=129 code=0 id=7 packets=1 bytes=104 mark=0 use=1",
            Tracked(58, "fd00::1", 0, "fd00::2", 128, 2, 208),
        ),
        (
            "ipv4     2 unknown  50 599 src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 mark=0 use=1",
            Tracked(50, "10.0.0.1", 0, "10.0.0.2", 0, 0, 0),
        ),
        (
            "ipv4     2 tcp      6 119 SYN_SENT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED]"
            " src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 use=1",
            None,
        ),
        ("conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.", None),
        ("", None),
    ],
)
def test_lines_of_connection_tracking_are_read(line: str, expected: Tracked | None) -> None:
    assert parse(line) == expected


def test_sctp_endpoints_and_associations_are_read(host: FakeHost) -> None:
    host.write(
        "net/sctp/eps",
        " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n"
        "ffff8801 ffff8802 2   10  29   9003    0   4711  10.0.0.1\n",
    )
    host.write(
        "net/sctp/assocs",
        " ASSOC SOCK STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> RADDRS HBINT INS\n"
        "ffff8803 ffff8804 2 1 3 0 1 0 0 0 4712 9003 5000 *10.0.0.1 10.9.0.1 <-> *10.0.0.9 10.9.0.9 30000 10 10\n",
    )
    flows = host.report()["flows"]
    assert [(f["client"], f["server"], f["port"], f["protocol"], f["direction"]) for f in flows] == [
        ("10.0.0.9", "10.0.0.1", 9003, "sctp", "in")
    ]


def test_a_socket_that_pid_1_keeps_for_a_service_belongs_to_the_service(host: FakeHost) -> None:
    host.add("tcp", ("0.0.0.0", 22), ("0.0.0.0", 0), 0x0A, 0, 100)
    host.process(1, "systemd", "0::/init.scope\n", (100,))
    assert host.report()["listeners"][0]["process"] == "systemd"
    host.process(50, "sshd", "0::/system.slice/ssh.service\n", (100,))
    assert host.report()["listeners"][0]["unit"] == "ssh.service"


@pytest.mark.parametrize(
    ("cgroups", "expected"),
    [
        ("0::/system.slice/ssh.service\n", ("ssh.service", "system.slice/ssh.service")),
        ("1:name=systemd:/system.slice/ssh.service\n0::/\n", ("ssh.service", None)),
        ("1:name=systemd:/a.service\n0::/system.slice/a.service\n", ("a.service", "system.slice/a.service")),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/editor.service\n",
            ("user@1000.service", "user.slice/user-1000.slice/user@1000.service"),
        ),
        ("0::/system.slice/docker-0a1b.scope/init\n", ("docker-0a1b.scope", "system.slice/docker-0a1b.scope")),
        ("0::/user.slice\n", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_unit_of_a_process_is_the_outermost_one(cgroups: str, expected: tuple[str | None, str | None]) -> None:
    assert unit_of(cgroups) == expected


def test_the_busiest_flows_are_reported_and_the_others_counted(host: FakeHost) -> None:
    for number in range(9):
        for connection in range(number + 1):
            host.add("tcp", ("10.0.0.1", 40000 + connection), (f"10.0.1.{number}", 443), 1, 0, 0)
    report = host.report(Options(limit=4))
    assert [flow["connections"] for flow in report["flows"]] == [9, 8, 7, 6]
    assert report["left_out"] == 5


def test_hostile_process_names_are_made_harmless(host: FakeHost) -> None:
    host.add("tcp", ("0.0.0.0", 22), ("0.0.0.0", 0), 0x0A, 0, 100)
    host.process(50, "x\x1b[31m", "0::/a\x07.service\n", (100,))
    listener = host.report()["listeners"][0]
    assert (listener["process"], listener["unit"]) == (r"x\x1b[31m", r"a\x07.service")
    assert clean("\udcff") == r"\udcff"


def test_a_host_without_connection_tracking_says_why(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    (host.proc / "net" / "nf_conntrack").unlink()
    monkeypatch.setenv("PATH", str(host.proc))
    entries, origin = tracked(str(host.proc))
    assert entries == []
    assert origin.startswith("none: ")
    assert "no conntrack command" in origin


@contextmanager
def connections(count: int) -> Iterator[tuple[int, list[socket.socket]]]:
    with socket.create_server(("127.0.0.1", 0), backlog=count) as server:
        port = server.getsockname()[1]
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        accepted = [server.accept()[0] for _ in clients]
        yield port, [server, *clients, *accepted]
        for one in (*clients, *accepted):
            one.close()


def test_real_connections_of_this_process_are_found_with_it() -> None:
    with connections(50) as (port, _):
        report = collect(Options(loopback=True))
    flows = {flow["direction"]: flow for flow in report["flows"] if flow["port"] == port}
    assert {direction: flow["pid"] for direction, flow in flows.items()} == {"in": os.getpid(), "out": os.getpid()}
    assert {flow["connections"] for flow in flows.values()} == {50}
    assert [one["pid"] for one in report["listeners"] if one["port"] == port] == [os.getpid()]


def test_the_kernel_tells_the_control_group_of_a_listener() -> None:
    unified = [line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
    with connections(1) as (port, _):
        inodes = {one.inode for one in sockets() if one.listens and one.local_port == port}
        paths = listener_cgroups()
    if not paths or not unified:
        pytest.skip("the kernel (before 5.8) or its cgroup2 does not tell the control groups of sockets")
    assert {paths.get(inode) for inode in inodes} == {unified[0].removeprefix("0::/")}


def test_processes_of_this_host_are_listed() -> None:
    assert os.getpid() in processes()

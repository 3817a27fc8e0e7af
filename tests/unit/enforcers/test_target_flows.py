"""What a target tells of its flows is the same from every source that it may have, in every shell and awk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script

from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

TALK = """
import socket, sys, time
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
if sys.argv[1] == "udp":
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.connect((sys.argv[2], 7000))
    data = b"client"
else:
    one = socket.socket(family, socket.SOCK_RAW, int(sys.argv[1]))
    one.connect((sys.argv[2], 0))
    data = bytes((128, 0, 0, 0, 0, 7, 0, 1)) if sys.argv[1] == "58" else bytes((8, 0, 0xF7, 0xF7, 0, 7, 0, 1))
while True:
    one.send(data)
    time.sleep(0.05)
"""
SERVE = """
import socket
one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
one.bind(("::", 7000))
print("ready", flush=True)
while True:
    one.sendto(*one.recvfrom(99))
"""
TRACKS = "table inet tracks { chain input { type filter hook input priority 0; ct state new accept; }; }"
SHELLS = (["dash"], ["busybox", "sh"])


@pytest.fixture(scope="module")
def host() -> Iterator[Kernel]:
    """A namespace that tracks flows of its neighbour's: UDP and messages of both families."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a link between two network namespaces")
    host, peer = open_kernel(), open_kernel()
    with ExitStack() as stack:
        stack.callback(host.close)
        stack.callback(peer.close)
        host.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", str(peer.pid))
        for one, number in ((host, 1), (peer, 2)):
            one.run("ip", "link", "set", "v0", "up")
            one.run("ip", "addr", "add", f"10.9.0.{number}/24", "dev", "v0")
            one.run("ip", "addr", "add", f"fd09::{number}/64", "dev", "v0", "nodad")
        host.nft("-f", "-", text=TRACKS)
        server = started(stack, host, SERVE)
        assert server.stdout
        server.stdout.readline()
        for words in (
            ("udp", "10.9.0.1"),
            ("udp", "fd09::1"),
            ("1", "10.9.0.1"),
            ("58", "fd09::1"),
            ("253", "10.9.0.1"),
        ):
            started(stack, peer, TALK, *words)
        yield host


def started(stack: ExitStack, one: Kernel, code: str, *words: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([*one.entered, "python3", "-c", code, *words], stdout=subprocess.PIPE)
    stack.enter_context(process)
    stack.callback(process.kill)
    return process


def told(host: Kernel, shell: list[str], work: Path, text: str, given: str = "") -> list[list[str]]:
    """Return the lines that some commands print behind the script, in words."""
    text = f"{script()}\nwork={work}\n{text} <<'GIVEN'\n{given}GIVEN\n"
    return [line.split() for line in host.run(*shell, "-s", text=text).splitlines()]


def until_all_are_tracked(host: Kernel, work: Path) -> list[list[str]]:
    for _ in range(100):
        flows = told(host, SHELLS[0], work, "flow_text")
        if len(flows) == 5:
            return sorted(flows)
    raise AssertionError(flows)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_flows_are_told_with_their_client_and_their_state(host: Kernel, shell: list[str], tmp_path: Path) -> None:
    until_all_are_tracked(host, tmp_path)
    own, other = (f"fd09:0000:0000:0000:0000:0000:0000:000{number}" for number in (1, 2))
    flows = sorted(told(host, shell, tmp_path, "flow_text"))
    kinds = [(*line[1:7], line[-1]) for line in flows]
    assert kinds == [
        ("4", "1", "in", "10.9.0.1", "10.9.0.2", "8", "replied"),
        ("4", "17", "in", "10.9.0.1", "10.9.0.2", "7000", "replied"),
        ("4", "253", "in", "10.9.0.1", "10.9.0.2", "0", "new"),
        ("6", "17", "in", own, other, "7000", "replied"),
        ("6", "58", "in", own, other, "128", "replied"),
    ]
    # the socket that the flow is of, by which its unit is found
    assert all(line[8].isdigit() and line[9].isdigit() for line in flows if line[2] == "17")


@pytest.mark.parametrize("release", ["3", "3.6"])
def test_python_tells_what_proc_tells(host: Kernel, tmp_path: Path, release: str) -> None:
    """RHEL 8 has Python 3.6 alone."""
    names = shutil.which("python3") or ""
    if release == "3.6":
        names = " ".join(map(str, Path("~/.pyenv/versions").expanduser().glob("3.6.*/bin/python3")))
        if not names:
            pytest.skip("needs Python 3.6, of pyenv")
    flows = until_all_are_tracked(host, tmp_path)
    text = f'tracked_python() {{ find_python "{names}" && "$python" -c "$tracked_program" list; }}\n'
    text += "tracked_text() { tracked_python </dev/null; }\nflow_text"
    assert sorted(told(host, SHELLS[0], tmp_path, text)) == flows


def test_a_host_that_cannot_read_its_tracking_says_so(host: Kernel, tmp_path: Path) -> None:
    assert told(host, SHELLS[0], tmp_path, "tracked_text() { return 1; }\nflow_text") == [["U"]]


def test_what_is_more_than_is_told_is_counted(host: Kernel, tmp_path: Path) -> None:
    until_all_are_tracked(host, tmp_path)
    lines = told(host, SHELLS[0], tmp_path, "flows_most=2\nflow_text")
    assert len(lines) == 3
    assert lines[-1] == ["M", "3"]


@pytest.mark.parametrize("by", ["python", "conntrack"])
def test_flows_are_forgotten_alone(host: Kernel, tmp_path: Path, by: str) -> None:
    """What is forgotten begins anew at once: the flow of datagrams is seen without an answer for a moment at least."""
    until_all_are_tracked(host, tmp_path)
    before = host.run("cat", "/proc/net/nf_conntrack")
    port = next(line.split("sport=")[1].split()[0] for line in before.splitlines() if "udp" in line and "ipv4" in line)
    lines = f"4 17 10.9.0.1 10.9.0.2 7000 {port}\n4 1 10.9.0.2 10.9.0.1 8 0\n6 58 fd09::2 fd09::1 128 129\n"
    text = 'have() { [ "$1" = conntrack ] && command -v conntrack >/dev/null; }\n' if by == "conntrack" else ""
    if by == "conntrack" and not os.path.exists("/usr/sbin/conntrack"):  # noqa: PTH110 - as the script looks for it
        pytest.skip("there is no conntrack command here")
    # what the neighbour goes on sending would be tracked again before anybody looks
    host.nft("-f", "-", text="table inet still { chain input { type filter hook input priority 0; policy drop; }; }")
    try:
        told(host, SHELLS[0], tmp_path, f"{text}forget_flows", lines)
        left = sorted((line[1], line[2]) for line in told(host, SHELLS[0], tmp_path, "flow_text"))
    finally:
        host.nft("delete", "table", "inet", "still")
    assert left == [("4", "253"), ("6", "17")]

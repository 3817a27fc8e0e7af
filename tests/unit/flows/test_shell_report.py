"""A host without Python tells by its shell what the module tells by Python, and says what it could not see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.module_utils.flows_report import Options
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import AnswerError
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.flows_shape import reported
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_answer import (
    ShellAnswer,
    shell_answer,
    shell_order,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_report import shell_report
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel

COLLECTIONS = Path(__file__).parents[3] / "collections"
TRACKS = "table inet tracks { chain input { type filter hook input priority 0; ct state new accept; }; }"
# The shells that Debian has; those that are installed are tried.
SHELLS = [["dash", "-s"], ["busybox", "sh", "-s"], ["bash", "--posix", "-s"], ["posh"], ["mksh", "-s"], ["yash", "-s"]]
AWKS = ("mawk", "gawk", "busybox", "original-awk")
BY_PYTHON = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.ringfence.core.plugins.module_utils.flows_report import Options, collect
print(json.dumps(collect(Options(loopback=True))))
"""
# A process with a hostile name; what it holds open pretends to be the list of another one.
HOSTILE = """
import ctypes, os, socket, sys, time
name = sys.argv[1].encode().decode("unicode_escape").encode("latin-1")
ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
kept = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        one = socket.socket(family, kind)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((address, int(sys.argv[2])))
        if kind == socket.SOCK_STREAM:
            one.listen(4096)
        kept.append(one)
for inode in sys.argv[4:]:
    forged = b"x\\n\\n/proc/1/fd:\\nlrwx------ 1 0 0 64 Nov 30 08:00 3 -> socket:[%s]" % inode.encode()
    path = os.path.join(sys.argv[3].encode(), forged)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    kept.append(open(path, "w"))
    kept.append(open(os.path.join(sys.argv[3], "3 -> socket:[%s]" % inode), "w"))
print(*(os.fstat(one.fileno()).st_ino for one in kept), flush=True)
time.sleep(600)
"""
CONNECTED = """
import resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
kept = []
for address in sys.argv[2:]:
    for number in range(int(sys.argv[1])):
        kept.append(socket.create_connection((address, 7001)))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.connect((address, 7002))
    one.send(b"x")
    kept.append(one)
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.sendto(b"x", (address, 7003))
    kept.append(one)
print("ready", flush=True)
time.sleep(600)
"""
NAMES = {7001: r"a) (b\n\x1b[31mx", 7002: r" -> socket:[1] ", 7003: r"\xff\xc3\r\\n"}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A namespace with hostile processes, connections of both families to them, and connection tracking."""
    if os.geteuid() != 0:
        pytest.skip("needs root: processes whose sockets others may not see")
    kernel = open_kernel()
    directory = tmp_path_factory.mktemp("files")
    with ExitStack() as stack:
        stack.callback(kernel.close)
        kernel.run("ip", "link", "set", "lo", "up")
        kernel.run("ip", "addr", "add", "10.9.0.1/24", "dev", "lo")
        kernel.run("ip", "addr", "add", "fd09::1/64", "dev", "lo", "nodad")
        kernel.nft("-f", "-", text=TRACKS)
        inodes: list[str] = []
        for port, name in NAMES.items():
            inodes = started(stack, kernel, HOSTILE, name, str(port), str(directory), *inodes[:4]).split()
        started(stack, kernel, CONNECTED, "40", "10.9.0.1", "fd09::1", "::ffff:10.9.0.1")
        yield kernel


def started(stack: ExitStack, kernel: Kernel, code: str, *words: str) -> str:
    """Start a program in the namespace and return the line that it prints when it is ready."""
    process = subprocess.Popen(
        [*kernel.entered, "python3", "-c", code, *words], stdout=subprocess.PIPE, cwd="/", text=True
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    assert process.stdout
    said = process.stdout.readline()
    assert said
    return said


def by_python(enter: list[str]) -> dict[str, object]:
    done = subprocess.run([*enter, sys.executable, "-c", BY_PYTHON, str(COLLECTIONS)], capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def by_shell(enter: list[str], shell: list[str], path: Path | None = None) -> dict[str, object]:
    answer, said = answered_by(enter, shell, path)
    try:
        return shell_report(answer, Options(loopback=True))
    except AnswerError as error:
        raise AssertionError(f"{error}: {said!r}") from error


def answered_by(
    enter: list[str], shell: list[str], path: Path | None = None, conntrack: str = "1"
) -> tuple[ShellAnswer, bytes]:
    """Return what a shell answers, which finds programs in a directory alone where one is given."""
    order = shell_order("report", {"pythons": "", "least": "8", "conntrack": conntrack})
    if path is not None:
        usual = b"PATH=/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"
        assert usual in order
        order = order.replace(usual, b"PATH=" + os.fsencode(path))
    done = subprocess.run([*enter, *shell], input=order, capture_output=True, check=True)
    return shell_answer(done.stdout.decode("utf-8", "surrogateescape")), done.stderr


def small_path(directory: Path, awk: str = "busybox", without: tuple[str, ...] = ()) -> Path:
    """Return a directory of programs in which busybox is all that there is."""
    listed = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in set(listed) - {"awk", *without}:
        (directory / name).symlink_to(shutil.which("busybox") or "")
    if "awk" not in without:
        (directory / "awk").symlink_to(shutil.which(awk) or "")
    return directory


def same(enter: list[str], shell: list[str], path: Path | None = None) -> dict[str, object]:
    """Hold a shell's report against Python's of the same moment, in which no tracked connection ends; return it."""
    for _attempt in range(9):
        before, told, wanted = by_python(enter), by_shell(enter, shell, path), by_python(enter)
        if before == wanted:
            break
    for name in ("addresses", "listeners", "flows", "left_out", "conntrack", "units"):
        assert told[name] == wanted[name], name
    assert isinstance(told["unseen"], list)
    assert isinstance(wanted["unseen"], list)
    assert set(wanted["unseen"]) <= set(told["unseen"])
    return told


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_shell_tells_what_python_tells(host: Kernel, shell: list[str]) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"needs {shell[0]}")
    told = same(host.entered, shell)
    assert isinstance(told["listeners"], list)
    assert {one["process"] for one in told["listeners"] if one["port"] in NAMES} == {
        r"a) (b\n\x1b[31mx", "-> socket:[1]", r"\udcff\udcc3\r\\n"
    }  # fmt: skip
    assert told["unseen"] == ["read by the shell: there is no Python"]
    assert isinstance(told["flows"], list)
    assert {one["connections"] for one in told["flows"] if one["port"] == 7001 and one["direction"] == "out"} == {
        40,
        80,
    }
    reported({**told, "changed": False}, 20_000)


@pytest.mark.parametrize("awk", AWKS)
def test_a_host_with_busybox_alone_tells_the_same_by_every_awk(host: Kernel, tmp_path: Path, awk: str) -> None:
    if not shutil.which(awk):
        pytest.skip(f"needs {awk}")
    same(host.entered, ["dash", "-s"], small_path(tmp_path, awk))


@pytest.mark.parametrize("tool", ["conntrack", "getent", "ss", "setsid", "uname", "timeout", "sed"])
def test_a_tool_that_is_missing_costs_what_it_tells_alone(host: Kernel, tmp_path: Path, tool: str) -> None:
    same(host.entered, ["dash", "-s"], small_path(tmp_path, without=(tool,)))


def test_without_awk_the_way_out_is_told(tmp_path: Path) -> None:
    told, _said = answered_by([], ["dash", "-s"], small_path(tmp_path, without=("awk",)))
    assert told.last("complete") == "yes"
    assert "install mawk, gawk or busybox" in told.last("lacks")


def test_who_is_not_root_sees_less_and_says_so(host: Kernel) -> None:
    enter = [*host.entered, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    told = same(enter, ["dash", "-s"])
    assert isinstance(told["unseen"], list)
    assert any("only root sees those of other users" in line for line in told["unseen"])
    assert any("Permission denied" in line for line in told["unseen"])


def test_a_host_that_hides_processes_says_so(host: Kernel) -> None:
    mounted = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
    enter = [*host.entered, "unshare", "--mount", "sh", "-c", mounted, "sh"]
    if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a /proc of its own to be mounted with hidepid")
    told = same(enter, ["dash", "-s"])
    assert isinstance(told["unseen"], list)
    assert any("hidepid" in line for line in told["unseen"])


def test_flows_that_are_not_asked_for_are_not_told(host: Kernel) -> None:
    answer, _said = answered_by(host.entered, ["dash", "-s"], conntrack="")
    told = shell_report(answer, Options(conntrack=False))
    assert told["conntrack"] == "not asked for"
    assert not [line for line in answer.sections["report"] if line.startswith("K ")]


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("SABRKOPGFCNUZ"), st.text("0123456789abcdefF:. -*>%\x1b\u202e", max_size=60)),
        max_size=8,
    )
)
def test_whatever_a_hosts_shell_says_is_read_or_refused(lines: list[tuple[str, str]]) -> None:
    body = "".join(f"{kind} {line}\n" for kind, line in lines)
    head = "ringfence:order=little\nringfence:observed=2026-11-24T07:00:00Z\n"
    text = f"{head}ringfence:begin report\n{body}Z\nringfence:end report\n"
    with suppress(AnswerError):
        reported(shell_report(shell_answer(text), Options()), 20_000)

"""Rulesets on machines of three Debian releases: every nft reads back what was rendered, and packets meet it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from hypothesis import HealthCheck, given, settings
from ringfence.enforcers.nftables import process_elements, render
from ringfence.lab.session import Lab
from ringfence.lab.spec import RELEASES
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.assets import Control
from ringfence.model.rules import Mode
from ringfence.model.services import TCP
from ringfence.model.tables import Cell, DirectionTable, Effect, Outcome, ProcessClass, VerdictTable

from tests.table_factory import direction_table, service_map, tables

pytestmark = [pytest.mark.lab, pytest.mark.machines]
SERVER, CLIENT = "trixie", "bookworm"
EVERYTHING = direction_table({}, service_map("any"))
NOTHING = direction_table({})
WEB = service_map("tcp/80")
LIST = ["nft", "-nn", "-y", "list", "table", "inet", "ringfence"]
LAB_CONTROL = Control(("10.203.0.1",), 22)
ASK = """
import socket, sys
answers = []
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
for word in sys.argv[2:]:
    port = int(word[1:])
    with socket.socket(family, socket.SOCK_STREAM if word[0] == "t" else socket.SOCK_DGRAM) as client:
        client.settimeout(0.4)
        try:
            client.connect((sys.argv[1], port))
            client.send(b"hello")
            answers.append(bool(client.recv(1000)))
        except OSError:
            answers.append(False)
print(*answers)
"""
LISTEN = """
import socket
server = socket.create_server(("::", 7001), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    client, _ = server.accept()
    client.send(client.recv(1000))
"""
# Says hello, waits for a line, says hello again and prints whether it was answered.
KEEP = """
import socket, sys
client = socket.create_connection((sys.argv[1], 7000))
for _ in range(int(sys.argv[2])):
    client.settimeout(0.6)
    client.send(b"hello")
    try:
        print(bool(client.recv(1000)), client.getsockname()[1], flush=True)
    except OSError:
        print(False, 0, flush=True)
    sys.stdin.readline()
"""
# Holds connections from the ports 45001 and 45002; on a line resets the first, connects from its port anew, and prints
# whether that and the second are answered.
REUSE = """
import socket, struct, sys
def opened(port):
    client = socket.socket()
    client.settimeout(1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.bind(("", port))
    client.connect((sys.argv[1], 7000))
    return client
def answered(client):
    client.send(b"hello")
    return bool(client.recv(1000))
ended, held = opened(45001), opened(45002)
print(answered(ended), answered(held), flush=True)
sys.stdin.readline()
ended.close()
try:
    again = answered(opened(45001))
except OSError:
    again = False
print(again, answered(held), flush=True)
"""


def said(lab: Lab, host: str, *argv: str, given: str | None = None) -> str:
    done = lab.exec(host, list(argv), input=given)
    assert done.returncode == 0, f"{host}: {' '.join(argv)}: {done.stderr}"
    return done.stdout


def load(lab: Lab, host: str, table: VerdictTable, more: str = "") -> str:
    """Load a table, with more commands in the same transaction, and return the listing."""
    said(lab, host, "sh", "-ec", "cat > /run/table.nft; nft -f /run/table.nft", given=render(table) + more)
    return said(lab, host, *LIST)


def address(lab: Lab, host: str, family: int = 4) -> str:
    """Return a host's address of a family."""
    (spec,) = (spec for spec in lab.hosts() if spec.name == host)
    return next(text for text in spec.addresses if (":" in text) == (family == 6))


def answered(lab: Lab, *words: str, user: str = "root", family: int = 4) -> list[bool]:
    """Return whether the client is answered by the server on `t7000`, `u7000`, …"""
    script = ["python3", "-c", ASK, address(lab, SERVER, family), *words]
    return [word == "True" for word in said(lab, CLIENT, "setpriv", f"--reuid={user}", *script).split()]


@pytest.fixture
def pair(machines: Lab) -> Iterator[Lab]:
    """Two machines without a table before and after; the server answers on 7000 by echo.service, on 7001 by another."""
    said(machines, SERVER, "systemd-run", "--unit=other.service", "python3", "-c", LISTEN)
    assert said(machines, SERVER, "systemctl", "is-active", "echo.service", "other.service").split() == ["active"] * 2
    for _ in range(20):
        if answered(machines, "t7000", "t7001") == [True, True]:
            break
    yield machines
    said(machines, SERVER, "systemctl", "stop", "other.service")
    for host in (SERVER, CLIENT):
        machines.exec(host, ["nft", "delete", "table", "inet", "ringfence"])


def of_processes(**services: object) -> DirectionTable:
    """Return a direction for `echo.service` (`unit`) and the user `echo` (`user`), each with a map, and others."""
    units = ("echo.service",) if "unit" in services else ()
    users = ("echo",) if "user" in services else ()
    cells = [
        Cell(EVERY_ADDRESS, ProcessClass(unit, user), EVERY_ADDRESS, services[kind])  # type: ignore[arg-type]
        for kind, unit, user in (("other", None, None), ("unit", "echo.service", None), ("user", None, "echo"))
        if kind in services
    ]
    return DirectionTable(Mode.FULL, tuple(cells), units, users)


def without_units(table: VerdictTable) -> VerdictTable:
    """Return a table for an nft that knows no `socket cgroupv2`."""
    sides = []
    for side in (table.inbound, table.outbound):
        cells = tuple(cell for cell in side.cells if cell.process.unit is None)
        sides.append(DirectionTable(side.mode, cells, (), side.users))
    return VerdictTable(sides[0], sides[1], table.control, table.rule_names)


@pytest.mark.parametrize("release", RELEASES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(table=tables())
def test_the_releases_own_nft_gives_back_every_table_exactly(machines: Lab, release: str, table: VerdictTable) -> None:
    table = without_units(table) if release == "bullseye" else table
    listing = load(machines, release, table)
    said(machines, release, "nft", "delete", "table", "inet", "ringfence")
    assert [one["text"] for one in differences(table.data(), read_ruleset(listing))] == []


@pytest.mark.parametrize("release", RELEASES)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(before=tables(), table=tables())
def test_the_releases_own_nft_puts_every_table_in_place_of_another_in_stages(
    machines: Lab, release: str, before: VerdictTable, table: VerdictTable
) -> None:
    if release == "bullseye":
        before, table = without_units(before), without_units(table)
    load(machines, release, before)
    said(machines, release, "sh", "-c", "cat > /run/table.nft", given=render(table))
    staged = "load_in_stages /run/table.nft '' || cat $work/said >&2"
    prepared = "work=/run/staged; mkdir -p $work; true >$work/swap.nft; stage_most=4000; track_until=''"
    said(machines, release, "sh", "-s", given=f"{script()}\n{prepared}\n{staged}\n")
    found = read_ruleset(said(machines, release, *LIST))
    said(machines, release, "nft", "delete", "table", "inet", "ringfence")
    assert [one["text"] for one in differences(table.data(), found)] == []
    assert found["leftovers"] == []


@pytest.mark.parametrize("release", RELEASES)
def test_the_releases_own_nft_goes_on_in_stages_where_the_kernel_refuses(machines: Lab, release: str) -> None:
    small, large = (
        VerdictTable(direction_table({tuple(f"10.{n // 125}.{n % 125 * 2}.7" for n in range(count)): WEB}), NOTHING)
        for count in (10, 4000)
    )
    said(machines, release, "sh", "-c", "cat > /run/small.nft", given=render(small))
    said(machines, release, "sh", "-c", "cat > /run/large.nft", given=render(large))
    loaded = """
work=$(mktemp -d) rf_cut=''
true >$work/sockets
for table in small large large; do
    track_first
    load_table /run/$table.nft >/dev/null || exit 1
done
nft -nn -y list table inet ringfence
nft list tables
"""
    nested = ("unshare", "--user", "--map-root-user", "--net", "sh", "-s")
    listing, _, tables = said(machines, release, *nested, given=f"{script()}\n{loaded}").rpartition("}\n")
    found = read_ruleset(listing + "}\n")
    assert [one["text"] for one in differences(large.data(), found)] == []
    assert found["leftovers"] == []
    assert tables == "table inet ringfence\n"


@pytest.mark.parametrize("family", [4, 6])
def test_a_listener_is_reached_by_its_unit_and_others_are_denied_and_remembered(pair: Lab, family: int) -> None:
    inbound = of_processes(other=service_map(), unit=service_map("tcp/7000", "udp/7000"))
    table = VerdictTable(inbound, EVERYTHING)
    load(pair, SERVER, table)
    assert answered(pair, "t7000", "u7000", "t7001", family=family) == [False, False, False]
    (process,) = process_elements(table)
    ((name, verdict),) = process["elements"]  # type: ignore[misc]
    element = f'{{ "system.slice/echo.service" : {verdict} }}'
    said(pair, SERVER, "nft", "add", "element", "inet", "ringfence", f"{name}_2", element)
    assert answered(pair, "t7000", "u7000", "t7001", family=family) == [True, True, False]
    found = read_ruleset(said(pair, SERVER, *LIST))
    assert differences(table.data(), found) == []
    peers = [
        (entry["effect"], entry["rule"], entry["direction"], entry["peer"], entry["protocol"], entry["port"])
        for entry in found["filled"]["remembered"]  # type: ignore[index]
    ]
    assert ("deny", "default", "in", address(pair, CLIENT, family), TCP, 7001) in peers
    filled = found["filled"]["processes"]  # type: ignore[index]
    assert filled == [{"map": "units_in_2", "key": "system.slice/echo.service", "verdict": "goto in_u0"}]


def test_a_user_is_told_apart_on_the_way_out(pair: Lab) -> None:
    outbound = of_processes(other=service_map("tcp/7000"), user=service_map("tcp/7001"))
    table = VerdictTable(EVERYTHING, outbound)
    load(pair, CLIENT, table)
    uid = said(pair, CLIENT, "id", "-u", "echo").strip()
    said(pair, CLIENT, "nft", "add", "element", "inet", "ringfence", "users_out", f"{{ {uid} : goto out_x0 }}")
    assert answered(pair, "t7000", "t7001") == [True, False]
    assert answered(pair, "t7000", "t7001", user=uid) == [False, True]


def test_what_observe_would_deny_passes_and_is_remembered_under_its_rule(pair: Lab) -> None:
    watch = Outcome(Effect.WATCH, "0badcafe")
    table = VerdictTable(
        direction_table({}, service_map("tcp/7000", outcome=watch, rest=Outcome(Effect.ALLOW))),
        EVERYTHING,
    )
    load(pair, SERVER, table)
    assert answered(pair, "t7000", "t7001") == [True, True]
    remembered = read_ruleset(said(pair, SERVER, *LIST))["filled"]["remembered"]  # type: ignore[index]
    assert {(entry["effect"], entry["rule"], entry["port"]) for entry in remembered} == {("watch", "0badcafe", 7000)}


def test_a_full_memory_changes_no_verdict(pair: Lab) -> None:
    table = VerdictTable(direction_table({}, service_map("tcp/7000")), EVERYTHING)
    text = render(table).replace("size 4096", "size 1")
    said(pair, SERVER, "sh", "-ec", "cat > /run/table.nft; nft -f /run/table.nft", given=text)
    assert answered(pair, "t7001", "t7002", "u7003", "t7000") == [False, False, False, True]
    counters = read_ruleset(said(pair, SERVER, *LIST))["filled"]["counters"]  # type: ignore[index]
    (denied,) = (entry["packets"] for entry in counters if entry["effect"] == "deny" and entry["direction"] == "in")
    assert denied >= 3


@pytest.mark.parametrize("known", [True, False])
def test_a_connection_that_stood_before_survives_if_it_is_made_known(pair: Lab, known: bool) -> None:
    table = VerdictTable(NOTHING, NOTHING)
    keep = Keeper(pair)
    here, there = address(pair, SERVER), address(pair, CLIENT)
    element = f"{here} . {there} . 6 . 7000 . {keep.port}"
    load(pair, SERVER, table, f"add element inet ringfence standing4 {{ {element} }}\n" if known else "")
    assert keep.again() is known
    keep.end()


@pytest.mark.parametrize("release", RELEASES)
def test_a_standing_tuple_lets_no_new_connection_in(machines: Lab, release: str) -> None:
    client = CLIENT if release != CLIENT else SERVER
    here, there = address(machines, release), address(machines, client)
    command = machines.exec_command(client, ["python3", "-c", REUSE, here])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().split() == ["True", "True"]
        elements = ", ".join(f"{here} . {there} . 6 . 7000 . {port}" for port in (45001, 45002))
        table = VerdictTable(NOTHING, NOTHING)
        listing = load(machines, release, table, f"add element inet ringfence standing4 {{ {elements} }}\n")
        process.stdin.write("\n")
        process.stdin.flush()
        answers = process.stdout.readline().split()
    said(machines, release, "nft", "delete", "table", "inet", "ringfence")
    assert answers == ["False", "True"]
    assert differences(table.data(), read_ruleset(listing)) == []


def test_a_tuple_to_cut_ends_an_allowed_connection_in_both_directions(pair: Lab) -> None:
    keep = Keeper(pair)
    load(pair, SERVER, VerdictTable(EVERYTHING, EVERYTHING))
    assert keep.again() is True
    element = f"{{ {address(pair, SERVER)} . {address(pair, CLIENT)} . 6 . 7000 . {keep.port} }}"
    said(pair, SERVER, "nft", "add", "element", "inet", "ringfence", "cut4", element)
    assert keep.again() is False
    assert answered(pair, "t7000") == [True]
    keep.end()


def test_the_control_path_stands_above_a_policy_that_denies_everything(machines: Lab) -> None:
    for release in RELEASES:
        load(machines, release, VerdictTable(NOTHING, NOTHING, LAB_CONTROL))
        try:
            assert machines.run(release, ["true"]).returncode == 0
        finally:
            said(machines, release, "nft", "delete", "table", "inet", "ringfence")


def test_addresses_of_the_host_itself_are_told_apart(pair: Lab) -> None:
    extra = "10.203.99.9"
    said(pair, SERVER, "ip", "address", "add", f"{extra}/16", "dev", "eth0")
    own = addresses_of([extra])
    cells = (
        Cell(own, ProcessClass(), EVERY_ADDRESS, service_map("tcp/7001")),
        Cell(EVERY_ADDRESS - own, ProcessClass(), EVERY_ADDRESS, service_map("tcp/7000")),
    )
    try:
        load(pair, SERVER, VerdictTable(DirectionTable(Mode.FULL, cells), EVERYTHING))
        assert answered(pair, "t7000", "t7001") == [True, False]
        asked = ["python3", "-c", ASK, extra, "t7000", "t7001"]
        assert said(pair, CLIENT, *asked).split() == ["False", "True"]
    finally:
        said(pair, SERVER, "ip", "address", "delete", f"{extra}/16", "dev", "eth0")


class Keeper:
    """A connection from the client to the server's 7000 that is kept open."""

    def __init__(self, lab: Lab) -> None:
        command = lab.exec_command(CLIENT, ["python3", "-c", KEEP, address(lab, SERVER), "3"])
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        answer, port = self._line().split()
        assert answer == "True"
        self.port = int(port)

    def again(self) -> bool:
        """Say hello once more and return whether it was answered."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._line().startswith("True")

    def end(self) -> None:
        """End the connection."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

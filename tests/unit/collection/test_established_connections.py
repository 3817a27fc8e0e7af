"""Standing connections are judged in their direction, by the process that holds them, and only certain ones are cut."""

from __future__ import annotations

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.established_connections import (
    cut_lines,
    denied_connections,
    emergencies,
    left_out,
    to_cut,
)
from ringfence.model.rules import Mode
from ringfence.model.services import EVERY_SERVICE
from ringfence.model.tables import (
    Cell,
    DirectionTable,
    Effect,
    Outcome,
    ProcessClass,
    ServiceMap,
    VerdictTable,
)

from tests.rollout_plans import EMERGENCY_RULE, EVERYWHERE, RULE, Wanted


def test_standing_connections_are_judged_in_their_direction_and_only_certain_ones_are_cut() -> None:
    table = Wanted(allow={None: (7000,), "a.service": (7000, 7001)}).table().data()
    sockets = "\n".join(
        [
            "L 22", "L 7000", "L 7001", "L 7002",
            "S 4 X 10.203.0.9 10.203.0.1 22 40000 0 1",
            "S 4 X 10.203.0.9 10.203.0.7 7000 40001 0 2",
            "S 4 X 10.203.0.9 10.203.0.7 7001 40002 0 3",
            "S 6 X fd52:6600:0000:0001:0000:0000:0000:0009 2001:0db8:0000:0000:0000:0000:0000:0001 7002 40003 0 4",
            "S 4 X 10.203.0.9 198.51.100.7 40004 443 0 5",
        ]
    )  # fmt: skip
    denied = denied_connections(table, sockets)
    assert [(each["local_port"], each["rule"], each["certain"]) for each in denied] == [
        (7001, "default", False),
        (7002, "default", True),
    ]
    assert cut_lines(denied) == (
        "6 6 fd52:6600:0000:0001:0000:0000:0000:0009 2001:0db8:0000:0000:0000:0000:0000:0001 7002 40003"
    )
    assert RULE in table["rules"]  # type: ignore[operator]


def test_a_connection_is_judged_by_the_process_that_the_kernel_has_for_it() -> None:
    table = Wanted(allow={"a.service": (7001,), "b.service": (7002,)}).table().data()
    peer = "10.203.0.9 10.203.0.7"
    sockets = "\n".join(["L 7001", *(f"S 4 X {peer} 7001 {40000 + inode} 0 {inode}" for inode in range(1, 7))])
    owners = "\n".join(
        [
            "U a.service system.slice/a.service", "U a.service system.slice/a.socket",
            "U b.service system.slice/b.service",
            "C 1 system.slice/a.service/worker", "C 2 system.slice/a.socket", "C 3 system.slice/b.service",
            "C 4 user.slice/user@1000.service/a.service", "C 5",
        ]
    )  # fmt: skip
    denied = denied_connections(table, sockets, owners)
    # the sixth is one whose cgroup is gone or that the host does not tell
    assert [(each["remote_port"] - 40000, each["certain"]) for each in denied] == [
        (3, True),
        (4, True),
        (5, True),
        (6, False),
    ]


def test_a_connection_on_the_way_out_is_judged_by_its_user() -> None:
    wanted = Wanted().table()
    every, none = (
        ServiceMap(((*EVERY_SERVICE.intervals[0], Outcome(effect)),)) for effect in (Effect.ALLOW, Effect.DENY)
    )
    cells = (
        Cell(EVERYWHERE, ProcessClass(), EVERYWHERE, none),
        Cell(EVERYWHERE, ProcessClass(user="backup"), EVERYWHERE, every),
    )
    table = VerdictTable(wanted.inbound, DirectionTable(Mode.FULL, cells, users=("backup",)), wanted.control).data()
    sockets = "\n".join(f"S 4 X 10.203.0.9 198.51.100.7 {40000 + uid} 443 {uid} {uid}" for uid in (34, 35))
    assert [each["certain"] for each in denied_connections(table, sockets)] == [False, False]
    (denied,) = denied_connections(table, sockets, "N backup 34")
    assert (denied["local_port"], denied["certain"]) == (40035, True)
    # without a uid there is no such user on the host
    assert [each["certain"] for each in denied_connections(table, sockets, "")] == [True, True]


PEER = "10.203.0.9 10.203.0.7"
UDP_ECHO, PING, GRE = (17 << 16) + 7000, (1 << 16) + 8, 47 << 16


def judged(*flows: str, **wanted: object) -> list[tuple[int, int, str, bool]]:
    """Return protocol, local port, direction and certainty of what a table denies of some flows."""
    table = Wanted(**wanted).table().data()  # type: ignore[arg-type]
    denied = denied_connections(table, "\n".join(f"F {flow}" for flow in flows))
    return [(each["protocol"], each["local_port"], each["direction"], each["certain"]) for each in denied]


def test_flows_of_every_protocol_are_judged_by_port_or_type_or_the_protocol_alone() -> None:
    flows = (
        f"4 17 in {PEER} 7000 40000 - - replied",
        f"4 17 in {PEER} 7001 40000 - - replied",
        f"4 1 in {PEER} 8 0 - - replied",
        f"4 1 in {PEER} 13 14 - - replied",
        f"4 47 in {PEER} 0 0 - - replied",
        f"4 50 in {PEER} 0 0 - - new",
        f"4 132 in {PEER} 9 40000 - - replied",
    )
    assert judged(*flows, points=(UDP_ECHO, PING, GRE)) == [
        (1, 13, "in", True),
        (17, 7001, "in", True),
        (50, 0, "in", True),
        (132, 9, "in", True),
    ]


def test_what_two_hosts_ask_each_other_is_two_flows() -> None:
    flows = (f"4 1 in {PEER} 8 0 - - replied", f"4 1 out {PEER} 8 0 - - replied")
    assert judged(*flows) == [(1, 8, "in", True)]
    assert len(judged(*flows, outbound=Mode.FULL)) == 2


def test_answers_that_tracking_saw_first_are_the_flow_that_they_answer() -> None:
    """Nothing is let out; from udp/7000 it is answered all the same."""
    flow = f"4 17 answers {PEER} 7000 40000 - - replied"
    assert judged(flow, points=(UDP_ECHO,), outbound=Mode.FULL) == []
    assert judged(flow, outbound=Mode.FULL) == [(17, 7000, "out", True)]
    # the other way round it would be let out, and whether it is that nobody knows
    assert judged(f"4 17 answered {PEER} 40000 53 - - replied") == [(17, 40000, "in", False)]


def test_what_a_dhcp_server_sends_is_no_denied_flow() -> None:
    assert judged(f"4 17 in {PEER} 68 67 - - replied", "6 17 in fe80::1 fe80::2 546 547 - - new") == []


def test_messages_and_what_has_no_ports_are_ended_by_client_and_server() -> None:
    table = Wanted().table().data()
    flows = (
        f"F 4 1 in {PEER} 8 0 - - replied",
        f"F 4 47 in {PEER} 0 0 - - replied",
        "F 6 58 in fd52:6600:0:1::9 fd52:6600:0:1::7 139 - - - replied",
        f"F 4 17 in {PEER} 7000 40000 - - replied",
    )
    nine, seven = (f"fd52:6600:0000:0001:0000:0000:0000:000{end}" for end in (9, 7))
    assert cut_lines(denied_connections(table, "\n".join(flows))).splitlines() == [
        "4 1 10.203.0.7 10.203.0.9 8 0",
        "4 17 10.203.0.9 10.203.0.7 7000 40000",
        "4 47 10.203.0.7 10.203.0.9 0 0",
        f"6 58 {seven} {nine} 139 -",
    ]


def test_what_an_emergency_denies_ends_though_nothing_says_cut() -> None:
    rules = {RULE: {"name": "one"}, EMERGENCY_RULE: {"name": "other", "emergency": True}}
    calm, quarantine = (Wanted(emergency=emergency).table().data() for emergency in (False, True))
    assert (emergencies(calm, rules), emergencies(quarantine, rules)) == (False, True)
    for table, ended in ((calm, 0), (quarantine, 1)):
        denied = denied_connections(table, f"F 4 17 in {PEER} 7001 40000 - - replied")
        assert len(to_cut(denied, rules, every=False)) == ended
        assert len(to_cut(denied, rules, every=True)) == 1


def test_what_a_host_cannot_tell_of_its_flows_is_said() -> None:
    assert left_out("S 4 X\nF 4 1") == []
    unread, more = left_out("U\nM 17")
    assert "connection tracking cannot be read" in unread
    assert more.startswith("17 more flows on this host")

"""Standing connections are judged in their direction, by the process that holds them, and only certain ones are cut."""

from __future__ import annotations

from ansible_collections.ringfence.core.plugins.plugin_utils.standing import cut_lines, denied_connections
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
from rollout_plans import EVERYWHERE, RULE, Wanted


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
        "6 fd52:6600:0000:0001:0000:0000:0000:0009 2001:0db8:0000:0000:0000:0000:0000:0001 7002 40003"
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

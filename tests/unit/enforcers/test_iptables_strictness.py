"""Nothing of ours in a listing is passed over: whatever line is lost, doubled or unknown is told, in either variant."""

from __future__ import annotations

import re
from functools import cache

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.iptables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.enforcers.iptables import DEFAULT_MASK, Marks, render, ruleset
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.memberships import Membership
from ringfence.model.rules import Mode
from ringfence.model.tables import Cell, DirectionTable, Effect, Outcome, ProcessClass, VerdictTable

from tests.examples import examples
from tests.table_factory import ALLOW, CONTROL, direction_table, service_map
from tests.unit.enforcers.iptables_kernel import IptablesKernel

WATCH = Outcome(Effect.WATCH, "0badcafe", log=True)
OWN = addresses_of(["10.3.0.1", "fd00::1"])
INSIDE = Membership(("fqdn:api.example.org",), ())
OUTSIDE = Membership((), ("fqdn:api.example.org",))
OURS = re.compile(r"(?:\[\d+:\d+\] )?(?:-A |:)rf_|create rf_|add rf_|-A (?:INPUT|OUTPUT|POSTROUTING) -j rf_")
WORDS = ["-A ", "-j ", "rf_in", " -m set", "!", "\n", "*filter\n", "COMMIT\n", "# section ipset\n", "add rf_", '"', "/"]


def table_of_all_shapes() -> VerdictTable:
    """A table whose text has every shape there is."""
    peers = direction_table(
        {
            ("10.1.0.0/24", "2001:db8::/64"): service_map("tcp/80-90", "icmp/echo-request", "icmpv6/echo-request"),
            ("10.2.0.7", "fd00::7"): service_map("udp/53", outcome=WATCH, rest=ALLOW),
        }
    ).cells
    inbound = [
        Cell(local, ProcessClass(), cell.remote, cell.services if local is OWN else service_map("tcp/1"))
        for local in (OWN, EVERY_ADDRESS - OWN)
        for cell in peers
    ]
    outbound = [
        Cell(EVERY_ADDRESS, ProcessClass(unit, user), cell.remote, services, membership)
        for unit in (None, "api.service")
        for user in (None, "backup")
        for cell in peers
        for membership, services in ((INSIDE, service_map("tcp/443")), (OUTSIDE, cell.services))
    ]
    return VerdictTable(
        DirectionTable(Mode.FULL, tuple(inbound)),
        DirectionTable(Mode.FULL, tuple(outbound), ("api.service",), ("backup",)),
        CONTROL,
    )


@pytest.fixture
def listed(iptables: IptablesKernel, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of a host that enforces all shapes, told apart by marks, beside rules of its own."""
    monkeypatch.setattr(ruleset, "MOST_IN_LINE", 1)
    iptables.load(render(table_of_all_shapes(), Marks(DEFAULT_MASK)))
    for family in ("ipv4", "ipv6"):
        iptables.run(family, "-A", "INPUT", "-p", "tcp", "-m", "tcp", "--dport", "9", "-j", "DROP")
        iptables.run(family, "-P", "FORWARD", "DROP")
    return iptables.listing().splitlines()


@cache
def expected() -> dict[str, object]:
    return table_of_all_shapes().data()


def told(lines: list[str]) -> bool:
    """Return whether any difference is told: all drift is, so where there is some the tables are not compared."""
    found = read_ruleset("\n".join(lines))
    return bool(found["drift"] or differences(expected(), found))


def changes(lines: list[str]) -> set[object]:
    return {one["change"] for one in differences(expected(), read_ruleset("\n".join(lines)))}


def replaced(lines: list[str], was: str, becomes: str) -> list[str]:
    text = "\n".join(lines)
    assert was in text, was
    return text.replace(was, becomes, 1).splitlines()


def test_what_others_have_is_no_drift(listed: list[str]) -> None:
    assert not told(listed)
    for line in (one for one in listed if not OURS.search(one) and one.startswith(("[", ":FORWARD"))):
        assert not told([one for one in listed if one != line]), line


def test_no_line_can_be_lost_doubled_or_slipped_in_without_being_told(listed: list[str]) -> None:
    for at, line in enumerate(listed):
        if OURS.search(line) or line == "COMMIT" or (line.startswith("*") and OURS.search(listed[at + 5])):
            assert told(listed[:at] + listed[at + 1 :]), f"lost: {line}"
        if OURS.search(line) and not line.startswith("add "):
            assert at % 2 or told([*listed[: at + 1], *listed[at:]]), f"doubled: {line}"
        if OURS.search(line) and " -A rf_" in line:
            chain = line.split(" ")[2]
            assert at % 3 or told([*listed[:at], f"[0:0] -A {chain} -m mark --mark 0x1 -j RETURN", *listed[at:]]), line
            assert at % 3 or told([*listed[:at], f"[0:0] -A {chain} -m time --utc -j ACCEPT", *listed[at:]]), line


def test_every_word_of_a_rule_of_ours_matters(listed: list[str]) -> None:
    for at, line in enumerate(listed):
        if at % 4 or not (OURS.search(line) and " -A rf_" in line):
            continue
        words = line.split(" ")
        for place in range(3, len(words)):
            if words[place - 1] == "-m" or words[place] == "-m":
                continue  # a module that a condition names anyhow is no condition
            changed = [*words[:place], "7" if words[place] != "7" else "8", *words[place + 1 :]]
            assert told([*listed[:at], " ".join(changed), *listed[at + 1 :]]), f"{words[place]} of: {line}"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("maxelem 4096", "maxelem 4097"),
        ("timeout 3600", "timeout 60"),
        ("skbinfo", "counters"),
        ("hash:ip,port,ip ", "hash:ip,port,net "),
        ("family inet6", "family inet"),
        ("add rf_control4_g0 10.9.0.0/16", "add rf_control4_g0 10.9.0.0/16 nomatch"),
        ("10.1.0.0/24 skbmark", "10.1.0.0/25 skbmark"),
        ("0x7ff00000", "0x7fe00000"),
        ("-A INPUT -j rf_in", "-A INPUT -p tcp -j rf_in"),
        ("-A INPUT -j rf_in", "-A INPUT -g rf_in"),
        ("-A POSTROUTING -j rf_post", "-A POSTROUTING -j ACCEPT"),
    ],
)
def test_another_property_is_told(listed: list[str], was: str, becomes: str) -> None:
    assert told(replaced(listed, was, becomes))


def test_a_rule_before_ours_may_accept_what_ours_would_drop(iptables: IptablesKernel, listed: list[str]) -> None:
    iptables.run("ipv4", "-I", "INPUT", "1", "-p", "udp", "-j", "ACCEPT")
    assert "open" in changes(iptables.listing().splitlines())


def test_a_jump_that_is_missing_opens_everything(iptables: IptablesKernel, listed: list[str]) -> None:
    iptables.run("ipv6", "-D", "OUTPUT", "-j", "rf_out")
    assert "open" in changes(iptables.listing().splitlines())


def test_ours_twice_or_in_the_variant_that_nobody_else_uses_is_told(
    iptables: IptablesKernel, listed: list[str]
) -> None:
    other = {"legacy": "nft", "nft": "legacy"}[iptables.variant]
    for family in ("ipv4", "ipv6"):
        iptables.run(family, "-D", "INPUT", "-p", "tcp", "-m", "tcp", "--dport", "9", "-j", "DROP")
    assert not told(iptables.listing().splitlines())
    iptables.run("ipv4", "-A", "FORWARD", "-j", "DROP", variant=other)
    drift = read_ruleset(iptables.listing())["drift"]
    assert [one["problem"] for one in drift] == [  # type: ignore[attr-defined]
        f"stand in the variant {iptables.variant}, and the rules of this host in the variant {other}"
    ]
    iptables.restore("ipv4", "*filter\n:rf_in - [0:0]\n-I INPUT 1 -j rf_in\nCOMMIT\n", other)
    drift = read_ruleset(iptables.listing())["drift"]
    assert any("stand in both variants" in str(one["problem"]) for one in drift)  # type: ignore[attr-defined]


def test_others_that_set_our_bits_of_the_mark_are_told(iptables: IptablesKernel, listed: list[str]) -> None:
    iptables.run("ipv4", "-t", "mangle", "-A", "OUTPUT", "-j", "MARK", "--set-xmark", "0x4000/0x4000")
    assert not told(iptables.listing().splitlines())
    iptables.run("ipv4", "-t", "mangle", "-A", "OUTPUT", "-j", "CONNMARK", "--restore-mark")
    assert told(iptables.listing().splitlines())


def test_sets_that_an_interrupted_load_left_are_no_drift(iptables: IptablesKernel, listed: list[str]) -> None:
    iptables.kernel.run("ipset", "create", "rf_control4_g3", "hash:net", "maxelem", "64")
    found = read_ruleset(iptables.listing())
    assert found["leftovers"] == ["rf_control4_g3"]
    assert not told(iptables.listing().splitlines())


def test_older_words_for_the_same_rules_are_read(listed: list[str]) -> None:
    text = "\n".join(listed)
    for was, becomes in (
        ("--ctstate RELATED,ESTABLISHED", "--ctstate ESTABLISHED,RELATED"),
        (
            "-m conntrack --ctstate ESTABLISHED,RELATED ! --ctproto 2 -j",
            "-m conntrack ! --ctproto 2 -m state --state RELATED,ESTABLISHED -j",
        ),
        ("-p tcp -m tcp --dport", "-p 6 -m tcp --dport"),
        ("-p ipv6-icmp", "-p icmpv6"),
        ("-d 224.0.0.0/4", "-d 224.0.0.0/240.0.0.0"),
        ("-d 255.255.255.255/32", "-d 255.255.255.255"),
        ("-p udp -m udp --sport 67 --dport 68", "-p udp --dport 68 --sport 67"),
        ("--tcp-flags SYN,ACK SYN", "--tcp-flags ACK,SYN SYN"),
    ):
        assert was in text, was
        text = text.replace(was, becomes)
    assert not told(text.splitlines())
    assert not told([re.sub(r"^\[(\d+):(\d+)\] (-A \S+)", r"\3 -c \1 \2", line) for line in text.splitlines()])


@settings(max_examples=examples(150), deadline=None, derandomize=True)
@given(st.data())
def test_no_text_makes_it_fail(data: st.DataObject) -> None:
    text = "".join(data.draw(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=4)), max_size=40)))
    read_ruleset(text)
    read_ruleset(f"# section ipv4 nft\n*filter\n{text}")

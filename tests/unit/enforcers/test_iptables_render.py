"""The text for iptables and ipset: a pure function of table and mark, in words that the oldest releases know."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.enforcers import Enforcer, Targets, told_of
from ringfence.enforcers.iptables import DEFAULT_MASK, ENFORCER, Features, Marks, render, ruleset, unsupported
from ringfence.enforcers.iptables.mark_classes import classes_of, tree
from ringfence.enforcers.iptables.networks import networks_of
from ringfence.model.addresses import ALL_V4, ALL_V6, EVERY_ADDRESS, V6_BASE, network_of
from ringfence.model.assets import Asset
from ringfence.model.errors import RingfenceError
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Mode
from ringfence.model.services import BLOCK, ICMP, TCP
from ringfence.model.tables import Cell, DirectionTable, Outcome, Piece, ProcessClass, ServiceMap, VerdictTable

from tests.examples import examples
from tests.table_factory import ALLOW, DENY, direction_table, service_map, shop_table
from tests.unit.enforcers.iptables_kernel import sections
from tests.unit.enforcers.iptables_tables import iptables_tables

LIVELY = settings(max_examples=examples(40), deadline=None, derandomize=True)
MODERN = Features()
HOST = Asset("h", ())
# The options of iptables 1.4.21 and ipset 6.38 (`cgroup --path` comes at run time, where the host has it).
OPTIONS = {
    *("-A", "-I", "-g", "-i", "-j", "-m", "-o", "-p", "-s", "-d", "!"),
    *("--add-set", "--ctdir", "--ctorigsrcport", "--ctproto", "--ctstate", "--dport", "--exist", "--hl-eq"),
    *("--icmp-type", "--icmpv6-type", "--log-prefix", "--map-mark", "--map-set", "--mark", "--match-set"),
    *("--set-xmark", "--sport", "--tcp-flags", "--ttl-eq"),
}
SET_WORDS = {"create", "add", "family", "inet", "inet6", "hashsize", "maxelem", "timeout", "skbinfo", "skbmark"}
SET_TYPES = {"hash:net", "hash:ip", "hash:ip,port", "hash:ip,port,ip"}


def all_words(table: VerdictTable) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ruleset, "MOST_IN_LINE", 1)
        return render(table, Marks(DEFAULT_MASK))


@LIVELY
@given(iptables_tables())
def test_only_words_that_the_oldest_releases_know_are_used_and_no_name_is_too_long(table: VerdictTable) -> None:
    text = sections(all_words(table))
    for line in (text["ipv4"] + text["ipv6"]).splitlines():
        bare = re.sub(r'"[^"]*"', '""', line)
        assert {word for word in bare.split() if word.startswith("-") and word != "-"} <= OPTIONS
        assert all(len(name) <= 28 for name in re.findall(r"(?:^:|-[gj] |-A )(rf_\w+)", line))
        assert all(len(prefix) <= 29 for prefix in re.findall(r'"([^"]*)"', line))
    for line in text["ipset"].splitlines():
        words = line.split()
        assert len(words[1]) <= 31
        assert {word for word in words[2:] if word.isalpha()} <= SET_WORDS
        assert words[0] == "add" or words[2] in SET_TYPES


@LIVELY
@given(iptables_tables())
def test_equal_tables_give_equal_texts_that_never_accept(table: VerdictTable) -> None:
    assert render(table) == render(table)
    assert "ACCEPT" not in all_words(table)


def test_ours_are_entered_first_in_every_hook() -> None:
    for text in (sections(all_words(shop_table()))[name] for name in ("ipv4", "ipv6")):
        assert "-I INPUT 1 -j rf_in\n-I OUTPUT 1 -j rf_out\nCOMMIT\n" in text
    assert "-I POSTROUTING 1 -j rf_post\n" in sections(all_words(shop_table()))["ipv4"]


@LIVELY
@given(st.lists(st.tuples(st.integers(0, (1 << 128) - 1), st.integers(0, 1 << 40)), max_size=5), st.booleans())
def test_networks_hold_exactly_the_addresses_they_are_made_of(ranges: list[tuple[int, int]], six: bool) -> None:
    last, base = (1 << 128 if six else 1 << 32) - 1, V6_BASE if six else 0
    addresses = IntervalSet.of((base + low % last, base + min(low % last + more, last)) for low, more in ranges)
    assert union(network_of(text) for text in networks_of(addresses)) == addresses


def test_all_of_a_family_are_two_halves() -> None:
    assert networks_of(ALL_V4) == ["0.0.0.0/1", "128.0.0.0/1"]
    assert networks_of(ALL_V6) == ["::/1", "8000::/1"]


def test_a_message_type_that_cannot_be_asked_for_alone_is_the_default() -> None:
    pieces: tuple[Piece, ...] = (
        (0, ICMP * BLOCK + 254, DENY),
        (ICMP * BLOCK + 255, ICMP * BLOCK + 255, ALLOW),
        (ICMP * BLOCK + 256, 256 * BLOCK - 1, DENY),
    )
    text = render(shop_table(direction_table({("10.1.0.0/24",): ServiceMap(pieces)})))
    assert "--icmp-type 255" not in text
    assert text.count("-m icmp --icmp-type 254 -g rf_deny_default_in") == 1


def test_many_ports_are_asked_for_in_spans() -> None:
    odd = tuple((TCP * BLOCK + port, TCP * BLOCK + port, (ALLOW, DENY)[port % 2]) for port in range(2, 1002))
    pieces = ((0, TCP * BLOCK + 1, DENY), *odd, (TCP * BLOCK + 1002, 256 * BLOCK - 1, DENY))
    fused: list[tuple[int, int, Outcome]] = []
    for low, high, outcome in pieces:
        if fused and fused[-1][2] == outcome:
            fused[-1] = (fused[-1][0], high, outcome)
        else:
            fused.append((low, high, outcome))
    text = render(shop_table(direction_table({("10.1.0.0/24",): ServiceMap(tuple(fused))})))
    chains = re.findall(r"^-A (rf_in_p_\w+) ", sections(text)["ipv4"], re.MULTILINE)
    assert max(chains.count(chain) for chain in chains) <= 17


def test_more_chains_behind_each_other_than_the_kernel_follows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.enforcers.iptables.text.MOST_CHAINS", 3)
    with pytest.raises(RingfenceError, match="more than 3 chains"):
        render(shop_table())


@LIVELY
@given(st.lists(st.integers(0, 6), min_size=1, max_size=300), st.sampled_from((DEFAULT_MASK, 0x80F0F001)))
def test_the_tree_leads_every_class_to_its_target(numbers: list[int], mask: int) -> None:
    marks, chains = Marks(mask), dict[str, tuple[str, ...]]()
    led = [f"t{number}" for number in numbers]

    def make(rules: list[str] | tuple[str, ...]) -> str:
        name = f"c{len(chains)}"
        chains[name] = tuple(rules)
        return name

    start = tree(marks, led, make)  # type: ignore[arg-type]
    for number, target in enumerate(led):
        at = start
        while at in chains:
            for rule in chains[at]:
                asked = re.match(r"-m mark --mark (\w+)/(\w+) ", rule)
                if not asked or marks.value(number) & int(asked[2], 16) == int(asked[1], 16):
                    at = rule.split()[-1]
                    break
        assert at == target


def test_classes_tell_all_partitions_apart() -> None:
    low, high = IntervalSet(((0, 99),)), IntervalSet(((100, 199),))
    inner, rest = IntervalSet(((50, 149),)), IntervalSet(((0, 49), (150, 199)))
    classes = classes_of([{"a": low, "b": high}, {"c": inner, "d": rest}])
    assert set(zip(*classes.led, strict=True)) == {("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")}
    assert union(classes.addresses) == low | high


def test_few_classes_need_no_mark_and_many_without_bits_a_rule_each() -> None:
    many = {(f"10.{n}.0.0/16",): service_map(f"tcp/{n + 1}") for n in range(20)}
    table = shop_table(direction_table(many))
    assert "*mangle" not in render(shop_table(), Marks(DEFAULT_MASK))
    assert "*mangle" in render(table, Marks(DEFAULT_MASK))
    assert "*mangle" not in render(table, Marks(0x1))
    assert "*mangle" not in render(table, None)


def test_a_listener_named_by_a_rule_is_refused_by_name() -> None:
    cells = tuple(
        Cell(EVERY_ADDRESS, ProcessClass(unit), EVERY_ADDRESS, service_map()) for unit in (None, "shop.service")
    )
    table = VerdictTable(DirectionTable(Mode.FULL, cells, ("shop.service",)), shop_table().outbound)
    assert unsupported(table, MODERN) == ["the unit or user of a listener cannot be matched: shop.service"]
    with pytest.raises(RingfenceError, match=r"whose listener a packet is for: shop\.service"):
        render(table)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"iptables": "1.4.7"}, "iptables 1.4.7 is older than 1.4.21"),
        ({"iptables": ""}, "there is no iptables"),
        ({"iptables": "1.8.9", "ipset": ""}, "there is no ipset"),
        ({"iptables": "1.8.9", "ipset": "6.11"}, "ipset 6.11 is older than 6.38"),
        ({"iptables": "1.8.9", "kernel": "2.6.32-754.el6"}, "kernel 2.6.32 is older than 3.10"),
        ({"iptables": "1.8.9"}, ""),
        ({"nft": "0.8"}, "nothing is known of its iptables"),
    ],
)
def test_what_a_host_lacks_is_said(told: dict[str, object], why: str) -> None:
    ours: Enforcer = ENFORCER
    assert ours.lacks(ours.facts(told)) == why  # type: ignore[arg-type]


def test_a_host_variable_says_which_bits_of_the_mark_may_be_used() -> None:
    ours: Enforcer = ENFORCER
    for written, mask in (("0x00ff0000", 0xFF0000), (0xFF, 0xFF), (0, 0), ("nonsense", DEFAULT_MASK)):
        host = Asset("h", (), attributes={"ringfence_iptables": {"marks": written}})
        facts = ours.facts(told_of(host, "iptables", {"marks_used": 1}))
        assert ours.profile(facts) == {"marks": mask}
        refused = [why for why, _ in ours.refusals(shop_table(), facts, host)]
        assert bool(refused) is (written == 0xFF), written
        faults = [one.key for one in ENFORCER.option_faults(host.attributes["ringfence_iptables"])]
        assert faults == (["marks"] if written == "nonsense" else []), written
    assert [one.why for one in ENFORCER.option_faults({"mark": 0})] == ["has 'mark', which is not one of its keys"]


def test_bits_of_the_mark_that_others_use_are_refused_and_hosts_without_skbinfo_get_a_rule_for_each_class() -> None:
    ours: Enforcer = ENFORCER
    facts = ours.facts({"marks_used": 0x4000 | 0x100000})
    assert "use bits 0x100000 of the mark" in ours.refusals(shop_table(), facts, HOST)[0][0]
    assert ours.refusals(shop_table(), ours.facts({"marks_used": 0x4000}), HOST) == []
    assert ours.profile(ours.facts({"skbinfo": False})) == {"marks": 0}
    rendered = ours.renderer(Targets({}, {})).render(shop_table(), {"marks": 0})
    assert rendered.text == render(shop_table())

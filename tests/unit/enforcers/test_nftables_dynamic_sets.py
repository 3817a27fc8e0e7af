"""Names in the ruleset: who is an answer is asked where it matters, filled by the host, and proven by its shape."""

from __future__ import annotations

import os
from itertools import combinations

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers.nftables.reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences
from ringfence.enforcers.nftables import render, runtime_of
from ringfence.enforcers.nftables.dynamic_sets import DEEPEST_QUESTIONS
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.errors import RingfenceError
from ringfence.model.memberships import Membership
from ringfence.model.rules import Mode
from ringfence.model.tables import OTHER, Cell, DirectionTable, ServiceMap, VerdictTable, process_classes
from ringfence.plan.verdict_table_json import table_of
from ringfence.wire.set_names import set_digest

from tests.table_factory import direction_table, service_map, shop_table
from tests.unit.enforcers.nft_kernel import Kernel

PAY, CDN = "fqdn:pay.example", "fqdn:cdn.example"
PAY_SET, CDN_SET = (f"dyn4_{set_digest(name)}" for name in (PAY, CDN))


def out_table(cases: dict[Membership, ServiceMap], rest: ServiceMap | None = None) -> VerdictTable:
    """Return a table whose outgoing verdicts depend on names for every address but those of 10.0.0.0/8."""
    inside = addresses_of(["10.0.0.0/8"])
    asked = [Cell(EVERY_ADDRESS, OTHER, EVERY_ADDRESS - inside, services, one) for one, services in cases.items()]
    near = Cell(EVERY_ADDRESS, OTHER, inside, rest or service_map("tcp/1"))
    return VerdictTable(
        direction_table({("10.0.0.1",): service_map("tcp/1")}), DirectionTable(Mode.FULL, (*asked, near))
    )


def pay_table() -> VerdictTable:
    """Return a table that lets https to one name out, and smtp to members of both names."""
    https, both, neither = service_map("tcp/443"), service_map("tcp/25"), service_map("tcp/22")
    return out_table(
        {
            Membership((CDN, PAY), ()): both,
            Membership((PAY,), (CDN,)): https,
            Membership((), (PAY,)): neither,
        }
    )


def told(table: VerdictTable, listing: str) -> list[str]:
    return [str(one["text"]) for one in differences(table.data(), read_ruleset(listing))]


def test_a_table_with_names_comes_back_from_the_kernel_as_it_went_in(kernel: Kernel) -> None:
    assert told(pay_table(), kernel.load(render(pay_table()))) == []


def test_what_hosts_fill_in_is_told_with_its_age_and_changes_no_proof(kernel: Kernel) -> None:
    kernel.load(render(pay_table()))
    kernel.nft("add", "element", "inet", "ringfence", PAY_SET, "{ 192.0.2.7 timeout 3600s, 192.0.2.8 timeout 1m }")
    listing = kernel.listing()
    assert told(pay_table(), listing) == []
    answers = {one["address"]: one for one in read_ruleset(listing)["filled"]["answers"]}
    assert set(answers) == {"192.0.2.7", "192.0.2.8"}
    assert answers["192.0.2.7"]["set"] == set_digest(PAY)
    assert 3590 < answers["192.0.2.7"]["expires"] <= 3600
    assert answers["192.0.2.8"]["expires"] <= 60


def test_a_set_of_another_shape_is_drift(kernel: Kernel) -> None:
    wider = render(pay_table()).replace("size 256\n\t\tflags timeout", "size 512\n\t\tflags timeout", 1)
    assert wider != render(pay_table())
    assert any("has other properties" in text for text in told(pay_table(), kernel.load(wider)))


def test_asking_another_set_than_planned_is_told_in_the_names_of_the_policy(kernel: Kernel) -> None:
    swapped = render(pay_table()).replace(f"@{PAY_SET} ", "@X ").replace(f"@{CDN_SET} ", f"@{PAY_SET} ")
    texts = told(pay_table(), kernel.load(swapped.replace("@X ", f"@{CDN_SET} ")))
    assert any("in fqdn:cdn.example and not in fqdn:pay.example" in text and "tcp/443" in text for text in texts)


def test_a_question_that_leads_elsewhere_is_told_as_what_is_open(kernel: Kernel) -> None:
    listing = kernel.load(render(pay_table()))
    (chain,) = {
        line.split()[1]
        for line in listing.splitlines()
        if line.startswith("\tchain out_d_") and PAY_SET in listing.split(line)[1].split("}")[0]
    }
    kernel.nft("insert", "rule", "inet", "ringfence", chain, "ip", "daddr", f"@{CDN_SET}", "accept")
    assert any("is not a rule of ours" in text and "open" in text for text in told(pay_table(), kernel.listing()))


def test_equal_outcomes_for_members_and_others_ask_nothing() -> None:
    same = service_map("tcp/443")
    text = render(out_table({Membership((PAY,), ()): same, Membership((), (PAY,)): same}))
    assert "out_d_" not in text


def test_the_host_is_told_which_sets_to_fill() -> None:
    assert runtime_of(pay_table())[0] == {
        "fqdn": "cdn.example",
        "elements": [
            [CDN_SET, "timeout 3600s"],
            [CDN_SET.replace("dyn4", "dyn6"), "timeout 3600s"],
        ],
    }
    assert runtime_of(shop_table()) == []


def test_a_table_with_names_is_read_back_from_its_own_text() -> None:
    assert table_of(pay_table().text()) == pay_table()


def test_an_answer_that_never_ages_is_not_of_our_making(kernel: Kernel) -> None:
    kernel.load(render(pay_table()))
    kernel.nft("add", "element", "inet", "ringfence", PAY_SET, "{ 192.0.2.7 }")
    assert any("192.0.2.7 is not an element of ours" in text for text in told(pay_table(), kernel.listing()))


def nested_table(names: int) -> VerdictTable:
    """Return a table in which every name has a service of its own, behind a unit, a user and two local addresses."""
    sets = [f"fqdn:n{number}.example" for number in range(names)]
    here = addresses_of(["10.0.0.1"])
    cells = [
        Cell(
            local, process, EVERY_ADDRESS, service_map("udp/9", *(f"tcp/{1 + sets.index(one)}" for one in inside)), met
        )
        for process in process_classes((("unit", ("a.service",)), ("user", ("daemon",))))
        for local in (here, EVERY_ADDRESS - here)
        for number in range(names + 1)
        for inside in combinations(sets, number)
        for met in (Membership(inside, tuple(name for name in sets if name not in inside)),)
    ]
    table = DirectionTable(Mode.FULL, tuple(cells), ("a.service",), ("daemon",))
    return VerdictTable(direction_table({("10.0.0.1",): service_map("tcp/1")}), table)


def test_questions_stand_as_deep_as_the_kernel_follows_and_no_deeper(kernel: Kernel) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: without it so many chains do not fit into one transaction")
    deepest = nested_table(DEEPEST_QUESTIONS)
    assert told(deepest, kernel.load(render(deepest))) == []
    with pytest.raises(RingfenceError, match="more than 7 names with services of their own"):
        render(nested_table(DEEPEST_QUESTIONS + 1))

"""The ends of a question as people write them: what is meant is found; what cannot be meant is told with a way on."""

from __future__ import annotations

import pytest
from ringfence.analysis.explain import Explanation, explain
from ringfence.compiler import compile_policy
from ringfence.model.errors import InputError
from ringfence.model.selectors import FqdnIs
from ringfence.model.services import parse_service

from tests.unit.estate_factory import SETTINGS, asset, labelled, policy, rule, snapshot

ESTATE = snapshot(
    asset("web-1", "10.0.0.1", role="web"),
    asset("web-2", "10.0.0.2", "10.0.0.9", "2001:db8::2", role="web"),
    asset("db-1", "10.0.0.3", "10.0.0.9", role="db"),
)
RULES = policy(rule("out", labelled(role="web"), FqdnIs("api.example.org"), "tcp/443"))


def asked(source: str, destination: str, service: str = "tcp/443") -> Explanation:
    return explain(compile_policy(ESTATE, RULES, SETTINGS), source, destination, parse_service(service))


@pytest.mark.parametrize("name", ["api.example.org", "API.example.org.", "fqdn:Api.Example.Org"])
def test_a_name_of_the_policy_is_found_in_any_case_and_with_its_dot(name: str) -> None:
    assert asked("web-1", name).members == ("fqdn:api.example.org",)


@pytest.mark.parametrize(
    ("source", "destination", "remedy"),
    [
        ("any", "web-1", "ringfence reach --from any"),
        ("web-1", "internet", "ringfence reach --to internet"),
        ("web-1", "Unknown", "ringfence reach --to unknown"),
        ("web-1", "[2001:db8::5]", "write '2001:db8::5' alone"),
        ("web-1", "[2001:db8::5]:443", "write '2001:db8::5' alone"),
        ("web-1", "10.0.0.3:443", "write '10.0.0.3' alone"),
        ("web-1", "https://api.example.org/v1", "write 'api.example.org' alone"),
        ("web-1", "api.exampel.org", "did you mean 'api.example.org'?"),
        ("api.example.org", "web-1", "it can be TO, not FROM"),
        ("web-1", "role=db", "ringfence reach --to 'role=db'"),
        ("web-1", "fe80::1%eth0", "write the address alone: fe80::1"),
        ("web-1", "10.0.0.3%eth0", "write the address alone: 10.0.0.3"),
        ("web-1", "localhost", "one of its loopback addresses: 127.0.0.1 or ::1"),
    ],
)
def test_what_is_no_single_end_is_refused_with_a_way_on(source: str, destination: str, remedy: str) -> None:
    with pytest.raises(InputError) as refused:
        asked(source, destination)
    assert refused.value.remedy is not None
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("destination", ["10.0.0.9", "web-2"])
def test_where_several_assets_hold_an_address_the_others_are_named(destination: str) -> None:
    answer = asked("web-1", destination)
    notes = [note for one in (*answer.answers, *answer.others) for side in one.sides for note in side.notes]
    if destination == "web-2":
        assert not notes, "its first address is its own, and the second is decided alike"
    else:
        assert notes == ["this is what 'db-1' decides; 10.0.0.9 is held by 'web-2' too"]


def test_icmp_of_the_other_family_is_refused_with_the_right_word() -> None:
    with pytest.raises(InputError) as refused:
        asked("web-1", "db-1", "icmpv6")
    assert "'icmpv6'" in str(refused.value.remedy)

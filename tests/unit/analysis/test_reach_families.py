"""`reach` between hosts of both families: what one family's ICMP says is no answer for the other's."""

from __future__ import annotations

import pytest
from ringfence.analysis.explain import explain
from ringfence.analysis.reach import reach
from ringfence.compiler import compile_policy
from ringfence.model.intervals import EMPTY
from ringfence.model.rules import Action
from ringfence.model.selectors import ANY, FqdnIs
from ringfence.model.services import EVERY_SERVICE, ICMP, ICMPV6, block_of, parse_service, service_texts

from tests.unit.estate_factory import SETTINGS, asset, policy, rule, snapshot

ESTATE = snapshot(asset("web-1", "10.0.0.1", "2001:db8::1"), asset("db-1", "10.0.0.2", "2001:db8::2"))


@pytest.mark.parametrize(("denied", "protocol"), [("icmp", ICMP), ("icmpv6", ICMPV6)])
def test_an_icmp_that_is_denied_in_its_family_does_not_pass_by_the_other(denied: str, protocol: int) -> None:
    rules = policy(rule("all", ANY, ANY, "any"), rule("no", ANY, ANY, denied, action=Action.DENY))
    compilation = compile_policy(ESTATE, rules, SETTINGS)

    (row,) = (one for one in reach(compilation) if (one.client, one.server) == ("web-1", "db-1"))

    assert row.services & block_of(protocol) == EMPTY
    assert row.services == EVERY_SERVICE - block_of(protocol)
    assert explain(compilation, "web-1", "db-1", parse_service(denied)).verdict in ("deny", "mixed")


def test_what_passes_in_both_families_is_still_every_service() -> None:
    compilation = compile_policy(ESTATE, policy(rule("all", ANY, ANY, "any")), SETTINGS)

    (row,) = (one for one in reach(compilation) if (one.client, one.server) == ("web-1", "db-1"))

    assert row.services == EVERY_SERVICE


@pytest.mark.parametrize(
    ("addresses", "services"),
    [
        (("10.0.0.1",), ["icmp/echo-request", "tcp/443"]),
        (("2001:db8::1",), ["tcp/443", "icmpv6/echo-request"]),
        (("10.0.0.1", "2001:db8::1"), ["icmp/echo-request", "tcp/443", "icmpv6/echo-request"]),
    ],
)
def test_a_name_is_reached_in_the_families_that_the_client_has(addresses: tuple[str, ...], services: list[str]) -> None:
    api = FqdnIs("api.example")
    rules = policy(rule("api", ANY, api, "tcp/443", "icmp/echo-request", "icmpv6/echo-request"))
    compilation = compile_policy(snapshot(asset("web-1", *addresses)), rules, SETTINGS)

    (row,) = reach(compilation)

    assert (row.server, list(service_texts(row.services))) == ("fqdn:api.example", services)

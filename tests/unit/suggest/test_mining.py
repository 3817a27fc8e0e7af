"""Rules out of traffic: few, by labels, with nothing in them that nobody needs; the rest is kept out with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ringfence.language.rejections import Rejection
from ringfence.model.rules import Action, Peer
from ringfence.model.services import parse_service
from ringfence.suggest.mining import UNLABELLED

from tests.unit.estate_factory import cidr, labelled, rule
from tests.unit.flows.flow_factory import NOON, asset
from tests.unit.suggest.suggest_estate import Seen, reasons, said, shop, shop_named

DEV_FROM_PROD = (
    rule("apart", labelled(env="dev"), labelled(env="prod"), "any", action=Action.DENY, tier="guardrail"),
    rule("apart2", labelled(env="prod"), labelled(env="dev"), "any", action=Action.DENY, tier="guardrail"),
)


def test_hosts_of_equal_labels_become_one_rule_by_their_labels() -> None:
    seen = Seen(shop(environments=("prod",))).talk("prod-web-0", "prod-api", 8443).talk("prod-web-1", "prod-api", 8443)

    mined = seen.mined()

    assert said(mined) == [({"app": "shop", "role": "web"}, {"app": "shop", "role": "api"}, ("tcp/8443",))]
    assert mined.offers[0].evidence is not None
    assert (mined.offers[0].evidence.clients, mined.offers[0].evidence.pairs, mined.offers[0].beyond) == (2, 2, 0)


def test_environments_stay_apart_unless_a_guardrail_keeps_them_apart() -> None:
    def both(*rules: object) -> Seen:
        seen = Seen(shop(), tuple(rules))  # type: ignore[arg-type]  # rules, where there are any
        for env in ("prod", "dev"):
            seen.talk(f"{env}-web-0", f"{env}-api", 8443).talk(f"{env}-web-1", f"{env}-api", 8443)
        return seen

    assert len(both().mined().offers) == 2
    assert len(both(*DEV_FROM_PROD).mined().offers) == 1


def test_the_dial_trades_rules_for_reach() -> None:
    seen = Seen(shop())
    for env in ("prod", "dev"):
        seen.talk(f"{env}-web-0", f"{env}-api", 8443).talk(f"{env}-web-1", f"{env}-api", 8443)

    tight, wide = seen.mined(0.0), seen.mined(1.0)

    assert len(tight.offers) > len(wide.offers)
    assert sum(one.beyond for one in tight.offers) < sum(one.beyond for one in wide.offers)


def test_what_differs_in_role_or_service_alone_is_one_rule() -> None:
    seen = Seen(shop(environments=("prod",), web=1))
    for client in ("prod-web-0", "prod-api"):
        seen.talk(client, "prod-db", 5432).talk(client, "prod-db", 6432)

    ((source, _, services),) = said(seen.mined())

    assert isinstance(source, dict)
    assert source["role"] == ["api", "web"]
    assert services == ("postgresql", "tcp/6432")


def test_what_few_hosts_of_a_role_do_stands_alone_to_be_refused() -> None:
    seen = Seen(shop(environments=("prod",))).talk("prod-api", "prod-db", 5432).talk("prod-web-0", "prod-db", 5432)

    assert len(seen.mined().offers) == 2
    assert len(seen.talk("prod-web-1", "prod-db", 5432).mined().offers) == 1


def test_what_was_rejected_is_in_no_wider_rule_either() -> None:
    web_to_database = Rejection(
        "", (Peer(labelled(role="web", env="prod")),), (Peer(labelled(role="db")),), parse_service("tcp/5432"), "no"
    )
    seen = Seen([*shop(), *shop_named("billing")]).talk("prod-web-0", "prod-db", 5432)
    for app in ("", "billing-"):
        for env in ("prod", "dev"):
            seen.talk(f"{app}{env}-api", f"{app}{env}-db", 5432).talk(f"{app}{env}-web-1", f"{app}{env}-db", 5432)
    seen.rejected = (web_to_database,)

    for dial in (0.0, 0.5, 1.0):
        mined = seen.mined(dial)
        assert "rejected: no" in reasons(mined)
        for one in mined.offers:
            source = str(one.peers("from"))
            assert "'dev'" in source or ("role" in source and "web" not in source)


def test_a_unit_stands_in_the_rule_where_it_alone_was_seen() -> None:
    steady = Seen(shop(environments=("prod",), web=1)).talk("prod-api", "prod-db", 5432, client_unit="api.service")
    unsaid = Seen(shop(environments=("prod",), web=1)).talk("prod-api", "prod-db", 5432, client_unit="api.service")
    unsaid.talk("prod-api", "prod-db", 5432)

    assert "process" in str(said(steady.mined())[0][0])
    assert "process" not in str(said(steady.mined(1.0))[0][0])
    assert steady.mined(0.5).offers[0].peers("from")["process"] == {"unit": "api.service"}  # type: ignore[index]


def test_what_the_policy_allows_or_denies_is_not_suggested() -> None:
    rules = (
        *DEV_FROM_PROD,
        rule("known", labelled(role="web"), labelled(role="api"), "tcp/8443"),
        rule("partner", cidr("203.0.113.0/24"), labelled(role="web"), "tcp/443"),
    )
    seen = Seen(shop(), rules).talk("prod-web-0", "prod-api", 8443).talk("203.0.113.7", "prod-web-0", 443)
    seen.talk("dev-api", "prod-db", 5432).talk("198.51.100.7", "prod-web-0", 443)

    mined = seen.mined()

    assert [one.peers("from") for one in mined.offers] == [{"cidr": "198.51.100.7"}]
    assert mined.allowed == 2
    assert "denied by 'apart'" in reasons(mined)


def test_a_deny_of_a_later_tier_does_not_keep_a_rule_from_being_suggested() -> None:
    closed = rule("closed", labelled(role="api"), labelled(role="db"), "any", action=Action.DENY, tier="baseline")

    assert len(Seen(shop(), (closed,)).talk("prod-api", "prod-db", 5432).mined().offers) == 1


def test_infrastructure_is_for_all_hosts_and_named() -> None:
    assets = [*shop(web=4), asset("ns", "10.9.0.1", app="ops", env="prod", role="dns")]
    assets.append(asset("mon", "10.9.0.2", app="ops", env="prod", role="monitoring"))
    seen = Seen(assets)
    for one in assets[:-2]:
        seen.talk(one.name, "ns", 53, 17).talk("mon", one.name, 9100)

    mined = seen.mined()

    assert {(one.kind, str(one.peers("from")), str(one.peers("to"))) for one in mined.offers} == {
        ("DNS", "{}", "{'role': 'dns'}"),
        ("monitoring", "{'role': 'monitoring'}", "{}"),
    }


def test_scans_refusals_and_what_was_seen_once_are_kept_out() -> None:
    seen = Seen(shop()).talk("prod-web-0", "prod-api", 8443)
    for port in range(1, 30):
        seen.once("dev-web-0", "dev-db", port, outcome="answered" if port % 2 else "refused")
    seen.once("prod-web-1", "prod-db", 8080).talk("dev-web-1", "dev-api", 22, outcome="refused")
    seen.talk("prod-api", "prod-db", 9999, outcome="unanswered")

    mined = seen.mined()

    assert [one.service_words() for one in mined.offers] == [("tcp/8443",)]
    assert reasons(mined) == {
        "looks like a scan",
        "seen once",
        "refused when it was tried",
        "nobody answered",
    }


def test_a_short_window_cannot_say_that_something_was_seen_once() -> None:
    seen = (
        Seen(shop())
        .once("prod-web-0", "prod-api", 8443)
        .once("prod-api", "prod-db", 5432, at=NOON + timedelta(hours=2))
    )

    assert len(seen.mined().offers) == 2


def test_an_asset_without_labels_is_named_and_addresses_are_grouped() -> None:
    seen = Seen([*shop(), asset("old", "10.0.7.7")]).talk("old", "prod-db", 5432).talk("prod-api", "10.50.0.9", 1521)
    for number in range(1, 6):
        seen.talk("prod-api", f"198.51.100.{number}", 443)

    def ends(dial: float) -> set[str]:
        return {str(end) for one, other, _ in said(seen.mined(dial)) for end in (one, other)}

    assert ends(0.5) >= {"{'asset': 'old'}", "{'cidr': '10.50.0.0/24'}", "internet"}


def test_few_addresses_are_named_one_by_one_and_open_nothing_else() -> None:
    seen = Seen(shop()).talk("prod-api", "192.0.2.50", 443).talk("prod-api", "10.0.0.200", 25)
    for number in range(1, 9):
        seen.talk(f"198.51.100.{number}", "prod-web-0", 443)

    offers = {str(one.peers("to")): one for one in seen.mined().offers}

    # 10.0.0.0/24 is where the shop's own hosts are
    for address in ("192.0.2.50", "10.0.0.200"):
        one = offers[f"{{'cidr': '{address}'}}"]
        assert (one.reach, one.beyond) == (1, 0)


def test_what_one_address_of_the_internet_is_refused_is_refused_to_no_other() -> None:
    rejected = Rejection("", (Peer(labelled(role="api")),), (Peer(cidr("192.0.2.50")),), parse_service("tcp/443"), "")
    seen = Seen(shop(), rejected=(rejected,)).talk("prod-api", "192.0.2.50", 443).talk("prod-api", "192.0.2.10", 443)

    mined = seen.mined()

    assert [one.peers("to") for one in mined.offers] == [{"cidr": "192.0.2.10"}]
    assert reasons(mined) == {"rejected"}


def test_hosts_outside_of_a_fence_use_a_rule_for_all_hosts_too() -> None:
    hosts = [*shop(), *shop_named("crm"), asset("dns", "10.9.0.1", role="dns")]
    seen = Seen(hosts, fence=("app", "shop"))
    for host in hosts[:-1]:
        seen.talk(host.name, "dns", 53, 17)

    (one,) = seen.mined().offers

    assert one.kind == "DNS"
    assert (one.reach, one.beyond) == (len(hosts) - 1, 0)
    assert seen.scores()[0].excess == 0


def test_an_address_of_the_internet_that_no_rule_names_yet_does_not_pass_in_the_part_held_out() -> None:
    seen = Seen(shop()).talk("prod-api", "192.0.2.50", 443)
    seen.once("prod-api", "192.0.2.51", 443, at=NOON + timedelta(days=6))

    ours, *_ = seen.scores()

    assert (ours.flows, ours.recalled, ours.new, ours.recalled_new) == (2, 1, 1, 0)


def test_an_estate_without_labels_is_told_to_label_first() -> None:
    hosts = [asset(f"h{number}", f"10.0.0.{number}") for number in range(1, 31)]
    seen = Seen(hosts).talk("h1", "h2", 443).talk("h3", "h2", 443)

    mined = seen.mined()

    assert mined.offers == ()
    assert reasons(mined) == {UNLABELLED}


def test_a_rule_to_addresses_that_nobody_holds_speaks_for_the_client_alone() -> None:
    (one,) = Seen(shop()).talk("prod-api", "10.50.0.9", 1521).mined().offers

    assert one.rule("oracle")["at"] == "from"


def test_ports_that_are_given_out_anew_become_one_range() -> None:
    seen = Seen(shop(environments=("prod",)))
    for port in range(40000, 40010):
        seen.talk("prod-api", "prod-db", port)

    assert [services for _, _, services in said(seen.mined())] == [("tcp/32768-65535",)]


def test_ids_stay_from_run_to_run_and_change_with_what_is_said() -> None:
    seen = Seen(shop()).talk("prod-web-0", "prod-api", 8443)
    first = [one.id for one in seen.mined().offers]

    seen.talk("prod-web-1", "prod-api", 8443)

    assert [one.id for one in seen.mined().offers] == first
    assert [one.id for one in seen.talk("prod-web-1", "prod-api", 8444).mined().offers] != first


def test_rules_are_judged_by_the_part_of_the_window_that_they_have_not_seen() -> None:
    seen = Seen(shop(environments=("prod",), web=3))
    for web in range(2):
        seen.talk(f"prod-web-{web}", "prod-api", 8443)
    seen.once("prod-web-2", "prod-api", 8443, at=NOON + timedelta(days=6))

    ours, pairs, app = seen.scores()

    assert (ours.flows, ours.new) == (3, 1)
    assert (ours.recalled, pairs.recalled, app.recalled) == (3, 2, 3)
    assert ours.excess == 0
    assert app.excess == 5 * 4 - 3


@pytest.mark.parametrize("dial", [0.0, 0.5, 1.0])
def test_whatever_the_dial_everything_wanted_is_covered(dial: float) -> None:
    seen = (
        Seen(shop())
        .talk("prod-web-0", "prod-api", 8443)
        .talk("dev-api", "dev-db", 5432)
        .talk("dev-db", "prod-db", 5432)
    )

    mined = seen.mined(dial)

    assert {number for one in mined.offers for number in one.covered} == set(range(len(mined.wishes)))


def test_what_goes_to_many_is_never_a_rule_and_is_listed_for_a_person() -> None:
    many = ("10.0.0.255", "10.77.3.255", "255.255.255.255", "239.1.2.3")
    seen = Seen(shop(environments=("prod",)))
    for address in many:
        seen.talk("prod-api", address, 5678, 17, outcome="unanswered")
    for dial in (0.0, 0.5, 1.0):
        mined = seen.mined(dial)
        assert said(mined) == []
        assert reasons(mined) == {"to multicast and broadcast addresses: decide by hand"}
        assert sum(one.seen.connections for one in mined.kept) == 7 * len(many)


def test_a_host_at_the_end_of_a_network_is_a_host_once_a_connection_was_answered() -> None:
    seen = Seen(shop(environments=("prod",))).talk("prod-api", "10.77.3.255", 443)

    assert [services for _, _, services in said(seen.mined())] == [("https",)]


def test_what_lies_outside_a_fence_may_go_to_many() -> None:
    seen = Seen([*shop(environments=("prod",)), *shop_named("billing")], fence=("app", "shop"))
    seen.talk("prod-api", "prod-db", 5432).talk("billing-prod-api", "239.1.2.3", 5000, 17)

    assert [services for _, _, services in said(seen.mined())] == [("postgresql",)]

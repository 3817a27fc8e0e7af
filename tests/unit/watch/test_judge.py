"""What hosts tell is judged by the tables, and only as far as a host can have seen it."""

from __future__ import annotations

import pytest
from ringfence.analysis.emergency_tier import with_emergencies
from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.emergencies import EmergencyEnd, Member, Order
from ringfence.model.emergencies import Kind as Emergency
from ringfence.model.errors import InputError
from ringfence.model.rules import Direction, Mode
from ringfence.model.tables import Effect
from ringfence.watch.events import Kind
from ringfence.watch.judge import Judge
from ringfence.watch.told import DenialTold
from ringfence.watch.violations import event_data

from tests.unit.watch.watch_factory import DB, DEV, NOW, STRANGER, WEB, compiled, flow, judge


def test_an_allowed_flow_has_the_rule_that_allows_it_and_the_labels_of_both_ends() -> None:
    found = judge().flow("db", flow(WEB, DB), NOW)
    assert found is not None
    assert (found.kind, found.rule, found.place) == (Kind.ALLOWED, "web2db", "policy/shop.yml:1")
    assert (found.client.labels, found.server.labels) == ({"role": "web"}, {"role": "db"})


def test_a_flow_that_the_policy_denies_is_denied_or_not_enforced() -> None:
    attempt = judge().flow("db", flow(DEV, DB, answered=False), NOW)
    answered = judge().flow("db", flow(DEV, DB), NOW)
    assert attempt is not None
    assert answered is not None
    assert (attempt.kind, attempt.rule) == (Kind.DENIED, "nodev")
    assert (answered.kind, answered.rule) == (Kind.NOT_ENFORCED, "nodev")


def test_what_no_rule_allows_says_where_the_mode_is_written() -> None:
    found = judge().flow("web", flow(WEB, DB, 22), NOW)
    assert found is not None
    assert (found.rule, found.place) == ("no rule allows it", "policy/enforcement.yml:2")


def test_in_observe_the_same_flow_would_be_denied() -> None:
    found = judge(Mode.OBSERVE).flow("db", flow(DEV, DB), NOW)
    assert found is not None
    assert (found.kind, found.rule) == (Kind.WOULD_DENY, "nodev")


def test_a_host_speaks_of_its_own_flows_alone() -> None:
    with pytest.raises(InputError):
        judge().flow("dev", flow(WEB, DB), NOW)
    with pytest.raises(InputError):
        judge().flow("nobody", flow(WEB, DB), NOW)


def test_a_flow_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError):
        judge().flow("db", flow("fd00::1", DB), NOW)


def test_what_stays_on_a_link_is_no_event() -> None:
    assert judge().flow("db", flow("fe80::1", "ff02::fb", 5353, 17), NOW) is None


def test_what_stands_above_every_policy_is_no_event() -> None:
    assert judge().flow("db", flow("10.255.0.1", DB, 22), NOW) is None


def test_a_denial_has_the_name_of_its_rule_and_the_end_that_denied() -> None:
    told = DenialTold(Effect.DENY, "nodev000", Direction.IN, 6, point_of(DEV), 5432, 9)
    found = judge().denial("db", told, 3, NOW)
    assert found is not None
    assert (found.kind, found.rule, found.count) == (Kind.DENIED, "nodev", 3)
    assert (found.client.asset, found.server.asset) == ("dev", "db")


def test_a_rule_that_the_files_no_longer_have_keeps_its_number() -> None:
    told = DenialTold(Effect.WATCH, "deadbeef", Direction.OUT, 17, point_of(STRANGER), 53, 1)
    found = judge().denial("db", told, 1, NOW)
    assert found is not None
    assert (found.kind, found.rule) == (Kind.WOULD_DENY, "rule deadbeef")
    assert found.server.labels is None


def test_a_host_denies_nothing_of_a_family_that_it_does_not_have() -> None:
    with pytest.raises(InputError):
        judge().denial("db", DenialTold(Effect.DENY, "nodev000", Direction.IN, 6, point_of("fd00::1"), 1, 1), 1, NOW)


def test_what_a_quarantine_cuts_is_no_violation_and_what_passes_it_is_a_loud_one() -> None:
    isolated = EmergencyEnd(("web",), (Member("web", addresses_of([WEB])),))
    order = Order("q-0000000a", Emergency.QUARANTINE, "ann", "it scans", 1, isolated)
    judge = Judge(with_emergencies(compiled(), [order]), {})
    cut, passed = (judge.flow("db", flow(WEB, DB, answered=answered), NOW) for answered in (False, True))
    assert cut is not None
    assert passed is not None
    assert (cut.kind, cut.rule) == (Kind.CUT, order.title)
    assert (passed.kind, passed.rule) == (Kind.NOT_ENFORCED, order.title)
    assert event_data(cut)["violation"] is None
    assert event_data(passed)["violation"] is not None
    other = judge.flow("db", flow(DEV, DB, answered=False), NOW)
    assert other is not None
    assert other.kind is Kind.DENIED

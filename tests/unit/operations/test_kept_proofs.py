"""What verify found is kept with the time since it is so."""

from __future__ import annotations

from pathlib import Path

from ringfence.estate import Estate
from ringfence.operations.kept_proofs import FILE, forget_proofs, keep_proofs, kept_proofs
from ringfence.rollout import HostResult

PLAN = "5f3a" + "0" * 60
OPEN = {"drift": ["inbound from any, tcp/5432, now: allow, expected deny"], "differences": [{"change": "open"}]}


def drifted(name: str, reason: str = "") -> HostResult:
    return HostResult(name, "drifted", ok=False, reason=reason, result=OPEN)


def test_a_state_that_stays_keeps_the_time_since_it_is_so(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    keep_proofs(estate, PLAN, {"db-3": drifted("db-3")}, "2026-11-24T09:14:00Z")
    keep_proofs(estate, PLAN, {"db-3": drifted("db-3")}, "2026-11-24T14:20:00Z")

    kept = kept_proofs(estate)["db-3"]

    assert (kept.since, kept.seen) == ("2026-11-24T09:14:00Z", "2026-11-24T14:20:00Z")
    assert kept.changes == ("open",)
    assert kept.sentences == tuple(OPEN["drift"])


def test_another_state_begins_now_and_hosts_that_were_not_asked_stay(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    keep_proofs(estate, PLAN, {"db-3": drifted("db-3"), "web-1": drifted("web-1")}, "2026-11-24T09:14:00Z")
    told = {"db-3": HostResult("db-3", "verified", ok=True), "web-1": HostResult("web-1", "not begun", ok=False)}
    keep_proofs(estate, PLAN, told, "2026-11-24T14:20:00Z")

    kept = kept_proofs(estate)

    assert (kept["db-3"].state, kept["db-3"].since, kept["db-3"].ok) == ("verified", "2026-11-24T14:20:00Z", True)
    assert kept["web-1"].seen == "2026-11-24T09:14:00Z"


def test_hosts_that_the_plan_has_no_more_or_that_hold_another_table_now_are_forgotten(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    told = {name: drifted(name) for name in ("db-3", "web-1", "old-1")}
    keep_proofs(estate, PLAN, told, "2026-11-24T09:14:00Z")
    keep_proofs(estate, PLAN, {"db-3": drifted("db-3")}, "2026-11-24T14:20:00Z", planned=("db-3", "web-1"))
    assert set(kept_proofs(estate)) == {"db-3", "web-1"}
    forget_proofs(estate, ["web-1", "api-1"])
    assert set(kept_proofs(estate)) == {"db-3"}


def test_an_unreachable_host_says_why(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    host = HostResult("web-7", "unreachable", ok=False, reason="no route\x1b[2J to host")
    keep_proofs(estate, PLAN, {"web-7": host}, "2026-11-24T14:20:00Z")
    assert kept_proofs(estate)["web-7"].sentences == ("no route\\x1b[2J to host",)


def test_a_damaged_file_keeps_nothing_and_is_replaced(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    (tmp_path / ".ringfence").mkdir()
    for text in ("[]", "{", '{"format": 1, "hosts": {"a": 7}}', '{"format": 2, "hosts": {}}'):
        (tmp_path / ".ringfence" / FILE).write_text(text)
        assert kept_proofs(estate) == {}
    keep_proofs(estate, PLAN, {"db-3": drifted("db-3")}, "2026-11-24T09:14:00Z")
    assert set(kept_proofs(estate)) == {"db-3"}

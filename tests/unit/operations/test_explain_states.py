"""What hosts hold, and what was read of them, beside what the files say of a connection."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.operations import explain_states
from ringfence.operations.explain import process_of
from ringfence.operations.explain_states import Asked, explain_draft, explain_held, last_read
from ringfence.operations.kept_proofs import KeptProof
from ringfence.plan import Held

from tests.unit.cli_shop import FILES, NOW, shop, write

ASKED = Asked("web-1", "api-1", "tcp/8443")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


def test_a_rule_that_hosts_hold_and_files_lack_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Estate(shop(tmp_path)).compiled().tables
    write(tmp_path, "policy/shop.yml", FILES["policy/shop.yml"].replace("8443", "9443").replace("web to api", "other"))
    monkeypatch.setattr(explain_states, "held_tables", lambda *_: held)
    found = explain_held(Estate(tmp_path), ASKED)
    assert found.verdict == "allow"
    assert [(side.rule, side.place) for side in found.sides] == [("web to api", None)] * 2


def test_before_any_rollout_hosts_hold_nothing_that_denies(tmp_path: Path) -> None:
    estate = Estate(shop(tmp_path))
    assert {side.verdict for side in explain_held(estate, ASKED).sides} == {"allow"}
    assert explain_draft(estate, ASKED) is None
    assert last_read(estate, ASKED) == ()


def test_what_a_host_holds_stands_with_what_verify_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Estate(shop(tmp_path))
    proof = KeptProof("verified", "5f3a", "2026-11-24", "2026-11-24", ok=True)
    monkeypatch.setattr(
        explain_states, "known_records", lambda _: {"api-1": Held(table="ab" * 32, seen="2026-11-24T00:00:00Z")}
    )
    monkeypatch.setattr(explain_states, "kept_proofs", lambda _: {"api-1": proof})
    (one,) = last_read(estate, ASKED)
    assert (one.host, one.table[:4], one.proof) == ("api-1", "abab", proof)


def test_a_process_is_a_unit_or_a_user() -> None:
    assert process_of("") is None
    assert str(process_of("shop-api.service")) == str(process_of(" shop-api.service "))
    user = process_of("user:backup")
    assert user is not None
    assert user.name("user") == "backup"

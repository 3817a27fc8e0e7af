"""The life of a violation: new, accepted by a person, fixed; kept whole in one file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ringfence.model.errors import InputError
from ringfence.watch import violations
from ringfence.watch.events import Kind
from ringfence.watch.violations import FILE, Status, ViolationStore, met_again, overdue, violation_of

from tests.unit.watch.watch_factory import NOW, event

WEEK = 7 * 86400


def test_what_is_seen_again_is_one_violation(tmp_path: Path) -> None:
    store = ViolationStore(tmp_path)
    fresh, _ = store.change([violation_of(event())], NOW, WEEK)
    again, _ = store.change([violation_of(event(second=60, count=4))], NOW, WEEK)
    (kept,) = store.load().values()
    assert ([one.id for one in fresh], again) == ([kept.id], [])
    assert (kept.count, kept.status, kept.source, kept.service) == (5, Status.NEW, "role=dev", "tcp/5432")
    assert kept.last_seen == NOW + timedelta(seconds=60)


def test_a_file_gives_back_what_was_kept(tmp_path: Path) -> None:
    kinds = (Kind.DENIED, Kind.WOULD_DENY, Kind.NOT_ENFORCED, Kind.NEW_PAIR, Kind.SCAN)
    seen = {one.id: one for one in (violation_of(event(kind, client="stranger")) for kind in kinds)}
    store = ViolationStore(tmp_path)
    store.change(seen.values(), NOW, WEEK)
    assert store.load() == seen
    assert len(seen) == len(kinds)


def test_what_was_not_seen_for_long_is_fixed_and_new_when_it_comes_back(tmp_path: Path) -> None:
    store = ViolationStore(tmp_path)
    first = violation_of(event())
    store.change([first], NOW, WEEK)
    store.change([], NOW + timedelta(days=8), WEEK)
    assert store.load()[first.id].status is Status.FIXED
    fresh, _ = store.change([replace(first, last_seen=NOW + timedelta(days=9))], NOW + timedelta(days=9), WEEK)
    assert [(one.status, one.because) for one in fresh] == [(Status.NEW, "seen again after it was fixed")]


def test_what_is_accepted_stays_so_however_often_it_is_seen() -> None:
    accepted = replace(violation_of(event()), status=Status.ACCEPTED, because="the old backup")
    seen = met_again(accepted, violation_of(event(second=5)))
    assert (seen.status, seen.because, seen.count) == (Status.ACCEPTED, "the old backup", 2)
    assert overdue(seen, NOW + timedelta(days=900), WEEK) == seen


def test_a_damaged_file_is_said_and_stays(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"format": 1, "violations": [{"id": 7}]}')
    with pytest.raises(InputError, match="damaged"):
        ViolationStore(tmp_path).change([violation_of(event())], NOW, WEEK)
    assert '"id": 7' in (tmp_path / FILE).read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "x"},
        {"count": float("inf")},
        {"last_seen": "9999-12-31T23:59:59Z"},
        {"example": {"port": {}}},
        {"example": []},
    ],
)
def test_what_a_file_has_wrong_is_damage_and_no_fault_of_ours(tmp_path: Path, change: dict[str, object]) -> None:
    row = violation_of(event()).data()
    inner = change.get("example")
    row |= {"example": {**row["example"], **inner}} if isinstance(inner, dict) else change  # type: ignore[dict-item] # data
    (tmp_path / FILE).write_text(json.dumps({"format": 1, "violations": [row]}))
    with pytest.raises(InputError, match="damaged"):
        ViolationStore(tmp_path).change([], NOW, WEEK)
    (tmp_path / FILE).write_text("[" * 100_000)
    with pytest.raises(InputError, match="damaged"):
        ViolationStore(tmp_path).load()


def test_a_host_that_lies_pushes_out_nothing_but_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(violations, "MOST", 12)
    store = ViolationStore(tmp_path)
    honest = violation_of(event())
    accepted = replace(violation_of(event(port=1)), status=Status.ACCEPTED)
    store.replace({one.id: one for one in (honest, accepted)})
    lies = [violation_of(replace(event(port=port, second=port), host="liar")) for port in range(100, 130)]
    store.change(lies, NOW, WEEK)
    kept = store.load()
    assert {honest.id, accepted.id} <= kept.keys()
    assert [one.service for one in kept.values() if one.example.host == "liar"] == [f"tcp/{n}" for n in range(120, 130)]

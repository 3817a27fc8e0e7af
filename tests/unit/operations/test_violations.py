"""Violations of a workspace: settled by what the policy says now, accepted by a person."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import InputError, InputErrors
from ringfence.model.rules import Mode, Settings
from ringfence.operations.violations import accept, violations
from ringfence.watch.events import Kind
from ringfence.watch.violations import Status, ViolationStore, violation_of
from ringfence.workspace import STATE

from tests.unit.watch.watch_factory import NOW, compiled, event


@pytest.fixture(autouse=True)
def at_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(NOW.timestamp()) + 60))


def estate(directory: Path, *kinds: Kind, mode: Mode = Mode.FULL) -> Estate:
    """Return an estate that has such violations, of dev with the database."""
    ViolationStore(directory / STATE).change([violation_of(event(kind)) for kind in kinds], NOW, 3600)
    made = SimpleNamespace(
        directory=directory, workspace=SimpleNamespace(settings=Settings()), in_force=lambda: compiled(mode)
    )
    return cast(Estate, made)


def test_what_the_policy_still_denies_stays(tmp_path: Path) -> None:
    found = violations(estate(tmp_path, Kind.DENIED, Kind.SCAN))
    assert found.new == 2


def test_what_would_be_denied_and_is_denied_now_is_fixed_and_stays_so(tmp_path: Path) -> None:
    (found,) = violations(estate(tmp_path, Kind.WOULD_DENY)).violations
    assert (found.status, found.because) == (Status.FIXED, "the policy denies it now: nodev")
    assert ViolationStore(tmp_path / STATE).load()[found.id] == found


def test_in_observe_it_is_still_to_be_decided(tmp_path: Path) -> None:
    assert violations(estate(tmp_path, Kind.WOULD_DENY, mode=Mode.OBSERVE)).new == 1


def test_a_person_accepts_by_the_beginning_of_an_id_and_says_why(tmp_path: Path) -> None:
    made = estate(tmp_path, Kind.DENIED)
    (key,) = ViolationStore(tmp_path / STATE).load()
    (done,) = accept(made, [key[:4]], "the old backup").violations
    assert (done.status, done.because) == (Status.ACCEPTED, "the old backup")
    assert violations(made).new == 0
    assert violations(made, [Status.ACCEPTED]).violations == (done,)


def test_an_unknown_id_and_no_reason_are_wrong_input(tmp_path: Path) -> None:
    made = estate(tmp_path, Kind.DENIED)
    with pytest.raises(InputErrors, match="no violation"):
        accept(made, ["zzz"], "because")
    with pytest.raises(InputError, match="reason"):
        accept(made, ["zzz"], " ")

"""What a workspace tells of emergencies: who approved and released them, which are chosen, which requests wait."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.estate.emergencies import update_order
from ringfence.model.emergencies import Kind
from ringfence.model.errors import InputErrors, RingfenceError
from ringfence.operations.allow_for import PermissionRequest, allow_for
from ringfence.operations.emergencies import Choice, State, emergencies
from ringfence.operations.execution import Execution
from ringfence.operations.info import info
from ringfence.operations.release import release
from ringfence.operations.request import approve, granted, request_called, request_permission
from ringfence.presenting.host_view import emergency_lines, host_data

from tests.unit.cli_shop import FILES, NOW, ringfence, shop
from tests.unit.emergency_hosts import HostsInMemory, isolate, permit
from tests.unit.operations.test_requests import SETTINGS, key

WANTED = PermissionRequest("2h", "web-2", "db-1", "postgresql", "broken index")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


@pytest.fixture
def hosts() -> HostsInMemory:
    return HostsInMemory()


def as_person(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("ringfence.operations.emergency_ends.person", lambda: name)


def listed(directory: Path, *options: str) -> dict[str, list[dict[str, object]]]:
    done = ringfence(directory, "emergencies", *options, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


def test_who_released_it_and_when_is_kept_and_told_while_a_host_still_holds_it(
    tmp_path: Path, hosts: HostsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = isolate(shop(tmp_path), hosts).order
    as_person(monkeypatch, "bob")
    hosts.silent = {"db-1"}
    release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    written = json.loads((tmp_path / f"emergencies/{order.id}.json").read_text())
    assert (written["released_by"], written["released_at"]) == ("bob", int(NOW))
    as_person(monkeypatch, "carol")
    hosts.silent = set()
    told = info(Estate(tmp_path), (), Execution(runner=hosts))
    (line,) = [one.text for one in emergency_lines(told)]
    assert line.startswith(f"db-1: quarantine {order.id} ")
    assert "released by bob 20" in line
    (entry,) = [one for host in host_data(told)["hosts"] for one in host["emergency"]]  # type: ignore[attr-defined]
    assert (entry["released_by"], entry["released_at"], entry["approved_by"]) == ("bob", int(NOW), [])
    # who finishes it did not release it
    release(Estate(tmp_path), order.id, Kind.QUARANTINE, Execution(runner=hosts))
    assert listed(tmp_path)["emergencies"] == []
    (kept,) = listed(tmp_path, "--all")["emergencies"]
    assert (kept["released_by"], kept["released_at"], kept["stands"]) == ("bob", int(NOW), False)
    assert "by bob" in ringfence(tmp_path, "emergencies", "--all").output


def test_of_two_who_release_at_once_the_first_is_kept(tmp_path: Path, hosts: HostsInMemory) -> None:
    from dataclasses import replace

    order = isolate(shop(tmp_path), hosts).order
    first = replace(order, released=5, released_by="bob")
    second = replace(order, released=6, released_by="carol")
    update_order(tmp_path, first, {})
    kept = update_order(tmp_path, second, {})
    assert (kept.released, kept.released_by) == (5, "bob")


def test_a_file_of_before_is_read_and_a_name_of_two_lines_is_refused(tmp_path: Path, hosts: HostsInMemory) -> None:
    order = isolate(shop(tmp_path), hosts).order
    path = tmp_path / f"emergencies/{order.id}.json"
    written = json.loads(path.read_text())
    older = {name: one for name, one in written.items() if name not in ("released_at", "released_by", "approved_by")}
    path.write_text(json.dumps(older | {"released": 7}))
    (read,) = Estate(tmp_path).emergencies()
    assert (read.released, read.released_by, read.approved_by) == (7, "", ())
    wrongs: list[dict[str, object]] = [{"released_by": "a\nb"}, {"approved_by": ["\x1b[31m"]}, {"approved_by": "a"}]
    for wrong in [*wrongs, {"released_by": "x" * 201}, {"approved_by": ["x"] * 101}]:
        path.write_text(json.dumps(written | wrong))
        with pytest.raises(InputErrors, match="this is not an emergency"):
            Estate(tmp_path).standing()


def test_a_list_is_of_whom_or_what_is_asked_for(tmp_path: Path, hosts: HostsInMemory) -> None:
    one = isolate(shop(tmp_path), hosts).order
    two = isolate(tmp_path, hosts, "10.7.0.0/24").order
    three = permit(tmp_path, hosts, "2h", "web-2", "db-1", "ssh").order
    release(Estate(tmp_path), two.id, Kind.QUARANTINE, Execution(runner=hosts))

    def ids(**words: object) -> set[str]:
        return {each.id for each in emergencies(Estate(tmp_path), Choice(**words)).orders}  # type: ignore[arg-type]

    assert ids() == {one.id, three.id}
    assert ids(every=True) == {one.id, two.id, three.id}
    assert ids(kind=Kind.PERMISSION) == ids(kind=Kind.PERMISSION, what=("role=db",)) == {three.id}
    assert ids(state=State.ENDED) == ids(what=("10.7.0.9",), every=True) == {two.id}
    assert ids(state=State.STANDING, what=("web-1",)) == {one.id}
    assert ids(state=State.WAITING) == set()
    assert ids(since="1h") == {one.id, three.id}
    assert ids(since="2030-01-01") == set()
    # an asset that is gone is found by the name that emergencies keep
    inventory = tmp_path / "inventory/hosts.yml"
    inventory.write_text(inventory.read_text().replace("web-1", "web-9"))
    assert ids(what=("web-1",)) == {one.id}
    for wrong in ({"what": ("web-77",)}, {"since": "soon"}):
        with pytest.raises(RingfenceError):
            ids(**wrong)
    assert "nothing of this" in ringfence(tmp_path, "emergencies", "--since", "2030-01-01").output


def test_requests_that_wait_are_listed_with_who_may_approve_them(
    tmp_path: Path, hosts: HostsInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(tmp_path, {"ringfence.yml": FILES["ringfence.yml"] + SETTINGS % "false"})
    asked = request_permission(Estate(tmp_path), WANTED).request
    (one,) = listed(tmp_path)["requests"]
    assert (one["id"], one["approved_by"], one["why"]) == (asked.id, [], "broken index")
    assert one["may_approve"] == [{"by": ["alice"], "second_factor": False}]
    assert "waits for alice" in ringfence(tmp_path, "emergencies", "--state", "waiting").output
    assert listed(tmp_path, "--kind", "quarantine")["requests"] == listed(tmp_path, "web-1")["requests"] == []
    assert listed(tmp_path, "role=db", "--kind", "permission")["requests"] == [one]

    approve(Estate(tmp_path), request_called(Estate(tmp_path), asked.id), key(tmp_path, "alice"))
    assert [each["approved_by"] for each in listed(tmp_path)["requests"]] == [["alice"]]
    permission = granted(Estate(tmp_path), asked.id)
    allow_for(Estate(tmp_path), permission, Execution(runner=hosts))
    found = listed(tmp_path)
    assert found["requests"] == []
    assert [each["approved_by"] for each in found["emergencies"]] == [["alice"]]
    assert "approved by alice" in ringfence(tmp_path, "emergencies").output
    told = info(Estate(tmp_path), (), Execution(runner=hosts))
    assert any("approved by alice" in line.text for line in emergency_lines(told))

    # what cannot be given is said, and keeps nothing else from being listed
    late = request_permission(Estate(tmp_path), WANTED).request
    (tmp_path / "emergencies/requests/p-00000000.json").write_text("{}")
    done = ringfence(tmp_path, "emergencies")
    assert late.id in done.output
    assert "the request p-00000000 cannot be given: this is not a request" in done.output
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(late.until))
    assert emergencies(Estate(tmp_path)).waiting == ()

"""Runs of playbooks become events and one result a host."""

from __future__ import annotations

from ringfence.rollout.events import EventKind, EventReader
from ringfence.rollout.results import PlaybookResult, collect

GOOD = {"changed": True, "state": "confirmed"}
BAD = {"state": "refused", "msg": "no"}
RAW = [
    {"event": "playbook_on_play_start", "event_data": {"play": "Roll a plan out"}},
    {"event": "playbook_on_task_start", "event_data": {"task": "Apply"}},
    {"event": "runner_on_start", "event_data": {"task": "Apply", "host": "a"}},
    {"event": "runner_on_ok", "event_data": {"task": "Apply", "host": "a", "res": GOOD}},
    {"event": "runner_on_failed", "event_data": {"task": "Apply", "host": "b", "res": BAD}},
    {"event": "runner_on_unreachable", "event_data": {"task": "Apply", "host": "c", "res": {"msg": "gone"}}},
    {"event": "runner_on_start", "event_data": {"task": "Apply", "host": "e"}},
    {"event": "playbook_on_stats", "event_data": {}},
]  # fmt: skip


def test_every_host_ends_in_the_state_that_its_last_step_told() -> None:
    reader = EventReader()
    events = [event for event in map(reader.read, RAW) if event]
    assert [event.kind for event in events][:3] == [EventKind.PLAY, EventKind.STEP, EventKind.STARTED]
    hosts = collect(events, expected=("a", "b", "c", "d", "e"))
    assert {name: (host.state, host.ok, host.changed, host.reason) for name, host in hosts.items()} == {
        "a": ("confirmed", True, True, ""),
        "b": ("refused", False, False, "no"),
        "c": ("unreachable", False, False, "gone"),
        "d": ("not begun", False, False, ""),
        "e": ("interrupted", False, False, ""),
    }
    assert not PlaybookResult(hosts, "failed").ok
    assert PlaybookResult({"a": hosts["a"]}, "successful").ok

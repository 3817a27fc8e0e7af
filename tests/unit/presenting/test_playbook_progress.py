"""What a playbook's events are worth to somebody who waits for them."""

from __future__ import annotations

from ringfence.presenting.playbook_progress import PlaybookProgress
from ringfence.rollout.events import Event, EventKind


def test_what_several_hosts_warn_of_alike_is_told_once_and_then_for_the_others() -> None:
    hosts = ["web-1", "web-2", "web-3"]
    progress = PlaybookProgress([hosts], rollout=False)
    told = []
    for host in hosts:
        said = ["no systemd", f"{host}: its own"]
        lines, _ = progress.take(Event(EventKind.DONE, 1, host=host, result={"warnings": said}))
        told += [line.text for line in lines]

    assert told == [
        "web-1: no systemd",
        "web-1: its own",
        "web-2: its own",
        "web-3: its own",
        "web-2, web-3: no systemd",
        "hosts 3/3 ✓",
    ]

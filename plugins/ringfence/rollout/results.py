"""What a playbook left behind, host by host, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ringfence.rollout.events import Event, EventKind

NOT_BEGUN = "not begun"
# A host whose step began and has no end, and the run that this happened to.
INTERRUPTED = "interrupted"
# How a host's last step ended, where the step itself does not say it in `state`.
_STATES = {
    EventKind.DONE: "done",
    EventKind.SKIPPED: "skipped",
    EventKind.FAILED: "failed",
    EventKind.UNREACHABLE: "unreachable",
}


@dataclass(frozen=True, slots=True)
class HostResult:
    """What became of one host.

    `state` is the word of the collection's results (`confirmed`, `refused`, `rolled back`, `unreachable`, …), how its
    last step ended, or `interrupted` if it did not end; `reason` says why it failed; `result` is all of the step's
    result.
    """

    host: str
    state: str
    ok: bool
    changed: bool = False
    reason: str = ""
    result: Mapping[str, object] = field(default_factory=dict)

    def data(self) -> dict[str, object]:
        """Return plain data for JSON, without the whole result."""
        return {"host": self.host, "state": self.state, "ok": self.ok, "changed": self.changed, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class PlaybookResult:
    """All hosts of a run.

    `status` is ansible-runner's word or `interrupted`, `complaint` what Ansible said where no host ran.
    """

    hosts: Mapping[str, HostResult]
    status: str
    complaint: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the run and every host in it succeeded."""
        return self.status == "successful" and all(host.ok for host in self.hosts.values())

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {
            "ok": self.ok,
            "status": self.status,
            "complaint": self.complaint,
            "hosts": [host.data() for _, host in sorted(self.hosts.items())],
        }


def collect(events: Iterable[Event], expected: Iterable[str] = (), cut_short: str = "") -> dict[str, HostResult]:
    """Return what became of every host.

    `expected` ones that no step reached are `not begun`; one whose step began and has no end is `interrupted` for the
    reason `cut_short`.
    """
    hosts = {host: HostResult(host, NOT_BEGUN, ok=False) for host in expected}
    for event in events:
        before = hosts.get(event.host)
        if event.kind is EventKind.STARTED:
            changed = bool(before and before.changed)
            hosts[event.host] = HostResult(event.host, INTERRUPTED, ok=False, changed=changed, reason=cut_short)
        if not event.ends:
            continue
        failed = event.kind in (EventKind.FAILED, EventKind.UNREACHABLE) and not event.ignored
        state = event.result.get("state")
        hosts[event.host] = HostResult(
            host=event.host,
            state=state if isinstance(state, str) else _STATES[event.kind],
            ok=not failed,
            changed=bool(event.result.get("changed")) or bool(before and before.changed),
            reason=str(event.result.get("msg") or "") if failed else "",
            result=event.result,
        )
    return hosts

"""Hosts that hold emergencies as the collection's playbooks have them do, in memory, for tests without Ansible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ringfence.estate import Estate
from ringfence.model.emergencies import ID
from ringfence.operations.allow_for import PermissionRequest, allow_for, permission_of
from ringfence.operations.emergency_hosts import Carried
from ringfence.operations.execution import Execution
from ringfence.operations.explain import explain
from ringfence.operations.quarantine import QuarantineRequest, quarantine, quarantine_of
from ringfence.rollout import Event, HostResult, PlaybookResult
from ringfence.rollout.cancellation import Cancellation
from ringfence.wire import emergency_lines
from ringfence.wire.emergency_lines import Emergency

GUARDRAIL = """\
tier: guardrail
rules:
  - name: nobody reaches the database by ssh
    from: any
    to: {role: db}
    deny: ssh
"""


class HostsInMemory:
    """What each host's kernel holds, by id; those in `silent` are not reached."""

    def __init__(self) -> None:
        self.kernels: dict[str, dict[str, Emergency]] = {}
        self.silent: set[str] = set()
        self.lying: set[str] = set()  # they say yes and do nothing
        self.unnamed: set[str] = set()  # Ansible's inventory does not have them
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def __call__(
        self,
        name: str,
        inventory: Sequence[Path | str],
        extravars: Mapping[str, object],
        on_event: Callable[[Event], None],
        *,
        directory: Path,
        limit: Sequence[str],
        expected: Sequence[str],
        check: bool,
        cancel: Cancellation,
    ) -> PlaybookResult:
        """Return what a playbook does on them."""
        self.asked.append((name, tuple(expected)))
        given = extravars.get("ringfence_emergency")
        if given is None:  # a playbook that only asks
            return PlaybookResult({host: self._told(host) for host in expected}, "successful")
        assert isinstance(given, dict)
        return PlaybookResult({host: self._one(name, host, str(given[host])) for host in expected}, "successful")

    def _told(self, host: str) -> HostResult:
        kernel = self.kernels.get(host, {})
        told = [{"id": one, "kind": "quarantine", "held": True} for one in kernel]
        return HostResult(host, "confirmed", ok=host not in self.silent, result={"emergency": told})

    def _one(self, name: str, host: str, given: str) -> HostResult:
        if host in self.unnamed:
            return HostResult(host, "not begun", ok=False)
        if host in self.silent:
            return HostResult(host, "unreachable", ok=False, reason="no route to host")
        kernel = self.kernels.setdefault(host, {})
        if host in self.lying:
            pass
        elif name == "quarantine":
            kernel.update({one.id: one for one in emergency_lines.parse(given)})
        else:
            kernel.pop(given, None)
        return HostResult(host, "held", ok=True, result={"emergencies": emergency_lines.format(kernel.values())})


def isolate(
    directory: Path, hosts: HostsInMemory, what: str = "web-1", keep: tuple[str, ...] = (), within: str = ""
) -> Carried:
    """Isolate assets, or tell the hosts of a quarantine that stands again."""
    estate, execution = Estate(directory), Execution(runner=hosts)
    why = "" if ID.fullmatch(what) else "scans"
    return quarantine(estate, quarantine_of(estate, QuarantineRequest((what,), keep, why, within)), execution)


def permit(directory: Path, hosts: HostsInMemory, *words: str) -> Carried:
    """Let somebody through: a span, from, to, and a service."""
    estate = Estate(directory)
    permission = permission_of(estate, PermissionRequest(*words, "broken index"))
    return allow_for(estate, permission, Execution(runner=hosts))


def verdict(directory: Path, *asked: str) -> tuple[str, str, str]:
    """Return the verdict of a connection and what decides it on each side."""
    found = explain(Estate(directory), *asked)
    return (found.verdict, *(side.rule for side in found.sides))  # type: ignore[return-value]  # two sides

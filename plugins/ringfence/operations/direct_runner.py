"""Emergencies over bare ssh: the same script and the same answers as through Ansible, without Ansible's own time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ringfence.model.errors import InputError, OutsideError, RingfenceError
from ringfence.operations.direct_ssh import ssh_command
from ringfence.operations.drive import UNNAMED
from ringfence.rollout import Event, HostResult, Interrupted, PlaybookResult
from ringfence.rollout.cancellation import Cancellation
from ringfence.rollout.events import EventKind
from ringfence.sources.ansible_settings import ansible_settings

if TYPE_CHECKING:
    from ringfence.model.assets import Asset, Control

# A program of the collection, in a process of its own: the engine does not import it.
PROGRAM = "ansible_collections.ringfence.core.plugins.plugin_utils.targets.direct"
AT_ONCE = 50


class DirectRunner:
    """Runs `quarantine` and `release` on hosts as their inventory says; a runner of `Execution`."""

    def __init__(self, assets: Mapping[str, Asset], control: Control | None) -> None:
        """Take the assets by name, and the control path of those that have none of their own."""
        self._assets = assets
        self._control = control

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
        """Return what became of every host. Raise Interrupted where it was cancelled, OutsideError without the program.

        A host that ssh alone cannot reach, by what its variables say, is refused with the variable's name.
        """
        given, enforcers = extravars["ringfence_emergency"], extravars["ringfence_enforcers"]
        assert isinstance(given, Mapping)
        assert isinstance(enforcers, Mapping)
        settings = ansible_settings(directory)
        results: dict[str, HostResult] = {}
        jobs: dict[str, dict[str, object]] = {}
        for host in expected:
            asset = self._assets.get(host)
            try:
                if asset is None:
                    raise InputError(UNNAMED)
                command = ssh_command(host, asset.attributes, settings)
            except RingfenceError as error:
                results[host] = HostResult(host, "refused", ok=False, reason=error.message)
                continue
            enforcer = enforcers.get(host) or asset.enforcer
            control = asset.control or self._control
            path = {"from": list(control.networks), "port": control.port} if control else None
            jobs[host] = {"command": command, "enforcer": enforcer, "given": given[host], "control": path}
            jobs[host]["approval"] = extravars.get("ringfence_approval")
        first = [host for host in jobs if _isolates(str(given[host]))]
        order = {"verb": name, "at_once": AT_ONCE, "first": first, "hosts": jobs, "run": extravars.get("ringfence_run")}
        for result in _asked(order, directory, cancel):
            results[result.host] = result
            kind = EventKind.DONE if result.ok else EventKind.FAILED
            on_event(Event(kind, 1, name, result.host, {**result.result, "state": result.state}))
        for host in jobs:
            results.setdefault(host, HostResult(host, "unknown", ok=False, reason="nothing is known of it"))
        whole = PlaybookResult(results, "interrupted" if cancel.wanted else "successful")
        if cancel.wanted:
            raise Interrupted(whole)
        return whole


def _isolates(given: str) -> bool:
    """Return whether lines isolate the host itself, which then goes before those that are told to refuse it."""
    return any(line.startswith("element isolated ") for line in given.splitlines())


def _asked(order: Mapping[str, object], directory: Path, cancel: Cancellation) -> Iterator[HostResult]:
    """Yield what became of each host as it is told."""
    command = [sys.executable, "-m", PROGRAM]
    with subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        cancel.on_cancel(process.terminate)
        try:
            threading.Thread(target=_give, args=(process.stdin, json.dumps(order)), daemon=True).start()
            for line in process.stdout:
                told = json.loads(line)
                yield HostResult(
                    str(told["host"]),
                    str(told["state"]),
                    ok=bool(told["ok"]),
                    changed=bool(told.get("changed")),
                    reason=str(told.get("reason") or ""),
                    result=told.get("result") or {},
                )
        finally:
            cancel.forget(process.terminate)
        if process.wait() and not cancel.wanted:
            raise OutsideError(f"{PROGRAM} ended with status {process.returncode}", remedy="go on without --direct")


def _give(stream: IO[str], text: str) -> None:
    try:
        with stream:
            stream.write(text)
    except BrokenPipeError:
        return  # it has ended, which its status tells

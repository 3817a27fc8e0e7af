"""Runs one of the collection's playbooks with ansible-runner: the same playbooks that people run by hand."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ansible_runner

from ringfence.model.errors import InputError, OutsideError
from ringfence.rollout.cancellation import Cancellation
from ringfence.rollout.events import Event, EventKind, EventReader
from ringfence.rollout.interruption import Interrupted, Interruption
from ringfence.rollout.private import private_directory
from ringfence.rollout.results import INTERRUPTED, PlaybookResult, collect
from ringfence.sources.ansible_settings import without_fact_cache

PLAYBOOKS = (
    "confirm",
    "discover",
    "doctor",
    "info",
    "plan",
    "quarantine",
    "refresh",
    "release",
    "remove",
    "rollback",
    "rollout",
    "verify",
    "watch",
)
COLLECTION = "ringfence.core"
FORKS = 50
# ansible-runner empties a longer result without a word. What actions return is bounded below this.
LONGEST_RESULT = 32_000_000
# What is kept of what Ansible says beside its results: the last lines, and the beginning of each.
LINES = 10
LONGEST_LINE = 2000
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run_playbook(
    name: str,
    inventory: Sequence[Path | str],
    extravars: Mapping[str, object] | None = None,
    on_event: Callable[[Event], None] = lambda _event: None,
    *,
    directory: Path | None = None,
    limit: Sequence[str] = (),
    expected: Sequence[str] = (),
    check: bool = False,
    forks: int = FORKS,
    cancel: Cancellation | None = None,
) -> PlaybookResult:
    """Run a playbook of `ringfence.core` over the hosts of `inventory` and return what became of each.

    `directory` is where Ansible runs (a workspace with its own `ansible.cfg`); `expected` names hosts that must be in
    the result even if no step reached them. A host that fails is not an error: it is in the result. Raise InputError
    for a playbook that the collection does not have, OutsideError where Ansible is missing, Interrupted when SIGINT,
    SIGTERM or a cancellation came, after Ansible and its connections have ended.
    """
    if name not in PLAYBOOKS:
        raise InputError(f"the collection has no playbook '{name}'", remedy=f"one of {', '.join(PLAYBOOKS)}")
    if shutil.which("ansible-playbook", path=_path()) is None:
        raise OutsideError("there is no ansible-playbook on this machine", remedy="pip install ansible-core")
    reader = EventReader()
    events: list[Event] = []
    said: deque[str] = deque(maxlen=LINES)
    interruption = Interruption(cancel or Cancellation())

    def handle(raw: Mapping[str, object]) -> bool:
        interruption.read(raw)
        if raw.get("event") in ("verbose", "error", "warning") and raw.get("stdout"):
            said.append(_COLOURS.sub("", str(raw["stdout"])[:LONGEST_LINE]).strip())
        event = reader.read(raw)
        if event is not None:
            events.append(event)
            on_event(event)
        return False  # ansible-runner need not keep it on disk

    with private_directory() as private, interruption.watched():
        options = {"limit": ":".join(limit)} if limit else {}
        run = ansible_runner.run(
            private_data_dir=str(private),
            project_dir=str((directory or Path.cwd()).absolute()),
            playbook=f"{COLLECTION}.{name}",
            inventory=[str(Path(one).absolute()) for one in inventory],
            extravars=dict(extravars or {}),
            event_handler=handle,
            status_handler=_forget_environment,
            cancel_callback=interruption.overdue,
            settings={"pexpect_timeout": 1},  # seconds between two looks at what was interrupted
            quiet=True,
            forks=forks,
            cmdline="--check --diff" if check else None,
            envvars={
                "PATH": _path(),
                "MAX_EVENT_RES": str(LONGEST_RESULT),
                # What a host told some day is no variable of a rollout, and a damaged file of it stops none.
                **without_fact_cache((directory or Path.cwd()).absolute()),
            },
            rotate_artifacts=0,
            fact_cache_type="",  # the runner keeps none either
            **options,
        )
    last = f": {said[-1]}" if said else ""
    ended = f"Ansible ended (status {run.rc}) while this host's step ran{last}; what became of it is not known"
    hosts = collect(events, expected, cut_short="" if interruption.came else ended)
    if interruption.came:
        raise Interrupted(PlaybookResult(hosts, INTERRUPTED))
    began = any(event.ends or event.kind is EventKind.STARTED for event in events)
    return PlaybookResult(hosts, run.status, "" if hosts and began else "\n".join(said))


def _forget_environment(status: Mapping[str, object], runner_config: object) -> None:
    """Take the environment out of the record that ansible-runner has just written, before it starts Ansible."""
    record = Path(str(getattr(runner_config, "artifact_dir", ""))) / "command"
    if status.get("status") == "running" and record.is_file():
        record.write_text("{}\n")


def _path() -> str:
    """Return PATH with the directory of this Python first: the Ansible installed beside the engine is the one meant."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))

"""Driving the collection's playbooks over a workspace's inventory, and what their end means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.language.reports import did_you_mean, nearest
from ringfence.model.errors import InputError, InputErrors, OutsideError, RingfenceError
from ringfence.rollout.results import NOT_BEGUN
from ringfence.workspace import INVENTORY

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.operations.execution import Execution
    from ringfence.rollout import PlaybookResult

UNNAMED = "the inventory does not name it"
# States of a host in which the answer is no; any other failure is one of the outside.
REFUSALS = frozenset({"refused", "drifted", NOT_BEGUN})
# The state of a host whose step began and has no end.
INTERRUPTED = "interrupted"


def drive(
    estate: Estate,
    playbook: str,
    extravars: Mapping[str, object],
    expected: Sequence[str],
    execution: Execution,
    *,
    waves: Sequence[Sequence[str]] = (),
    limit: Sequence[str] = (),
    check: bool = False,
) -> PlaybookResult:
    """Run a playbook over the workspace's inventory and return what became of every host.

    Raise InputErrors for hosts of `limit` that are not expected, OutsideError where Ansible could not run, Interrupted
    where it was cancelled or a signal came.
    """
    refuse_unknown(limit, expected)
    inventory = estate.directory / INVENTORY
    if not inventory.exists():
        raise InputError(f"no inventory: there is no {inventory}", remedy="put an Ansible inventory there")
    listener = execution.listener
    listener.playbook_started(playbook, waves or (list(expected),), rollout=bool(waves))
    result = None
    try:
        result = execution.run_playbook()(
            playbook,
            [inventory],
            {key: value for key, value in extravars.items() if value is not None},
            listener.event,
            directory=estate.directory,
            limit=limit,
            expected=[name for name in expected if not limit or name in limit],
            check=check,
            cancel=execution.cancel,
        )
    finally:
        listener.playbook_ended(result)
    if result.complaint:
        raise OutsideError(f"Ansible could not run: {result.complaint}", remedy="the last lines are Ansible's own")
    return _with_unnamed(estate, result)


def _with_unnamed(estate: Estate, result: PlaybookResult) -> PlaybookResult:
    """Return a result that says of hosts which were not begun where the inventory does not name them."""
    left = [one for one in result.hosts.values() if one.state == NOT_BEGUN and not one.reason]
    if not left:
        return result
    try:
        named = estate.snapshot.called()
    except RingfenceError:
        return result
    unnamed = {one.host: replace(one, reason=UNNAMED) for one in left if one.host not in named}
    return replace(result, hosts={**result.hosts, **unnamed}) if unnamed else result


def refuse_unknown(hosts: Iterable[str], known: Collection[str], where: str = "this plan") -> None:
    """Raise InputErrors for the hosts that a plan says nothing of, each with the nearest that it does."""
    unknown = sorted(set(hosts).difference(known))
    if unknown:
        raise InputErrors(
            [
                InputError(f"{where} has no entry for {host}", remedy=did_you_mean(host, near) if near else None)
                for host in unknown
                for near in [nearest(host, known)]
            ]
        )


def exit_status(result: PlaybookResult) -> int:
    """Return 0 where every host is well, 1 where hosts refuse or differ, 3 where something outside failed."""
    failed = [host for host in result.hosts.values() if not host.ok]
    if not failed:
        return 0 if result.status == "successful" else 3
    told = [host for host in failed if host.state != NOT_BEGUN]
    return 1 if told and all(host.state in REFUSALS for host in told) else 3

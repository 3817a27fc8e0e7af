"""Work on hosts without a plan: asking for their state, having names looked up, removing what Ringfence put there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.enforcers import held_by_host, names
from ringfence.estate.queries import QueryReader
from ringfence.model.errors import InputError
from ringfence.operations.drive import drive, exit_status
from ringfence.operations.execution import Execution
from ringfence.plan.host_names import askable
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringfence.estate import Estate
    from ringfence.rollout import PlaybookResult


@dataclass(frozen=True, slots=True)
class HostsResult:
    """What became of hosts that a playbook was run on."""

    result: PlaybookResult

    @property
    def well(self) -> int:
        """Return how many hosts succeeded."""
        return sum(host.ok for host in self.result.hosts.values())

    @property
    def exit_status(self) -> int:
        """Return the status of the command."""
        return exit_status(self.result)


def chosen_workloads(estate: Estate, words: Sequence[str] = ()) -> list[str]:
    """Return the names of the workloads that words mean, all without words, as far as Ansible can be asked for them.

    Names of assets mean all of them together; other words narrow each other. Hosts that no installed enforcer is for
    have nothing to be asked. Raise InputError where none is left.
    """
    called = estate.snapshot.called()
    if words and all(word in called for word in words):
        for word in words:
            if len(called[word]) > 1:
                from ringfence.compiler.names import shared

                raise shared(word, called[word])
        chosen = tuple({called[word][0].name: called[word][0] for word in words}.values())
    else:
        chosen = QueryReader(estate.workspace.definitions, estate.snapshot).assets(words)
    workloads = [asset for asset in chosen if asset.workload and askable(asset.name)]
    workloads = [asset for asset in workloads if not held_by_host(asset.enforcer)]
    installed = names()
    hosts = sorted(asset.name for asset in workloads if asset.enforcer in installed)
    if workloads and not hosts:
        raise InputError(
            f"no installed enforcer is for {first_few(sorted(asset.name for asset in workloads))}: "
            f"{', '.join(sorted({asset.enforcer for asset in workloads}))}",
            remedy=f"installed are: {', '.join(installed)}; 'ringfence_enforcer' of a host says which one it has",
        )
    if not hosts:
        raise InputError("no workload is chosen", remedy="ringfence assets shows what there is")
    return hosts


def run_on_hosts(
    estate: Estate,
    playbook: str,
    hosts: Sequence[str],
    execution: Execution,
    variables: Mapping[str, object] | None = None,
) -> HostsResult:
    """Run a playbook that needs no plan on hosts."""
    given = {"ringfence_hosts": ":".join(hosts), "ringfence_enforcers": decided_enforcers(estate), **(variables or {})}
    return HostsResult(drive(estate, playbook, given, hosts, execution))


def decided_enforcers(estate: Estate) -> dict[str, str]:
    """Return the enforcers of the hosts whose facts decided it, because no variable tells Ansible of these."""
    assets, decided = estate.enforcers
    named = assets.named()
    return {name: named[name].enforcer for name in decided}

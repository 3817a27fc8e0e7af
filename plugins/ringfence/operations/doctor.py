"""Whether this machine, the workspace and the hosts have what Ringfence needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.doctor import Check, Status, controller_checks, host_checks, workspace_checks
from ringfence.doctor.check import fail
from ringfence.doctor.hosts import unreached
from ringfence.enforcers import Enforcer, enforcer, names
from ringfence.model.abilities import LINUX, Where
from ringfence.model.assets import USUAL_ENFORCER
from ringfence.model.errors import InputError, InputErrors, OutsideError, RingfenceError
from ringfence.operations.execution import Execution
from ringfence.plan.enforcer_choice import VARIABLE

__all__ = ["Check", "DoctorRequest", "Examined", "examine"]

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.assets import Asset, Control
    from ringfence.rollout import HostResult


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """Which hosts are asked, none without `hosts`; each has so many seconds to answer."""

    limit: tuple[str, ...] = ()
    hosts: bool = True
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class Examined:
    """All checks, and how many hosts did not answer."""

    checks: Sequence[Check]
    silent: int

    @property
    def failed(self) -> int:
        """Return how many checks fail."""
        return sum(check.status is Status.FAIL for check in self.checks)

    @property
    def warned(self) -> int:
        """Return how many checks warn."""
        return sum(check.status is Status.WARN for check in self.checks)


def examine(
    estate: Estate | InputError,
    request: DoctorRequest,
    tell: Callable[[Check], None] = lambda _check: None,
    execution: Execution | None = None,
) -> Examined:
    """Return all checks, each also told when it is made; an error in place of an estate says why there is none."""
    checks: list[Check] = []

    def keep(check: Check) -> None:
        checks.append(check)
        tell(check)

    for check in controller_checks(None if isinstance(estate, InputError) else estate.directory):
        keep(check)
    if isinstance(estate, InputError):
        keep(fail("workspace", estate.message, "ringfence init, or --workspace DIR"))
        return Examined(checks, 0)
    errors, assets = _workspace(estate)
    control = estate.workspace.settings.control if not _broken(estate) else None
    for check in workspace_checks(estate.directory, errors, control, assets):
        keep(check)
    silent = 0
    if request.hosts and (assets or request.limit):
        found, silent = _hosts(estate, assets, request, control, execution or Execution())
        for check in found:
            keep(check)
    return Examined(checks, silent)


def _workspace(estate: Estate) -> tuple[list[RingfenceError], list[Asset]]:
    """Return the errors of a workspace's files and sources, and its workloads."""
    try:
        survey = estate.survey()
        assets = [one for one in survey.snapshot.assets if one.workload and _looked_at(one.enforcer)]
        return list(survey.errors()), assets
    except InputErrors as error:
        return list(error.errors), []
    except RingfenceError as error:
        return [error], []


def _looked_at(name: str) -> bool:
    """Return whether the doctor knows hosts of an enforcer: it is installed, and works on the host, with Linux."""
    if name not in names():
        return False
    abilities = enforcer(name).abilities
    return abilities.platform == LINUX.platform and abilities.where is Where.HOST


def _enforcers(asset: Asset) -> list[Enforcer]:
    """Return the enforcer of a host, and those that can take its place where nobody wrote which one it has."""
    free = asset.enforcer == USUAL_ENFORCER and asset.attributes.get(VARIABLE) is None
    others = [name for name in names() if name != asset.enforcer and _looked_at(name)] if free else []
    return [enforcer(name) for name in (asset.enforcer, *others)]


def _broken(estate: Estate) -> bool:
    try:
        return estate.workspace is None
    except RingfenceError:
        return True


def _hosts(
    estate: Estate, assets: list[Asset], request: DoctorRequest, control: Control | None, execution: Execution
) -> tuple[list[Check], int]:
    """Return the checks of the hosts by name, and how many did not answer."""
    from ringfence.operations.drive import drive

    controls = {asset.name: asset.control or control for asset in assets}
    enforcers = {asset.name: _enforcers(asset) for asset in assets}
    names = sorted(request.limit or controls)
    if unknown := [name for name in names if name not in controls]:
        raise InputError(f"no workload is called '{unknown[0]}'", remedy="ringfence assets shows what there is")
    variables = {"ringfence_hosts": ":".join(names), "ringfence_doctor_seconds": request.seconds}
    try:
        results = drive(estate, "doctor", variables, names, execution, limit=request.limit).hosts
    except OutsideError as error:
        return [unreached(name, error.message) for name in names], len(names)
    checks: list[Check] = []
    silent = 0
    for name in names:
        result: HostResult | None = results.get(name)
        if result is None or not result.ok:
            silent += 1
            checks.append(unreached(name, result.reason if result else ""))
        else:
            checks.extend(host_checks(name, result.result, controls[name], enforcers[name]))
    return checks, silent

"""Whether those who may approve permissions can: their file is there, is not the one of plans, and names them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ringfence.model.emergency_settings import EmergencySettings
from ringfence.model.errors import OutsideError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.plan.signature import ssh_keygen

# A file of this name at the top of a workspace is that of plans: with it, only signed ones are applied.
OF_PLANS = "allowed_signers"
_LINE = "a line for each who may approve, as ssh-keygen(1) has it: alice@example.com ssh-ed25519 AAAA…"
_NOBODY = "No principal matched"


def signer_problems(directory: Path, settings: EmergencySettings) -> Iterator[Problem]:
    """Yield why a request could be approved by nobody, or by fewer than the settings say."""
    name = settings.allowed_signers
    if not name:
        return
    signers, place = directory / name, Place(name)
    if signers.resolve() == (directory / OF_PLANS).resolve():
        message = "a file of this name at the top of the workspace demands a signature of every plan"
        remedy = (
            "give those who approve permissions a file of another name: 'allowed_signers: approvers' in ringfence.yml"
        )
        yield Problem(Severity.WARNING, message, place, remedy)
    try:
        lines = [line.strip() for line in signers.read_text(errors="replace").splitlines()]
    except OSError as error:
        message = f"nobody can approve a permission: {error.strerror}; 'allowed_signers' in 'emergencies' names it"
        yield Problem(Severity.WARNING, message, place, f"write {_LINE}")
        return
    if not any(line and not line.startswith("#") for line in lines):
        yield Problem(Severity.WARNING, "nobody can approve a permission: it names nobody", place, f"write {_LINE}")
        return
    for approval in settings.approvals:
        if missing := [one for one in approval.by if not _named(signers, one)]:
            message = f"{', '.join(missing)} cannot approve this: {name} has no key of that name"
            yield Problem(Severity.WARNING, message, approval.place, f"write {_LINE}")


def _named(signers: Path, principal: str) -> bool:
    """Return whether ssh-keygen finds a principal; also where one too old to be asked (before 8.9) refuses."""
    try:
        ssh_keygen(["-Y", "match-principals", "-f", str(signers), "-I", principal], "not asked", b"")
    except OutsideError as error:
        return _NOBODY not in error.message
    return True

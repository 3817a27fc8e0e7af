"""What a workspace says of emergencies: whether they pass guardrails, and who approves permissions for what."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.model.errors import Place
from ringfence.model.selectors import Selector


@dataclass(frozen=True, slots=True)
class Approval:
    """Who may approve a permission to reach the assets that `where` chooses: principals of the allowed signers.

    With `second_factor` only a key in hardware counts that asked its owner for a PIN or a finger.
    """

    where: Selector
    by: tuple[str, ...]
    place: Place
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class EmergencySettings:
    """`pass_guardrails`: a permission for a while stands above guardrails too.

    Without `approvals` whoever works in the workspace gives permissions. `allowed_signers` is a file (ssh-keygen(1)),
    relative to the workspace.
    """

    pass_guardrails: bool = False
    allowed_signers: str = ""
    approvals: tuple[Approval, ...] = ()


EMERGENCY_DEFAULTS = EmergencySettings()

"""The plan: one content-addressed artefact with everything that hosts get; apply accepts nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.lazy_names import lazy_names

if TYPE_CHECKING:
    from ringfence.plan.artefact import Draft, HostPlan, Inputs, Plan
    from ringfence.plan.build import Circumstances, restore
    from ringfence.plan.host_records import Held, read_state, write_state
    from ringfence.plan.journals import known
    from ringfence.plan.signature import sign
    from ringfence.plan.store import find, next_sequence, read, verify_files, write

__all__ = [
    "Circumstances",
    "Draft",
    "Held",
    "HostPlan",
    "Inputs",
    "Plan",
    "find",
    "known",
    "next_sequence",
    "read",
    "read_state",
    "restore",
    "sign",
    "verify_files",
    "write",
    "write_state",
]

__getattr__ = lazy_names(
    __name__,
    {
        "artefact": (
            "Draft",
            "HostPlan",
            "Inputs",
            "Plan",
        ),
        "build": (
            "Circumstances",
            "restore",
        ),
        "host_records": (
            "Held",
            "read_state",
            "write_state",
        ),
        "journals": ("known",),
        "signature": ("sign",),
        "store": (
            "find",
            "next_sequence",
            "read",
            "verify_files",
            "write",
        ),
    },
)

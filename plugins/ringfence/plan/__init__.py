"""The plan: one content-addressed artefact that says what every host gets; made once, and apply takes nothing else."""

from ringfence.plan.artefact import Draft, HostPlan, Inputs, Plan
from ringfence.plan.build import Circumstances, build, restore
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
    "build",
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

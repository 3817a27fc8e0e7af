"""The doctor: whether this machine, the workspace and the hosts have what Ringfence needs, as checks with remedies."""

from ringfence.doctor.check import Check, Status
from ringfence.doctor.controller import controller_checks
from ringfence.doctor.hosts import host_checks
from ringfence.doctor.workspace import workspace_checks

__all__ = ["Check", "Status", "controller_checks", "host_checks", "workspace_checks"]

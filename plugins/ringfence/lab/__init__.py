"""Hosts to try Ringfence on: whole Debian machines or bare namespaces, behind one interface."""

from ringfence.lab.spec import HostSpec, HostStatus, Talk, UnitSpec

__all__ = ["HostSpec", "HostStatus", "Talk", "UnitSpec"]

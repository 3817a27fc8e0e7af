"""A policy as Kubernetes' NetworkPolicy and ClusterNetworkPolicy, for the pods of one cluster."""

from ringfence.exporting.networkpolicy.export import Exported, export
from ringfence.exporting.networkpolicy.refusals import Refusal

__all__ = ["Exported", "Refusal", "export"]

"""The policy as Kubernetes' NetworkPolicy and ClusterNetworkPolicy, as texts and as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.exporting.networkpolicy import Exported, Refusal, export
from ringfence.files import write_whole
from ringfence.model.errors import InputError

if TYPE_CHECKING:
    from ringfence.estate import Estate

__all__ = ["Exported", "Refusal", "export_networkpolicy", "label_keys", "write_exported"]


def export_networkpolicy(estate: Estate, cluster: str | None = None, keys: Mapping[str, str] | None = None) -> Exported:
    """Return the policy for the pods of a cluster, all of it or, by name, what stands in the way.

    `keys` are the Kubernetes labels behind labels that have another name. Raise InputError where there are no pods.
    """
    return export(estate.snapshot, estate.workspace.policy, estate.workspace.settings, cluster, keys)


def label_keys(written: Sequence[str]) -> dict[str, str]:
    """Return the pairs of `role=app.kubernetes.io/component`. Raise InputError for what is no pair."""
    found: dict[str, str] = {}
    for text in written:
        ours, equals, theirs = text.partition("=")
        if not (ours and equals and theirs):
            raise InputError(f"'{text}' is no pair of labels", remedy="write --label role=app.kubernetes.io/component")
        found[ours] = theirs
    return found


def write_exported(exported: Exported, directory: Path) -> list[Path]:
    """Write the files whole and return their paths; other files of the directory stay. Raise OSError."""
    paths = []
    for name, text in exported.files.items():
        write_whole(directory / name, text)
        paths.append(directory / name)
    return paths

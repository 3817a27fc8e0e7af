"""Where assets come from: any Ansible inventory, label rules over it, and the dated snapshot they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.lazy_names import lazy_names

if TYPE_CHECKING:
    from ringfence.sources.inventory import survey
    from ringfence.sources.labelling import apply_label_rules
    from ringfence.sources.surveys import Survey

__all__ = [
    "Survey",
    "apply_label_rules",
    "survey",
]

__getattr__ = lazy_names(
    __name__,
    {
        "inventory": ("survey",),
        "labelling": ("apply_label_rules",),
        "surveys": ("Survey",),
    },
)

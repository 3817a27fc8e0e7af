"""What people write, as the model's values: every error with its place, all errors of all files together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.lazy_names import lazy_names

if TYPE_CHECKING:
    from ringfence.language.label_rules import load_label_rules
    from ringfence.language.policies import LoadedPolicy, load_policy, read_policy
    from ringfence.language.references import check_references
    from ringfence.language.schema import json_schema
    from ringfence.language.settings import load_settings

__all__ = [
    "LoadedPolicy",
    "check_references",
    "json_schema",
    "load_label_rules",
    "load_policy",
    "load_settings",
    "read_policy",
]

__getattr__ = lazy_names(
    __name__,
    {
        "label_rules": ("load_label_rules",),
        "policies": (
            "LoadedPolicy",
            "load_policy",
            "read_policy",
        ),
        "references": ("check_references",),
        "schema": ("json_schema",),
        "settings": ("load_settings",),
    },
)

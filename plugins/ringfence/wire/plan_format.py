"""The files of a plan's directory and their format."""

from __future__ import annotations

# The key `format` of a plan, and of a verdict table.
PLAN_FORMAT = 2
TABLE_FORMAT = 1
# A plan is called by so many of the first digits of its digest, and its directory too.
SHORT = 12
DIGEST = "[0-9a-f]{64}"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

PLAN_FILE = "plan.json"
SIGNATURE_FILE = "plan.json.sig"
# The namespace of the signature (ssh-keygen(1), `-n`).
NAMESPACE = "ringfence-plan"
JOURNAL_FILE = "journal.jsonl"
RULESETS = "rulesets"
TABLES = "tables"
TABLE_SUFFIX = "json"

# The kinds by which a platform tells processes apart, in the order of tables; a direction of a table has a list of the
# names of every kind, under the kind's plural.
LINUX_KINDS = ("unit", "user")
WINDOWS_KINDS = ("program", "service")
PLATFORMS = {"linux": LINUX_KINDS, "windows": WINDOWS_KINDS}


def part_name(folder: str, digest: str, suffix: str) -> str:
    """Return the name of a ruleset or a table below a plan's directory."""
    return f"{folder}/{digest}.{suffix}"

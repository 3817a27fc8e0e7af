"""Host names that Ansible takes literally: any other would be a pattern that means other hosts, or none."""

from __future__ import annotations

import re
from ipaddress import ip_address

# What a pattern of Ansible takes for something else: separators, `!` and `&`, wildcards, subscripts, regular
# expressions, files (docs.ansible.com, "Patterns: targeting hosts and groups").
_PLAIN = re.compile(r"[^\W][^\s,:;!&*?\[\]~\x00-\x1f\x7f]*")


def askable(name: str) -> bool:
    """Return whether a pattern of Ansible that is this name means the host of this name and nothing else."""
    if _PLAIN.fullmatch(name):
        return name not in ("all", "ungrouped")
    try:
        return ip_address(name).version == 6
    except ValueError:
        return False


def why_not(name: str) -> str:
    """Return why a host of a name is left out, and the way out."""
    return f"Ansible cannot be asked for a host called {name!a}: name it otherwise where its inventory does"

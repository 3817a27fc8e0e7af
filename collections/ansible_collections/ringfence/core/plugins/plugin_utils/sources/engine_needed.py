"""What an inventory plugin says where the engine, the Python package ringfence, is not installed beside Ansible."""

from __future__ import annotations

import sys

from ansible.errors import AnsibleError


def engine_missing(plugin: str, error: ImportError) -> AnsibleError:
    """Return the error to raise: what is missing, for which Python, and the line that installs it."""
    return AnsibleError(
        f"The inventory plugin {plugin} needs the Ringfence engine, which Ansible's Python lacks: {error}. "
        f"With Python 3.11 or newer, install it: {sys.executable} -m pip install ringfence"
    )

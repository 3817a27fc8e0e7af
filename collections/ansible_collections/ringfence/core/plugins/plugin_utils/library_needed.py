"""What an inventory plugin says where the library of its source is not installed beside Ansible."""

from __future__ import annotations

import sys

from ansible.errors import AnsibleError


def library_missing(plugin: str, error: ImportError, extra: str) -> AnsibleError:
    """Return the error to raise: what is missing, for which Python, and the line that installs it.

    `extra` is the name of the optional part of the package ringfence that brings the library.
    """
    return AnsibleError(
        f"The inventory plugin {plugin} needs a library that Ansible's Python lacks: {error}. "
        f"Install it: {sys.executable} -m pip install 'ringfence[{extra}]'"
    )

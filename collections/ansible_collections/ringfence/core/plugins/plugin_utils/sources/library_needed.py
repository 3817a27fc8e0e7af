"""What an inventory plugin says where the library of its source is not installed beside Ansible."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from ansible.errors import AnsibleError


@dataclass(frozen=True)
class Library:
    """A library that a source is asked with: why it cannot be imported, and the part of the package that brings it.

    `first` is what the system must have for that, where a package is compiled.
    """

    missing: ImportError | None
    extra: str
    first: str = ""

    def require(self, plugin: str) -> None:
        """Raise AnsibleError where it is missing: what is, for which Python, and the line that installs it."""
        if self.missing is not None:
            raise AnsibleError(
                f"The inventory plugin {plugin} needs a library that is missing in Ansible's Python: {self.missing}. "
                f"Install it: {sys.executable} -m pip install 'ringfence[{self.extra}]'"
                + (f"; {self.first}" if self.first else "")
            )

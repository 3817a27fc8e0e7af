"""What the documentation of every inventory plugin says of the engine."""

from __future__ import annotations


class ModuleDocFragment:
    """The requirement that inventory plugins share."""

    DOCUMENTATION = r"""
requirements:
  - The Python package C(ringfence) in the Python that runs Ansible (C(pip install ringfence)); Python 3.11 or newer.
options: {}
"""

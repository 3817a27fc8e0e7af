"""What the documentation of the inventory plugins that ask a source shares."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that they have in common."""

    DOCUMENTATION = r"""
options:
  failures:
    description:
      - What becomes of an inventory of which some part failed. With C(warn) the part is named and counted, the rest
        goes on, and Ringfence keeps what its last snapshot knew of that part.
    type: str
    choices: [warn, fail]
    default: warn
notes:
  - The values of the source are never evaluated as templates, and no credentials become variables of hosts or are kept
    in the inventory cache.
"""

"""Rules that never match, never decide, or say more than anyone is likely to mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.analysis.lint import lint as linted

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.problems import Problem


def lint(estate: Estate) -> Sequence[Problem]:
    """Return the findings, by the place of their rules."""
    return linted(estate.compiled(full=True))

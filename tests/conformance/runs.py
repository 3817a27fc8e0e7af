"""How much a run tries and with which chance: the same cases at every run, unless more were asked for.

`RINGFENCE_CONFORMANCE_PROBES` is the least number of probes for each kind of host, shared between the enforcers; where
it is set, or `RINGFENCE_CONFORMANCE_SEED` is, cases are drawn by a seed, which the head of the run shows.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, seed, settings

_ASKED = os.environ.get("RINGFENCE_CONFORMANCE_PROBES")
_SEED = os.environ.get("RINGFENCE_CONFORMANCE_SEED")
PROBES = int(_ASKED or 1200)
SEED: int | None = int(_SEED) if _SEED else random.SystemRandom().randrange(1 << 32) if _ASKED else None
CASES = max(60, PROBES // 50)  # for the tests that need no kernel; 400 of `make conformance`

Test = Callable[..., None]


def drawn(examples: int) -> Callable[[Test], Test]:
    """Return a decorator that runs a hypothesis test on so many examples."""

    def decorate(test: Test) -> Test:
        configured = settings(
            max_examples=examples,
            deadline=None,
            derandomize=SEED is None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # `smallest` makes small what fails, in fewer steps,
        )(test)
        return configured if SEED is None else seed(SEED)(configured)

    return decorate

"""Making very many objects that stay: Python's search for cyclic garbage is paused, and afterwards passes them over.

The collector walks all objects each time their number has grown by a quarter. With thousands of hosts, all of which
stay, it finds nothing and takes as long as everything else together (5,000 instances of AWS: 5.7 s of CPU with it,
3.4 s without).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_objects() -> Iterator[None]:
    """Make objects without collections; what then is there is left out of later ones, which go on as they were."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()

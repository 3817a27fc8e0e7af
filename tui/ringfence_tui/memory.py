"""The memory of the screen process: looking for garbage among very many values holds the screen up."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_values() -> Iterator[None]:
    """Take many values in: garbage is looked for before, and never again among what is there afterwards."""
    gc.collect()  # of the few values since the last time; what is garbage now would be kept forever
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        kept_long()


def kept_long() -> None:
    """Never look for garbage again among what is there now; what nobody holds goes all the same, but for cycles."""
    gc.freeze()

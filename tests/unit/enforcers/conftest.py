"""Fixtures of the enforcers' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nft_kernel import Kernel, open_kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """A network namespace with nft."""
    kernel = open_kernel()
    yield kernel
    kernel.close()

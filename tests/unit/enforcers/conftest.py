"""Fixtures of the enforcers' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.enforcers.iptables_kernel import VARIANTS, IptablesKernel, open_iptables
from tests.unit.enforcers.nft_kernel import Kernel, open_kernel


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """A network namespace with nft."""
    kernel = open_kernel()
    yield kernel
    kernel.close()


@pytest.fixture(scope="module", params=VARIANTS)
def iptables(request: pytest.FixtureRequest) -> Iterator[IptablesKernel]:
    """A network namespace with one variant of iptables in use."""
    kernel = open_iptables(request.param)
    yield kernel
    kernel.close()

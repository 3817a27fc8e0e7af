"""What is simulated is what the kernel does: drawn policies on lab hosts, read back and probed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from lab_fixtures import abilities, require

from .case import Case
from .hosts import standing_hosts
from .kernel import Kernel
from .runs import PROBES, drawn
from .strategies import cases

PER_CASE = 60


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("namespaces", marks=pytest.mark.lab),
        pytest.param("machines", marks=[pytest.mark.lab, pytest.mark.machines]),
    ],
)
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """The kernel as the hosts of one kind show it; what was tried is printed in the end (pytest -s)."""
    kind = request.param
    require(kind)
    units = kind == "machines" or not abilities().processes
    with standing_hosts(tmp_path_factory.mktemp("conformance") / kind, kind, units) as hosts:
        tried = Kernel(hosts)
        yield tried
        print(f"\n{kind}: {tried}")


def test_every_verdict_of_drawn_policies_is_the_kernels(kernel: Kernel) -> None:
    @drawn(examples=PROBES // 10)
    @given(st.just(kernel), cases(with_processes=kernel.units))
    def play(kernel: Kernel, case: Case) -> None:
        if kernel.probes >= PROBES and not kernel.surprised:
            return
        problems = kernel.problems(case, PER_CASE)
        for problem in problems:
            note(problem)
        assert not problems, "the kernel, the tables and the reference do not agree"

    play()
    assert kernel.probes >= PROBES
    assert kernel.proofs >= kernel.policies

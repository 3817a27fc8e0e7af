"""What is simulated is what the kernel does: drawn policies on lab hosts, read back and probed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given

from tests.lab_fixtures import abilities, require

from .case import Case, case_text
from .enforcers import EVERY
from .hosts import Host, standing_hosts
from .kernel import Kernel, lacks
from .runs import PROBES, drawn
from .smallest import smallest
from .strategies import cases

PER_CASE = 60


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("namespaces", marks=pytest.mark.lab),
        pytest.param("machines", marks=[pytest.mark.lab, pytest.mark.machines]),
    ],
)
def hosts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Host]]:
    """The hosts of one kind."""
    kind = request.param
    require(kind)
    units = kind == "machines" or not abilities().processes
    with standing_hosts(tmp_path_factory.mktemp("conformance") / kind, kind, units) as standing:
        yield standing


@pytest.fixture(params=EVERY, ids=[under.name for under in EVERY])
def kernel(request: pytest.FixtureRequest, hosts: list[Host]) -> Iterator[Kernel]:
    """The kernel as hosts under one enforcer show it; what was tried is printed in the end (pytest -s)."""
    tried = Kernel(hosts, request.param)
    lacking = lacks(hosts, request.param)
    if lacking:
        pytest.skip(f"needs {lacking} on every lab host")
    yield tried
    tried.clear()
    print(f"\n{request.param.name}: {tried}")


class _EnoughError(Exception):
    """No further case is to be drawn: a case takes longer to draw than the kernel takes for its probes."""


def test_every_verdict_of_drawn_policies_is_the_kernels(kernel: Kernel) -> None:
    failures: list[str] = []
    probes = round(PROBES * kernel.under.share)

    @drawn(examples=PROBES // 10)
    @given(cases(with_processes=kernel.units, listeners=kernel.under.listeners))
    def play(case: Case) -> None:
        if kernel.probes >= probes or failures:
            raise _EnoughError
        problems = kernel.problems(case, PER_CASE)
        if problems:
            shown = smallest(case, lambda smaller: bool(kernel.problems(smaller, PER_CASE)))
            again = kernel.problems(shown, PER_CASE)
            failures.append(_told(shown, again) if again else _told(case, ["not seen a second time:", *problems]))

    with suppress(_EnoughError):
        play()
    if failures:
        pytest.fail(failures[0], pytrace=False)
    assert kernel.probes >= probes
    assert kernel.proofs >= kernel.policies


def _told(case: Case, problems: list[str]) -> str:
    return "\n".join(("the smallest policy that shows it:", case_text(case), *problems))

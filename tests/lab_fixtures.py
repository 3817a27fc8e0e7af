"""Labs for tests: `machines` and `namespaces` stand for a module, `make_lab` makes one for a single test.

A lab that this machine cannot hold skips the test, naming what is missing. A lab ends with the run that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from ringfence.lab.probe import LabAbilities, probe, require_watches
from ringfence.lab.session import Lab
from ringfence.lab.spec import RELEASES, HostSpec, Kind, UnitSpec
from ringfence.model.errors import OutsideError

MakeLab = Callable[[Sequence[HostSpec], Kind], Lab]


@cache
def abilities() -> LabAbilities:
    """Return what this machine can do, tried once a run."""
    return probe()


def require(kind: Kind, hosts: int = 1) -> None:
    """Skip the test, naming what is missing, where a lab of this kind and size cannot be."""
    lacks = abilities().lacks(kind)
    if lacks:
        pytest.skip(f"no lab of {kind}: " + "; ".join(str(lack) for lack in lacks))
    if kind == "machines":
        try:
            require_watches(hosts)
        except OutsideError as error:
            pytest.skip(str(error))


def require_process_rules() -> None:
    """Skip the test where namespace hosts cannot have control groups of their own."""
    if abilities().processes:
        pytest.skip("; ".join(str(lack) for lack in abilities().processes))


def echo_unit(name: str = "echo.service", *ports: str) -> UnitSpec:
    """Return a unit that answers on these ports, tcp/7000 and udp/7000 unless said."""
    return UnitSpec(name, ports or ("tcp/7000", "udp/7000"), user="echo")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of three machines, named after their releases: bullseye, bookworm, trixie; each answers on port 7000."""
    hosts = [HostSpec(release, release=release, units=(echo_unit(),)) for release in RELEASES]
    with standing(tmp_path_factory.mktemp("machines") / "lab", hosts, "machines") as lab:
        yield lab


@pytest.fixture(scope="module")
def namespaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of four namespace hosts, n1 to n4; each answers on port 7000."""
    hosts = [HostSpec(f"n{number}", units=(echo_unit(),)) for number in range(1, 5)]
    with standing(tmp_path_factory.mktemp("namespaces") / "lab", hosts, "namespaces") as lab:
        yield lab


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[MakeLab]:
    """A function that brings up a lab for this test alone."""
    made: list[Lab] = []

    def make(hosts: Sequence[HostSpec], kind: Kind) -> Lab:
        require(kind, len(hosts))
        lab = Lab(f"test{len(made)}", tmp_path / f"lab{len(made)}")
        made.append(lab)
        lab.up(hosts, kind, stay=False)
        return lab

    yield make
    for lab in made:
        lab.down()


@contextmanager
def standing(directory: Path, hosts: Sequence[HostSpec], kind: Kind) -> Iterator[Lab]:
    """A lab that stands as long as this context; skips the test where this machine cannot hold it."""
    require(kind, len(hosts))
    lab = Lab("tests", directory)
    lab.up(hosts, kind, stay=False)
    yield lab
    lab.down()

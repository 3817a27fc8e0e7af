"""What the rules of other firewalls are read to do agrees with what the kernel does."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from tests.conformance.beside_rules import steps
from tests.conformance.beside_world import PROBES, World
from tests.examples import FULL

PATIENCE = 0.5
# A busy machine has come to it, and TCP has sent three times.
SECOND_LOOK = 5.0
SETS = int(os.environ.get("RINGFENCE_BESIDE", "12" if FULL else "4"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if os.geteuid() != 0:
        pytest.skip("needs root: two network namespaces that are connected")
    found = World(tmp_path_factory.mktemp("beside"))
    yield found
    found.close()


def test_a_verdict_on_the_rules_of_others_is_what_the_kernel_does(world: World) -> None:
    seed = int(os.environ.get("RINGFENCE_BESIDE_SEED", "0")) or Random().randrange(1 << 32)
    kinds: Counter[str] = Counter()
    for number in range(SETS):
        random = Random(seed + number)
        world.clear()
        loaded = [("server", steps(random))]
        if random.random() < 0.4:
            loaded.append(("client", steps(random)))
        for where, commands in loaded:
            for command, text in commands:
                try:
                    (world.server if where == "server" else world.client).run(*command, text=text)
                    kinds["loaded"] += 1
                except AssertionError as error:
                    print(str(error)[:300])
                    kinds["refused"] += 1
        for kernel in (world.server, world.client):
            kernel.run("conntrack", "-F")
        found = world.verdicts(PROBES)
        happened = world.tried(PROBES, PATIENCE)
        wrong = _wrong(found, happened)
        if wrong:
            again = world.tried([PROBES[index] for index in wrong], SECOND_LOOK)
            for index, passed in zip(wrong, again, strict=True):
                happened[index] = passed
        wrong = _wrong(found, happened)
        told = "\n".join(
            f"{PROBES[index]}: {found[index] or 'passes'}, and it {'passed' if happened[index] else 'was cut'}"
            for index in wrong
        )
        assert not wrong, f"seed {seed + number}\n{told}\n" + "\n".join(
            f"{where}: {command}\n{text}" for where, commands in loaded for command, text in commands
        )
        kinds.update("passes" if one is None else "cut" if one.cut else "not known" for one in found)
    if SETS >= 8:
        assert min(kinds[kind] for kind in ("passes", "cut", "not known")) > 0


def _wrong(found: list, happened: list[bool]) -> list[int]:
    """Return the probes whose verdict is not what happened; what is not known is never wrong."""
    return [
        index
        for index, (one, passed) in enumerate(zip(found, happened, strict=True))
        if (one is None and not passed) or (one is not None and one.cut and passed)
    ]

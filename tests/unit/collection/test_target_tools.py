"""A target with few programs is enforced on, and one that lacks a program which is needed names it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.doctor.hosts import NEEDED, USEFUL

from tests.lone_target import LoneTarget
from tests.unit.collection.emergency_target import CLOSED, CUT, OPEN, ask, holds
from tests.unit.enforcers.nft_kernel import open_kernel
from tests.unit.flows.test_shell_report import small_path

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
USUAL = "PATH=/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}\n"
# Left out of what busybox has; dash then finds none of them.
NOT_NEEDED = ("mktemp", "cmp", "find", "sync", "cp", "cut", "timeout", "getent", "ip", "setsid", *USEFUL)


class FewPrograms(LoneTarget):
    """A target that finds programs in a directory alone."""

    def _placed(self, text: str) -> str:
        assert USUAL in text
        return super()._placed(text).replace(USUAL, f"PATH={self.place}/programs\n")


@pytest.fixture(params=["dash", "busybox"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LoneTarget]:
    programs = tmp_path / "programs"
    programs.mkdir()
    small_path(programs, without=NOT_NEEDED)
    (programs / "nft").symlink_to(shutil.which("nft") or "")
    kernel = open_kernel()
    shell = ["dash", "-s"] if request.param == "dash" else ["busybox", "sh", "-s"]
    one = FewPrograms(tmp_path, kernel, shell)
    yield one
    one.ask("remove", {"force": "1"})
    kernel.close()


def test_what_the_doctor_asks_for_is_enough(target: LoneTarget) -> None:
    assert {path.name for path in (target.place / "programs").iterdir()} >= set(NEEDED)
    first = target.enforce(OPEN)
    assert holds(ask(target, CUT)) == {CUT.id: True}
    target.apply(target.plan(CLOSED))
    target.goes_back_to(first.digest)
    assert holds(ask(target, ends=(CUT.id,))) == {}
    status, reply, errors = target.ask("status", {"listing": "1"})
    assert (status, reply.last("stands"), reply.all("damaged"), errors) == (0, "confirmed", [], "")


# busybox's own shell has its programs in itself
@pytest.mark.parametrize("target", ["dash"], indirect=True)
@pytest.mark.parametrize("tool", ["tail", "wc"])
def test_a_program_that_is_missing_is_named_where_nothing_can_be_kept(target: LoneTarget, tool: str) -> None:
    (target.place / "programs" / tool).unlink()
    reply = target.apply(target.plan(CLOSED))
    assert reply.last("refused") == "state"
    assert reply.last("reason").endswith(f": {tool} is not installed")

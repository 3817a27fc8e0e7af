"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings
from ringfence.lab.rootfs import cache_directory
from xdist.workermanage import NodeManager

from tests.examples import examples

pytest_plugins = ["tests.lab_fixtures"]

# What a property tries that does not say how much itself. A busy machine draws and runs its examples slowly.
settings.register_profile(
    "usual", max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("usual")

# A shell starts background jobs deaf to SIGINT, and what they start inherits it; tests interrupt programs with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# After an interrupt the processes of pytest-xdist have so many seconds to take down what they raised.
NodeManager.EXIT_TIMEOUT = 20


def pytest_configure(config: pytest.Config) -> None:
    """Give each process a cache of its own, and let one interrupt count in one of pytest-xdist: a second follows.

    The lab's cache stays where it is: each file system of machines in it takes a minute to make. What processes of a
    run tell each other is in a directory of the first.
    """
    os.environ["RINGFENCE_LAB_CACHE"] = str(cache_directory())
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="ringfence-tests-cache-")
    os.environ.setdefault("RINGFENCE_TESTS_SHARED", os.environ["XDG_CACHE_HOME"])
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, interrupt_once)


def pytest_collection_finish() -> None:
    """Look no more through what stands until the end, modules and tests, each time that garbage is collected."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Delete the cache."""
    shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)


def interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, now and never again."""
    signal.signal(signal.SIGINT, lambda *_: None)
    raise KeyboardInterrupt

"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import signal
from types import FrameType

import pytest
from xdist.workermanage import NodeManager

pytest_plugins = ["tests.lab_fixtures"]

# A shell starts background jobs deaf to SIGINT, and what they start inherits it; tests interrupt programs with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# After an interrupt the processes of pytest-xdist have so many seconds to take down what they raised.
NodeManager.EXIT_TIMEOUT = 20


def pytest_configure(config: pytest.Config) -> None:
    """Let one interrupt count in a process of pytest-xdist: the second, which follows by itself, would end clean-up."""
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, interrupt_once)


def interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, now and never again."""
    signal.signal(signal.SIGINT, lambda *_: None)
    raise KeyboardInterrupt

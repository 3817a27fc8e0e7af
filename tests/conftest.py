"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import signal

pytest_plugins = ["lab_fixtures"]

# A shell starts background jobs deaf to SIGINT, and what they start inherits it; tests interrupt programs with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

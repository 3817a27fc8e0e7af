"""A host that the doctor looks at answers within seconds and bytes, or is silent; the others are told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.hostile_host import HostileHost

LOOK = {"ringfence.core.linux_doctor_info": {"answer_within": 5}}


@pytest.mark.parametrize("script", ["exec sleep 600", "exec yes ringfence:uid=0"], ids=["says nothing", "never ends"])
def test_a_host_that_does_not_end_its_answer_to_the_doctor_is_silent(tmp_path: Path, script: str) -> None:
    host = HostileHost(tmp_path / "host")
    host.runs(script)
    began = time.monotonic()

    results, said = host.play([LOOK])

    assert time.monotonic() - began < 40
    assert results["web-1"][0]["state"] == "silent", said
    assert "this host is unresponsive" in str(results["web-1"][0]["msg"])

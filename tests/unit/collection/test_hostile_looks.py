"""A host that the doctor looks at answers within seconds and bytes, or is silent; the others are told."""

from __future__ import annotations

import time
from pathlib import Path

from tests.hostile_host import hostile_hosts

LOOK = {"ringfence.core.linux_doctor_info": {"answer_within": 5}}


def test_a_host_that_does_not_end_its_answer_to_the_doctor_is_silent(tmp_path: Path) -> None:
    nothing, endless = hosts = hostile_hosts(tmp_path, ("says nothing", "never ends"))
    nothing.runs("exec sleep 6000")
    endless.runs("exec yes ringfence:uid=0")
    began = time.monotonic()

    results, said = nothing.play([LOOK], beside=[endless])

    assert time.monotonic() - began < 600
    for host in hosts:
        assert results[host.name][0]["state"] == "silent", said
        assert "this host is unresponsive" in str(results[host.name][0]["msg"])

"""A host with signers of its own reads of a signed plan what is sent to it of its containers."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import application, script
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan
from ringfence.plan.store import write

from tests.unit.enforcers.containers import HOST, planned


@pytest.mark.parametrize("shell", ["dash", "busybox sh"])
def test_what_is_sent_of_containers_is_what_the_plan_says(tmp_path: Path, shell: str) -> None:
    plan = load_plan(str(write(planned(), tmp_path)))
    sent = application(plan, plan.host(HOST))
    assert "container shop-web-1 " in sent["processes"]
    values = "".join(f"rf_{name}={shlex.quote(value)}\n" for name, value in sent.items())
    asked = f"sent_entry | sort\necho ===\nsigned_entry {HOST} <{shlex.quote(plan.directory)}/plan.json | sort\n"
    done = subprocess.run(
        [*shell.split(), "-s"], input=script() + values + asked, capture_output=True, text=True, check=True
    )
    told, signed = done.stdout.split("===\n")
    assert told == signed

"""A target says where connection tracking is about to be full: then nobody new gets in, whatever its table allows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script

ENOUGH = ((0, 262144), (235000, 262144), (0, 0), ("", 8), ("x", 8), ("9" * 12, 8))


def told(root: Path, count: object, most: object, shell: list[str]) -> str:
    directory = root / "proc/sys/net/netfilter"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "nf_conntrack_count").write_text(f"{count}\n")
    (directory / "nf_conntrack_max").write_text(f"{most}\n")
    text = f"{script()}tracking_full {root}/\n"
    return subprocess.run([*shell, "-s"], input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "sh"]], ids=" ".join)
def test_connection_tracking_that_is_nearly_full_is_told(tmp_path: Path, shell: list[str]) -> None:
    for count, most in ((236000, 262144), (262144, 262144), (4, 4)):
        assert f"connection tracking has {count} of {most} entries" in told(tmp_path, count, most, shell)
    assert [told(tmp_path, *one, shell) for one in ENOUGH] == [""] * len(ENOUGH)

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
    return said(root, shell)


def said(root: Path, shell: list[str]) -> str:
    text = f"{script()}tracking_full {root}/\n"
    return subprocess.run([*shell, "-s"], input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "sh"]], ids=" ".join)
def test_connection_tracking_that_is_nearly_full_is_told(tmp_path: Path, shell: list[str]) -> None:
    for count, most in ((236000, 262144), (262144, 262144), (4, 4)):
        assert f"connection tracking has {count} of {most} entries" in told(tmp_path, count, most, shell)
    assert [told(tmp_path, *one, shell) for one in ENOUGH] == [""] * len(ENOUGH)


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "sh"]], ids=" ".join)
def test_the_numbers_of_a_kernel_are_read_whole(tmp_path: Path, shell: list[str]) -> None:
    directory = tmp_path / "proc/sys/net/netfilter"
    directory.mkdir(parents=True)
    real = Path("/proc/sys/kernel/pid_max")  # the kernel writes it as it writes those of connection tracking
    for name in ("count", "max"):
        (directory / f"nf_conntrack_{name}").symlink_to(real)
    number = real.read_text().strip()
    assert f"connection tracking has {number} of {number} entries" in said(tmp_path, shell)

"""The collection amazon.aws, for comparison: taken out of the PyPI package `ansible` once and kept in .cache/."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

KEPT = Path(__file__).resolve().parents[1] / ".cache/amazon-collection"
# Ansible 12 belongs to ansible-core 2.19.
PACKAGE = "ansible>=12,<13"
WANTED = "ansible_collections/amazon/aws/"


def amazon_collection() -> Path:
    """Return a directory for ANSIBLE_COLLECTIONS_PATH that has amazon.aws; raise OSError where it cannot be had."""
    if not (KEPT / WANTED / "plugins/inventory/aws_ec2.py").exists():
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
            done = subprocess.run([*command, "--dest", directory, PACKAGE], capture_output=True, text=True, check=False)
            wheels = list(Path(directory).glob("ansible-*.whl"))
            if done.returncode or not wheels:
                raise OSError(f"pip cannot download {PACKAGE}: {done.stderr.strip()[-300:]}")
            with zipfile.ZipFile(wheels[0]) as wheel:
                wheel.extractall(KEPT, [name for name in wheel.namelist() if name.startswith(WANTED)])
    return KEPT

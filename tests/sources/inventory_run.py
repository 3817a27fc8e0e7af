"""Runs the real ansible-inventory in a workspace, and starts servers for it on loopback."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import yaml
from ansible_collections.ringfence.core.plugins.doc_fragments.source import ModuleDocFragment

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "collections/ansible_collections/ringfence/core/plugins"
BIN = Path(sys.executable).parent


def run_inventory(workspace, **environment):
    wanted = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [str(BIN / "ansible-inventory"), "-i", str(workspace / "inventory"), "--list"],
        cwd=workspace,
        env={**os.environ, **wanted, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def listed(workspace, **environment):
    """Return the inventory as Ansible lists it, and its warnings as one line."""
    done = run_inventory(workspace, **environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout, object_hook=_unwrapped), " ".join(done.stderr.split())


def configured(workspace, name, **options):
    """Write the configuration of a plug-in into the inventory of a workspace."""
    path = workspace / "inventory" / f"10-{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"plugin": f"ringfence.core.{name}", **options}), encoding="utf-8")
    return path


def documentation(name):
    """Return the names of a plug-in's options, those of our fragments among them, and its examples."""
    text = (PLUGINS / f"inventory/{name}.py").read_text(encoding="utf-8")
    blocks = dict(re.findall(r'^(DOCUMENTATION|EXAMPLES) = r"""\n(.*?)"""', text, re.DOTALL | re.MULTILINE))
    told = yaml.safe_load(blocks["DOCUMENTATION"])
    options = set(told["options"])
    for fragment in told["extends_documentation_fragment"]:
        if fragment.startswith("ringfence.core.source"):
            part = fragment.removeprefix("ringfence.core.source").strip(".").upper() or "DOCUMENTATION"
            options |= set(yaml.safe_load(getattr(ModuleDocFragment, part))["options"])
    return options, list(yaml.safe_load_all(blocks["EXAMPLES"]))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(listens, process, seconds=240):
    """Wait until a port of loopback or a path of a socket listens; fail where the process has ended before."""
    deadline = time.monotonic() + seconds
    kind = socket.AF_INET if isinstance(listens, int) else socket.AF_UNIX
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args[0]} ended with status {process.returncode}"
        with socket.socket(kind) as probe:
            if probe.connect_ex(("127.0.0.1", listens) if isinstance(listens, int) else str(listens)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"{process.args[0]} did not listen within {seconds} s")


def _unwrapped(mapping):
    """Ansible says in this form that a string is never to be evaluated."""
    return mapping["__ansible_unsafe"] if set(mapping) == {"__ansible_unsafe"} else mapping

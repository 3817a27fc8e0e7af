"""docs/sources/together.md, run as a reader would: five real sources in one graph, and one machine of two of them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess

import pytest

from tests.simulated_vcenter import CannotSimulate, build, build_cache
from tests.sources.inventory_run import BIN, ROOT, free_port
from tests.sources.ldap_directory import missing_tools

PAGE = ROOT / "docs/sources/together.md"
LIBRARIES = ("boto3", "moto", "flask", "flask_cors", "pyVmomi", "libvirt", "ldap3")
MARK = "--- end of block"
SHOP = {"checkout-1", "shop-web-1", "test", "files-1", "shop-web-1.example.com"}


@pytest.fixture(scope="module")
def go_cache(tmp_path_factory):
    """Where the simulator is compiled already, so that the page's own build is short. Skips without what it needs."""
    lacking = [name for name in LIBRARIES if importlib.util.find_spec(name) is None] + missing_tools()
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    try:
        build(tmp_path_factory.mktemp("program"))
    except CannotSimulate as missing:
        pytest.skip(str(missing))
    return str(build_cache())


@pytest.fixture(scope="module")
def said(go_cache, tmp_path_factory):
    """What each block of the page printed, by its last command. Only the ports differ, and the home directory."""
    home = tmp_path_factory.mktemp("home")
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    *blocks, ending = blocks
    blocks.append("ringfence assets --json\n")
    script = "".join(f"{block}echo '{MARK}'\n" for block in blocks) + ending
    for port in ("5000", "3389"):
        free = str(free_port())
        script = re.sub(rf"(?<=127\.0\.0\.1[:/]){port}|(?<=-p ){port}", free, script)
    given = {"HOME": str(home), "GOCACHE": go_cache, "PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    errors = (home / "stderr").open("w", encoding="utf-8")
    shell = subprocess.Popen(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, **given, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1"},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = shell.communicate(timeout=180)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
        errors.close()
    stderr = (home / "stderr").read_text(encoding="utf-8")
    assert shell.returncode == 0, stderr + output
    printed = dict(zip((block.splitlines()[-1] for block in blocks), output.split(f"{MARK}\n"), strict=False))
    return {"stderr": stderr, **printed}


def members(graph):
    """Return the hosts of each group of a graph as `ansible-inventory` draws it, those of groups within not counted."""
    found, group = {}, ""
    for line in graph.splitlines():
        name = line.lstrip(" |-")
        if name.startswith("@"):
            group = name.strip("@:")
            found.setdefault(group, set())
        else:
            found[group].add(name)
    return found


def test_groups_by_label_hold_hosts_of_all_five_sources(said):
    groups = members(said["ansible-inventory -i inventory --graph"])
    assert groups["app_shop"] == SHOP
    assert groups["env_prod"] == SHOP | {"printer-1"}
    assert groups["app_billing"] == groups["env_dev"] == {"ledger-1", "billing-db-1"}
    assert "Traceback" not in said["stderr"]


def test_a_machine_of_the_vcenter_and_of_the_table_is_one_asset(said):
    found = {one["name"]: one for one in json.loads(said["ringfence assets --json"])}
    assert "shop-web-1.example.com" not in found
    web = found["shop-web-1"]
    assert web["addresses"] == ["10.20.0.11"]
    assert {"inventory/20-vsphere.yml", "inventory/30-onprem.yml"} <= set(web["sources"])
    assert {key: web["labels"][key]["value"] for key in ("app", "env", "role")} == {
        "app": "shop",
        "env": "prod",
        "role": "web",
    }


def test_the_graph_that_the_page_shows_is_the_one_that_came(said):
    text = re.search(r"```\n(@all:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    shown, came = members(text.replace("  …\n", "")), members(said["ansible-inventory -i inventory --graph"])
    assert {group: came[group] for group in shown} == shown

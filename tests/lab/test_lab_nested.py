"""A lab inside a machine with systemd and cgroup2 alone: the lab asks systemd for a control group of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import ringfence
import ruamel
from ringfence.lab.spec import HostSpec

from tests.lab_fixtures import MakeLab

pytestmark = [pytest.mark.lab, pytest.mark.machines]

INSIDE = """
import json, sys
sys.path.insert(0, "/opt")
from pathlib import Path
from ringfence.lab.probe import probe
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, UnitSpec
lab = Lab("inner", Path("/root/inner"))
lab.up([HostSpec("a", units=(UnitSpec("echo.service", ("tcp/7000",), user="echo"),)), HostSpec("b")])
print(json.dumps({
    "kinds": [host.kind for host in lab.status()],
    "lacks": [str(lack) for lack in probe().processes],
    "group": Path(f"/proc/{lab.status()[0].pid}/cgroup").read_text().rpartition("::")[2].strip(),
    "units": lab.exec("a", ["ls", "/sys/fs/cgroup/system.slice"]).stdout.split(),
}))
lab.down()
"""


def test_systemd_is_asked_for_a_delegated_group_that_goes_with_the_lab(make_lab: MakeLab) -> None:
    outer = make_lab([HostSpec("outer")], "machines")
    sources = [str(Path(package.__path__[0]).parent) for package in (ringfence, ruamel)]
    names = [package.__name__ for package in (ringfence, ruamel)]
    packed = ["tar", "-c", *(word for pair in zip(sources, names, strict=True) for word in ("-C", *pair))]
    archive = subprocess.run(packed, check=True, capture_output=True).stdout
    subprocess.run(outer.exec_command("outer", ["tar", "-x", "-C", "/opt"]), input=archive, check=True)
    done = outer.exec("outer", ["python3", "-"], input=INSIDE)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["kinds"] == ["namespaces"] * 2
    assert seen["lacks"] == []
    assert ".scope/" in seen["group"]
    assert "echo.service" in seen["units"]
    scopes = outer.exec("outer", ["systemctl", "list-units", "--type=scope", "--plain", "--no-legend"]).stdout
    assert [line.split()[0] for line in scopes.splitlines()] == ["init.scope"]

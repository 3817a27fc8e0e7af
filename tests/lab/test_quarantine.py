"""A quarantine from its operation to the packets: over bare ssh, and its release through Ansible."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.lab.access import CONTROLLER_4, CONTROLLER_6
from ringfence.lab.session import Lab
from ringfence.model.emergencies import Kind
from ringfence.operations.emergency_ends import direct_execution
from ringfence.operations.execution import Execution
from ringfence.operations.quarantine import QuarantineRequest, quarantine, quarantine_of
from ringfence.operations.release import release

pytestmark = [pytest.mark.lab]
# A refusal is an answer; not every machine that runs this has a ping.
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), 2)
except ConnectionRefusedError:
    pass
"""


def reaches(lab: Lab, client: str, server: str) -> list[bool]:
    """Return whether a host answers another one, by each of its addresses."""
    addresses = next(one.addresses for one in lab.hosts() if one.name == server)
    return [lab.exec(client, ["python3", "-I", "-S", "-c", KNOCK, one]).returncode == 0 for one in addresses]


def test_the_isolated_is_cut_off_but_for_the_kept_and_comes_back(namespaces: Lab, tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/hosts.yml").write_text(namespaces.inventory_path.read_text())
    control = f'control: {{from: ["{CONTROLLER_4}", "{CONTROLLER_6}"], port: 22}}\n'
    (tmp_path / "ringfence.yml").write_text(control)
    assert reaches(namespaces, "n3", "n1") == [True, True]

    cut = quarantine_of(Estate(tmp_path), QuarantineRequest(("n1",), ("n2",), "a drill"))
    done = quarantine(Estate(tmp_path), cut, direct_execution(Estate(tmp_path), Execution()))
    assert done.missing == (), done.reasons
    assert reaches(namespaces, "n3", "n1") == reaches(namespaces, "n1", "n4") == [False, False]
    assert reaches(namespaces, "n2", "n1") == reaches(namespaces, "n3", "n4") == [True, True]

    again = release(Estate(tmp_path), cut.order.id, Kind.QUARANTINE)
    assert again.missing == (), again.reasons
    assert reaches(namespaces, "n3", "n1") == [True, True]

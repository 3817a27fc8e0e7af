"""What lies in an inventory and is not a file that can be read: refused by name, never waited for."""

from __future__ import annotations

import os

import pytest
from ringfence.model.errors import InputError
from ringfence.sources.ansible_inventory import read_inventory
from ringfence.sources.inventory_files import refuse_unreadable_files

from tests.unit.sources.asset_factory import write


def fifo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize(
    "name",
    ["inventory/20-x.yml", "inventory/20-x", "inventory/below/x.ini", "inventory/group_vars/all.yml", "group_vars/all"],
)
def test_a_fifo_anywhere_in_an_inventory_is_refused_by_name_before_ansible_waits_for_it(tmp_path, name):
    write(tmp_path / "inventory/10-static.ini", "db-1\n")
    fifo(tmp_path / name)
    with pytest.raises(InputError, match=rf"^{name}: is a FIFO, and no file that Ansible could read"):
        read_inventory([tmp_path / "inventory"], tmp_path)


def test_a_device_and_a_file_without_end_are_refused_by_name(tmp_path):
    device = tmp_path / "inventory/10-zero.yml"
    device.parent.mkdir()
    device.symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"inventory/10-zero.yml: is a device"):
        refuse_unreadable_files([tmp_path / "inventory"], tmp_path)
    device.unlink()
    with device.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match=r"inventory/10-zero.yml: is larger than 256 MiB"):
        refuse_unreadable_files([tmp_path / "inventory"], tmp_path)


def test_an_inventory_that_is_no_file_itself_is_refused(tmp_path):
    fifo(tmp_path / "hosts")
    with pytest.raises(InputError, match="hosts: is a FIFO"):
        refuse_unreadable_files([tmp_path / "hosts"], tmp_path)


def test_links_in_circles_links_to_nowhere_and_hidden_things_are_passed(tmp_path):
    write(tmp_path / "inventory/10-static.ini", "db-1\n")
    (tmp_path / "inventory/again").symlink_to(tmp_path / "inventory")
    (tmp_path / "inventory/nowhere").symlink_to(tmp_path / "none")
    fifo(tmp_path / "inventory/.lock")
    refuse_unreadable_files([tmp_path / "inventory"], tmp_path)

"""A typo in the configuration of an inventory plug-in is an error, with its place and the nearest option."""

from __future__ import annotations

import pytest
from ringfence.model.errors import InputError, Place
from ringfence.sources.ansible_inventory import read_inventory

from tests.sources.inventory_run import PLUGINS, run_inventory

TYPOS = {
    "aws": ("regoins: [eu-west-1]", "regions"),
    "containers": ("engines:\n  - host: a\n    urll: unix:///a", "url"),
    "hyperv": ("server: [hv1]", "servers"),
    "kubernetes": ("context: [fra]", "contexts"),
    "labels": ("rule: ../labels.yml", "rules"),
    "ldap": ("servers: ldap://dc1", "server"),
    "libvirt": ("uri: [qemu:///system]", "uris"),
    "netbox": ("devicefilters: {site: a}", "device_filters"),
    "onprem": ("columns:\n  nmae: Hostname", "name"),
    "proxmox": ("keyed_groups:\n  - {key: tags, prefixx: tag}", "prefix"),
    "sweep": ("range: [10.0.0.0/24]", "ranges"),
    "vsphere": ("power_state: [poweredOn]", "power_states"),
}


def written(workspace, name):
    path = workspace / "inventory" / f"{name}.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"plugin: ringfence.core.{name}\n{TYPOS[name][0]}\n")
    return path


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What Ansible says of a directory with a typo in the configuration of every plug-in."""
    workspace = tmp_path_factory.mktemp("workspace")
    for name in TYPOS:
        written(workspace, name)
    done = run_inventory(workspace, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="0")
    assert "Traceback" not in done.stderr
    return done.stderr


def test_every_plug_in_is_tried():
    assert {path.stem for path in PLUGINS.glob("inventory/*.py")} == set(TYPOS)


@pytest.mark.parametrize("name", TYPOS)
def test_an_unknown_option_is_told_with_its_place_and_the_nearest_one(said, name):
    text, nearest = TYPOS[name]
    line = 2 + text.count("\n")
    (warning,) = [one for one in said.split("[WARNING]: ") if "with 'auto' plugin" in one and f"/{name}.yml:" in one]
    assert f"did you mean '{nearest}'?" in " ".join(warning.split())
    assert f"inventory/{name}.yml:{line}:" in warning


def test_the_engine_names_the_place_of_a_typo(tmp_path):
    written(tmp_path, "aws")
    with pytest.raises(InputError, match="no option 'regoins'") as raised:
        read_inventory([tmp_path / "inventory"], tmp_path)
    assert raised.value.place == Place("inventory/aws.yml", 2, 1)

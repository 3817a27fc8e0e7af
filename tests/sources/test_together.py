"""Several sources in one inventory, seen by the engine: assets with labels, machines that are one, and silent parts."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.sources.aws_estate import CREDENTIALS
from tests.sources.inventory_run import BIN, configured
from tests.sources.netbox_answers import netbox
from tests.sources.replay_server import replaying

SWEEP = """<?xml version="1.0"?><nmaprun><host><status state="up"/><address addr="10.0.0.5" addrtype="ipv4"/></host>
<host><status state="up"/><address addr="10.0.0.77" addrtype="ipv4"/></host></nmaprun>"""
TABLE = "name,addresses,role,uuid\nweb-1.example.com,10.0.0.5,web,\nonly-here,10.3.0.1,db,\n"
LABELS = (
    "labels:\n  - env: ringfence_netbox.custom_fields.environment\n  - known: \"'no'\"\n    when: ringfence_sweep\n"
)


def ringfence(workspace, *words, status=0):
    done = subprocess.run(
        [str(BIN / "ringfence"), *words],
        cwd=workspace,
        env={**os.environ, "NETBOX_TOKEN": "t0k3n", "LC_ALL": "C.UTF-8", "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done


@pytest.fixture
def workspace(tmp_path):
    files = {"ringfence.yml": "control: {from: [10.9.0.0/24]}\n", "labels.yml": LABELS, "cmdb.csv": TABLE}
    for name, text in {**files, "sweep.xml": SWEEP}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "policy").mkdir()
    with replaying(netbox()) as replay:
        configured(tmp_path, "netbox", url=replay.url)
        configured(tmp_path, "onprem", table="../cmdb.csv")
        last = configured(tmp_path, "sweep", ranges=["10.0.0.0/24"], xml=["../sweep.xml"])
        last.rename(last.with_name("80-sweep.yml"))
        yield tmp_path, replay


def test_one_machine_of_two_sources_is_one_asset_and_what_nobody_recorded_is_another(workspace):
    directory, _ = workspace
    found = {one["name"]: one for one in json.loads(ringfence(directory, "assets", "--json").stdout)}
    assert found["10.0.0.77"]["labels"]["known"]["value"] == "no"
    assert "10.0.0.5" not in found, "the address is recorded"
    (web,) = [one for one in found.values() if "10.0.0.5" in one["addresses"]]
    assert web["labels"]["env"]["value"] == "prod"
    assert {source.partition(":")[0] for source in web["sources"]} >= {"inventory/10-netbox.yml"}
    assert found["sw-1"]["labels"]["netbox_role"]["value"] == "switch"


def test_what_a_silent_part_knew_stands_as_it_was(workspace):
    directory, replay = workspace
    ringfence(directory, "assets", "keep")
    replay.answers["/api/virtualization/virtual-machines/"] = (403, "token expired")
    done = ringfence(directory, "assets", "--json")
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert "vm-1" in found
    assert found["vm-1"]["stale"]["source"] == "inventory/10-netbox.yml: netbox virtual machines"
    said = " ".join(ringfence(directory, "check").stdout.split())
    assert (
        "inventory/10-netbox.yml: netbox virtual machines gave nothing: api/virtualization/virtual-machines/: 403"
        in said
    )
    assert "1 asset stands as it was" in said
    assert "sw-1" in found


AWS = "plugin: ringfence.core.aws\nregions: [eu-west-1]\nendpoint_url: {url}\n"


def shop(directory, rows, **files):
    (directory / "policy").mkdir(exist_ok=True)
    (directory / "inventory").mkdir(exist_ok=True)
    (directory / "ringfence.yml").write_text("control: {from: [10.9.0.0/24]}\n")
    (directory / "hosts.csv").write_text(f"name,addresses,role,env\n{rows}\n")
    for name, text in files.items():
        (directory / "inventory" / f"{name.replace('_', '-')}.yml").write_text(text)
    (directory / "inventory/30-onprem.yml").write_text("plugin: ringfence.core.onprem\ntable: ../hosts.csv\n")


@pytest.fixture
def db_of_aws(door, estate, monkeypatch, tmp_path):
    """The addresses of the instance whose Name is db, in a workspace that has the account."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    shop(tmp_path, "", **{"10_aws": AWS.format(url=door.url)})
    (tmp_path / "hosts.csv").write_text("name,addresses\nother,10.77.0.1\n")
    found = {one["name"]: one for one in json.loads(ringfence(tmp_path, "assets", "--json").stdout)}
    return found["db"]


def test_an_instance_and_a_row_of_its_name_and_address_are_one_asset_of_that_name(db_of_aws, tmp_path):
    shop(tmp_path, f"db,{db_of_aws['addresses'][0]},db,prod")
    found = {one["name"]: one for one in json.loads(ringfence(tmp_path, "assets", "--json").stdout)}
    assert set(found["db"]["addresses"]) == set(db_of_aws["addresses"])
    assert {"env", "role", "aws_vpc", "aws_account"} <= set(found["db"]["labels"])
    assert not [name for name in found if name.startswith("db_")]
    said = ringfence(tmp_path, "assets", "db", "--explain").stdout
    assert "one of     db (" in said
    assert "db_30-onprem (inventory/30-onprem.yml)" in said


def test_an_instance_and_a_row_of_its_name_on_another_address_are_two_assets(db_of_aws, tmp_path):
    shop(tmp_path, "db,10.77.0.11,kiosk,dev")
    found = {one["name"]: one for one in json.loads(ringfence(tmp_path, "assets", "--json").stdout)}
    assert found["db"]["addresses"] == db_of_aws["addresses"]
    assert "role" not in found["db"]["labels"]
    assert found["db_30-onprem"]["addresses"] == ["10.77.0.11"]
    assert set(found["db_30-onprem"]["labels"]) == {"role", "env"}
    said = " ".join(ringfence(tmp_path, "check").stdout.split())
    assert "one name for two machines: 'db' of inventory/10-aws.yml" in said

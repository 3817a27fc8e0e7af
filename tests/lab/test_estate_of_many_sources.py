"""Lab hosts that AWS, a vCenter, a directory and Ansible know, each in part: labelled, planned, enforced, proven.

Ansible reaches them through their bastion, as people do.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ringfence.cli.demonstration.probing import foreseen, tried
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, UnitSpec
from ringfence.operations.init import write_workspace
from ringfence.plan import find, read
from ringfence.plan.verdict_table_json import table_of

from tests.aws_server import MotoServer
from tests.lab_fixtures import require
from tests.simulated_vcenter import CannotSimulate, build, nic, running
from tests.sources.inventory_run import configured
from tests.sources.ldap_directory import directory_at, missing_tools, unit

pytestmark = pytest.mark.lab
LIBRARIES = ("boto3", "moto", "flask", "flask_cors", "pyVmomi", "ldap3")
LOGINS = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "VMWARE_USER": "reader",
    "VMWARE_PASSWORD": "secret",
}
WEB, API, DATABASE = "tcp/8080", "tcp/8443", "tcp/5432"
LAB, AWS, VSPHERE, LDAP = (f"inventory/10-{name}.yml" for name in ("a-lab", "aws", "vsphere", "ldap"))
FILE = re.compile(r"inventory/[a-z0-9-]+\.yml")
LABELS = """
labels:
  - app: tags.App || ringfence_ldap.units[0]
  - app: "match(ringfence_vsphere.name, '^([a-z]+)-')"
    priority: 200
  - role: tags.Role
  - role: "match(ringfence_vsphere.name, '^[a-z]+-([a-z]+)-')"
  - role: bastion
    when: name == 'bastion-1'
"""
POLICY = f"""
scope: {{app: shop}}
rules:
  - {{name: web to api, from: {{role: web}}, to: {{role: api}}, allow: {API}}}
  - {{name: api to database, from: {{role: api}}, to: {{role: db}}, allow: {DATABASE}}}
---
rules:
  - {{name: the way in, from: {{role: bastion}}, to: {{role: {{exists: true}}}}, allow: ssh}}
---
enforce:
  - {{where: any, mode: full}}
"""


def listening(name: str, port: str) -> UnitSpec:
    return UnitSpec(f"{name}.service", listens=(port,), user=name)


HOSTS = [
    HostSpec("bastion-1"),
    HostSpec("web-1", units=(listening("web", WEB),)),
    HostSpec("api-1", units=(listening("api", API),)),
    HostSpec("db-1", units=(listening("db", DATABASE),)),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The hosts; all but the bastion are reached through it."""
    require("namespaces")
    raised = Lab("sources", tmp_path_factory.mktemp("lab") / "lab")
    raised.up(HOSTS, "namespaces", stay=False, through="bastion-1")
    yield raised
    raised.down()


@pytest.fixture(scope="module")
def four(lab: Lab) -> dict[str, str]:
    """The IPv4 address of each host."""
    return {host.name: host.addresses[0] for host in lab.hosts()}


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The URL of an AWS without anything in it."""
    lacking = [name for name in LIBRARIES if importlib.util.find_spec(name) is None] + missing_tools()
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    server = MotoServer()
    yield f"http://127.0.0.1:{server.port}"
    server.close()


@pytest.fixture(scope="module")
def workspace(lab: Lab, four: dict[str, str], aws: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which web-1 is an instance, api-1 and db-1 are virtual machines, db-1 is in a directory too."""
    directory = tmp_path_factory.mktemp("workspace")
    write_workspace(directory, tuple(lab.hosts()[0].addresses))
    (directory / "inventory/30-onprem.yml").unlink()
    text = lab.inventory_path.read_text(encoding="utf-8")
    (directory / LAB).write_text(text.replace("  vars:\n", f"  vars:\n    ringfence_sources: [{LAB}]\n", 1))
    (directory / "labels.yml").write_text(LABELS)
    (directory / "policy/enforcement.yml").write_text(POLICY)

    start_instance(aws, four["web-1"])
    configured(directory, "aws", endpoint_url=aws, regions=["eu-west-1"])
    guests = {
        f"DC0_C0_RP0_VM{number}": {
            "Name": f"shop-{role}-{number}",
            "Guest": {
                "IpAddress": four[host],
                "GuestFamily": "linuxGuest",
                "ToolsRunningStatus": "guestToolsRunning",
                "Net": [nic(f"00:50:56:00:00:0{number}", {four[host]: 16})],
            },
        }
        for number, (host, role) in enumerate((("api-1", "api"), ("db-1", "db")))
    }
    device = f"objectClass: device\nobjectClass: ipHost\ncn: pg-main\nipHostNumber: {four['db-1']}\n\n"
    try:
        program = build(tmp_path_factory.mktemp("program"))
    except CannotSimulate as missing:
        pytest.skip(str(missing))
    entries = [unit("shop"), f"dn: cn=pg-main,ou=shop,dc=example,dc=com\n{device}"]
    directories = directory_at(tmp_path_factory.mktemp("slapd"), entries)
    with running(program, tmp_path_factory.mktemp("vcsim"), guests) as vcenter:
        known = {"hostname": vcenter.host, "port": vcenter.port, "ca_path": str(vcenter.certificate)}
        configured(directory, "vsphere", within=["DC0/host/DC0_C0"], hypervisors=False, **known)
        ldap = next(directories)
        login = {"bind_dn": ldap.reader, "password": ldap.password, "ca_certs": str(ldap.certificate)}
        asked = {"server": ldap.encrypted, "base": ldap.base, "filter": "(objectClass=ipHost)", "names": ["cn"]}
        configured(directory, "ldap", **asked, **login)
        yield directory
        directories.close()


def start_instance(url: str, address: str) -> None:
    """Start the instance `frontend` at an address, with tags."""
    import boto3

    login = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    ec2 = boto3.client("ec2", endpoint_url=url, **login)
    vpc = ec2.create_vpc(CidrBlock="10.203.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.203.0.0/20")["Subnet"]["SubnetId"]
    tags = [{"Key": key, "Value": value} for key, value in (("Name", "frontend"), ("App", "shop"), ("Role", "web"))]
    ec2.run_instances(
        ImageId="ami-1e749f67",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        PrivateIpAddress=address,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )


def ringfence(workspace: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ringfence.cli", *words],
        cwd=workspace,
        env={**os.environ, **LOGINS},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_host_is_one_asset_whose_labels_say_which_source_gave_them(workspace: Path) -> None:
    assets = {one["name"]: one for one in json.loads(ringfence(workspace, "assets", "--explain", "--json"))}
    assert sorted(assets) == ["api-1", "bastion-1", "db-1", "web-1"]
    hosts = {name: set(one["identity"]["hosts"]) for name, one in assets.items() if "identity" in one}
    assert hosts == {
        "web-1": {"web-1", "frontend"},
        "api-1": {"api-1", "shop-api-0"},
        "db-1": {"db-1", "shop-db-1", "pg-main"},
    }
    came = {
        (name, key): (label["value"], {file for one in label["evidence"] for file in FILE.findall(one["source"])})
        for name, one in assets.items()
        for key, label in one["labels"].items()
        if key in ("app", "role")
    }
    assert came == {
        ("web-1", "app"): ("shop", {AWS}),
        ("web-1", "role"): ("web", {AWS}),
        ("api-1", "app"): ("shop", {VSPHERE}),
        ("api-1", "role"): ("api", {VSPHERE}),
        ("db-1", "app"): ("shop", {LDAP}),
        ("db-1", "role"): ("db", {VSPHERE}),
        ("bastion-1", "role"): ("bastion", {LAB}),
    }


def test_a_plan_by_these_labels_is_rolled_out_through_the_bastion_and_holds_to_the_packet(
    workspace: Path, lab: Lab
) -> None:
    ringfence(workspace, "plan", "--no-flows")
    assert "4/4 hosts hold it" in ringfence(workspace, "apply", "latest")
    assert "4/4 hosts proven" in ringfence(workspace, "verify")
    directory = find(workspace / "plans", "latest")
    tables = {
        name: table_of((directory / "tables" / f"{host.table}.json").read_text(encoding="utf-8"))
        for name, host in read(directory).hosts.items()
    }
    probes = tried(lab, foreseen(lab.hosts(), tables, [WEB, API, DATABASE]))
    assert [probe for probe in probes if not probe.right] == []
    reached = {(one.source, one.target, one.service) for one in probes if one.seen and ":" not in one.address}
    assert reached == {("web-1", "api-1", API), ("api-1", "db-1", DATABASE)}
    hops = lab.run("db-1", ["sh", "-c", "echo ${SSH_CONNECTION%% *}"]).stdout.strip()
    assert hops == lab.hosts()[0].addresses[0]

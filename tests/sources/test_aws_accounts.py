"""Many accounts and regions of AWS, and what becomes of the others where some of them fail."""

from __future__ import annotations

import json
import os
import re
import subprocess

from tests.sources.aws_estate import CREDENTIALS, OTHER, OWN, client, inventory, listed, network, organization, run
from tests.sources.inventory_run import BIN

TWO_REGIONS = "regions: [eu-west-1, eu-central-1]\ninterfaces: false\n"


def ringfence(workspace, *words):
    done = subprocess.run(
        [str(BIN / "ringfence"), *words],
        cwd=workspace,
        env={**os.environ, **CREDENTIALS, "LC_ALL": "C.UTF-8", "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def assets(workspace, text):
    """Return what `ringfence assets` finds, by name."""
    return {one["name"]: one for one in json.loads(ringfence(workspace, "assets", text, "--json"))}


def test_other_accounts_are_read_by_their_roles(tmp_path, door):
    text = f"regions: [eu-west-1]\naccounts: ['{OWN}', 'arn:aws:iam::{OTHER}:role/audit/reader']\ninterfaces: false\n"
    _, hosts, warnings = listed(tmp_path, door, text)
    assert hosts["theirs"]["ringfence_labels"]["aws_account"] == OTHER
    assert hosts["db"]["ringfence_labels"]["aws_account"] == OWN
    assert warnings == ""


def test_the_accounts_of_the_organization_are_found(tmp_path, door):
    organizations = organization(door)
    made = organizations.create_account(AccountName="member", Email="member@shop.example")
    member = made["CreateAccountStatus"]["AccountId"]
    _, subnet = network(client(door, "ec2", "eu-west-1", member), "eu-west-1", "10.8.0.0/16")
    run(client(door, "ec2", "eu-west-1", member), subnet, "member-1")
    _, hosts, _ = listed(tmp_path, door, "regions: [eu-west-1]\norganization: true\ninterfaces: false\n")
    assert hosts["member-1"]["ringfence_labels"]["aws_account"] == member
    assert "db" in hosts
    text = f"regions: [eu-west-1]\norganization: true\nexclude_accounts: ['{member}']\ninterfaces: false\n"
    assert "member-1" not in listed(tmp_path, door, text)[1]


def test_a_region_that_refuses_is_named_and_the_rest_goes_on(tmp_path, door):
    door.refused["eu-central-1"] = "UnauthorizedOperation"
    text = "regions: [eu-west-1, eu-central-1]\n"
    _, hosts, warnings = listed(tmp_path, door, text)
    assert "db" in hosts
    assert f"inventory/10-aws.yml: aws {OWN} eu-central-1: describe_instances: UnauthorizedOperation" in warnings
    assert re.search(r"\d+ calls to AWS failed; 1 regions answered", warnings)
    done = inventory(tmp_path, door, text + "failures: fail\n")
    assert done.returncode != 0
    assert "eu-central-1" in done.stderr
    door.refused["eu-west-1"] = "AuthFailure"
    done = inventory(tmp_path, door, text)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_throttled_calls_are_repeated(tmp_path, door):
    door.throttled = 2
    _, hosts, warnings = listed(tmp_path, door, "regions: [eu-west-1]\nnetworks: false\ninterfaces: false\n")
    assert "db" in hosts
    assert (door.throttled, warnings) == (0, "")


def test_assets_of_a_region_that_refuses_stay_in_what_labels_select(tmp_path, door):
    (tmp_path / "ringfence.yml").write_text("control: {from: [10.9.0.0/24]}\n")
    (tmp_path / "labels.yml").write_text("labels:\n  - loc: region\n")
    (tmp_path / "policy").mkdir()
    listed(tmp_path, door, TWO_REGIONS)
    ringfence(tmp_path, "assets", "keep")
    door.refused["eu-central-1"] = "UnauthorizedOperation"
    found = assets(tmp_path, "loc=eu-central-1")
    assert list(found) == ["far_away_1_3"]
    assert found["far_away_1_3"]["stale"]["source"] == f"inventory/10-aws.yml: aws {OWN} eu-central-1"
    assert "stale" not in assets(tmp_path, "loc=eu-west-1")["db"]
    said = " ".join(ringfence(tmp_path, "check").split())
    assert f"aws {OWN} eu-central-1 gave nothing: describe_instances: UnauthorizedOperation" in said
    assert "1 asset stands as it was" in said


def test_an_account_whose_role_is_refused_is_named_and_its_assets_are_said_to_be_unreached(tmp_path, door):
    door.closed.add(OTHER)
    text = f"regions: [eu-west-1]\naccounts: ['{OWN}', '{OTHER}']\ninterfaces: false\n"
    _, hosts, warnings = listed(tmp_path, door, text)
    assert f"aws {OTHER}: role OrganizationAccountAccessRole: AccessDenied" in warnings
    unreached = [host["ringfence_unreached"] for host in hosts.values() if "ringfence_unreached" in host]
    assert [list(one) for one in unreached] == [[f"inventory/10-aws.yml: aws {OTHER}"]]
    assert ("db" in hosts, "theirs" in hosts) == (True, False)


def test_a_call_that_takes_no_asset_away_is_named_and_leaves_nothing_unreached(tmp_path, door):
    door.calls_refused.add("DescribeVpcPeeringConnections")
    _, hosts, warnings = listed(tmp_path, door, "regions: [eu-west-1]\ninterfaces: false\n")
    assert "describe_vpc_peering_connections: UnauthorizedOperation" in warnings
    assert not [host for host in hosts.values() if "ringfence_unreached" in host]

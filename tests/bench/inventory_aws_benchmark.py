"""Benchmark `inventory_aws`: thousands of instances with interfaces, against amazon.aws.aws_ec2 and bare boto3."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ringfence.model.errors import OutsideError

from ..amazon_collection import amazon_collection
from ..aws_server import Door, MotoServer
from .measuring import Times, middle
from .result import Result, Target

REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1")
SUBNETS, EACH, REPEATS = 4, 250, 3
INSTANCES = len(REGIONS) * SUBNETS * EACH
_ROOT = Path(__file__).resolve().parents[2]
_BIN = Path(sys.executable).parent
_OURS, _PARSED, _PEER, _BARE = "ringfence.core.aws", "the same, parsed only", "amazon.aws.aws_ec2", "bare boto3"
_KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_EC2_METADATA_DISABLED": "true"}


def run() -> Result:
    """Ask one API server in turns, each time from a new process."""
    try:
        peer = amazon_collection()
    except OSError as error:
        raise OutsideError(f"there is no amazon.aws to compare with: {error}") from error
    with _server() as url, TemporaryDirectory(prefix="ringfence-bench-") as directory:
        works = _works(url, Path(directory), peer)
        rounds = [{name: work() for name, work in works.items()} for _ in range(1 + REPEATS)]
    times = {name: middle([one[name] for one in rounds[1:]]) for name in works}
    ours, parsed, theirs, bare = (times[name].cpu for name in (_OURS, _PARSED, _PEER, _BARE))
    return Result(
        name="inventory_aws",
        subject=f"{INSTANCES:,} instances with interfaces, {len(REGIONS)} regions of one API server: client CPU.",
        seconds=ours,
        peer=theirs,
        unit="CPU seconds of the client",
        table=(
            ("way", "CPU seconds", "by the clock"),
            *((f"`{name}`", f"{one.cpu:.2f}", f"{one.wall:.2f}") for name, one in times.items()),
        ),
        targets=(
            Target("of the CPU of amazon.aws.aws_ec2", ours / theirs, 0.25),
            Target("times the CPU of bare boto3", ours / bare, 1.5),
        ),
        remarks=(
            "Both plug-ins: all of `ansible-inventory --list`, with Ansible's own start and its printing of the hosts, "
            "which bare boto3 does not have. Parsed only, without the printing, is what a playbook pays.",
            "Bare boto3 reads all pages of DescribeInstances and DescribeNetworkInterfaces and does nothing with them. "
            "aws_ec2 reads no interfaces; ours also reads VPCs, subnets, security groups, peerings, prefix lists, "
            "endpoints and NAT gateways.",
            "The answers are moto's, kept by a server before it after a first round, so that moto's own time (longer "
            "than everything here) does not count by the clock.",
            f"Median of {REPEATS} runs in turns, a new process each.",
        ),
        more={"bare": bare, "ratio_bare": ours / bare, "parsed": parsed},
    )


@contextmanager
def _server() -> Iterator[str]:
    import boto3

    try:
        moto = MotoServer()
    except OSError as error:
        raise OutsideError(f"there is no AWS to ask: {error} (pip install 'moto[server]')") from error
    with closing(moto):
        for number, region in enumerate(REGIONS):
            keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
            client = boto3.client("ec2", region_name=region, endpoint_url=f"http://127.0.0.1:{moto.port}", **keys)
            _fill(client, number, region)
        with closing(Door(moto.port, keeps=True)) as door:
            yield door.url


def _fill(client, number: int, region: str) -> None:  # type: ignore[no-untyped-def]  # boto3 has no types
    images = client.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"]
    linux = next(image["ImageId"] for image in images if image.get("Platform") != "windows")
    vpc = client.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
    for part in range(SUBNETS):
        cidr = f"10.{number}.{part * 8}.0/21"
        subnet = client.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"{region}a")["Subnet"]["SubnetId"]
        tags = {"Name": f"web-{part}", "Environment": "prod", "Application": "shop", "aws:autoscaling:groupName": "web"}
        client.run_instances(
            ImageId=linux,
            MinCount=EACH,
            MaxCount=EACH,
            SubnetId=subnet,
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            ],
        )


def _works(url: str, directory: Path, peer: Path) -> dict[str, Callable[[], Times]]:
    regions = json.dumps(list(REGIONS))
    ours, theirs = directory / "ours.yml", directory / "theirs.aws_ec2.yml"
    ours.write_text(f"plugin: ringfence.core.aws\nregions: {regions}\nendpoint_url: {url}\n")
    theirs.write_text(f"plugin: amazon.aws.aws_ec2\nregions: {regions}\nendpoint_url: {url}\n")
    (directory / "ansible.cfg").write_text("")
    environment = {
        **os.environ,
        **_KEYS,
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": f"{_ROOT / 'collections'}:{peer}",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }

    def process(*command: str | Path) -> tuple[Times, str]:
        # The server's own time, in this process, is nobody's: only that of the child counts.
        wall, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise OutsideError(f"{command[0]} failed: {done.stderr[-500:]}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Times(time.monotonic() - wall, cpu), done.stdout

    def listing(config: Path) -> Times:
        times, listed = process(_BIN / "ansible-inventory", "-i", config, "--list")
        hosts = json.loads(listed)["_meta"]["hostvars"]
        if len(hosts) != INSTANCES:
            raise OutsideError(f"{config.name} gives {len(hosts)} hosts, not {INSTANCES}")
        return times

    def bare() -> Times:
        times, told = process(sys.executable, Path(__file__).parent / "peers/aws_bare.py", url, *REGIONS)
        if told.split() != [str(INSTANCES)] * 2:
            raise OutsideError(f"bare boto3 finds {told}")
        return times

    return {
        _OURS: lambda: listing(ours),
        _PARSED: lambda: process(_BIN / "ansible-inventory", "-i", ours, "--graph")[0],
        _PEER: lambda: listing(theirs),
        _BARE: bare,
    }

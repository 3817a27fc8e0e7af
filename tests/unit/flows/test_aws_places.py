"""Flow logs in S3 and CloudWatch Logs: fetched for a span, and what lies outside of it is not even listed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from ringfence.cli import main
from ringfence.flows.aws_places import _path_of, fetched
from ringfence.flows.ledger import Ledger
from ringfence.flows.readers import reader
from ringfence.flows.reading import Reading
from ringfence.flows.store import FlowStore
from ringfence.model.errors import InputError, OutsideError
from ringfence.operations.flow_files import opened

from tests.aws_server import MotoServer
from tests.unit.flows.test_vpc import DEFAULT, RDP, SSH

DATED = "AWSLogs/123456789010/vpcflowlogs/eu-central-1/{}/123456789010_vpcflowlogs_eu-central-1_fl-1_{}.log.gz"
HIVE = (
    "AWSLogs/aws-account-id=123456789010/aws-service=vpcflowlogs/aws-region=eu-central-1/"
    "year={}/month={}/day={}/hour={}/1_{}.log.gz"
)


@pytest.fixture(scope="module")
def server() -> Iterator[MotoServer]:
    found = MotoServer()
    yield found
    found.close()


@pytest.fixture
def session(server: MotoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.setup_default_session()
    yield boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION = None


@pytest.fixture
def bucket(session: Any, request: pytest.FixtureRequest) -> str:
    name = f"b{abs(hash(request.node.name))}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return name


def put(bucket: str, key: str, *lines: str) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=gzip.compress("\n".join((DEFAULT, *lines)).encode()))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type] # year, month, day, hour


def test_only_the_days_of_the_span_are_listed(session: Any, bucket: str) -> None:
    for day in ("2025/12/31", "2026/11/22", "2026/11/23", "2026/11/24", "2026/11/25", "2026/11/26"):
        put(bucket, DATED.format(day, day.replace("/", "")), SSH)
    for hour in ("06", "07", "08", "12"):
        put(bucket, HIVE.format("2026", "11", "24", hour, hour), SSH)
    asked: list[str] = []
    session.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: asked.append(params["Prefix"])
    )
    with fetched(f"s3://{bucket}/AWSLogs/", at(2026, 11, 24, 8), at(2026, 11, 24, 10)) as directory:
        found = sorted(path.name for path in directory.rglob("*.gz"))
    assert found == ["123456789010_vpcflowlogs_eu-central-1_fl-1_20261124.log.gz", "1_07.log.gz", "1_08.log.gz"]
    assert not [
        prefix for prefix in asked if any(f"/{part}" in prefix for part in ("2025", "2026/11/23", "2026/11/25"))
    ]


def test_a_prefix_without_dates_and_without_a_span_is_read_whole(bucket: str) -> None:
    put(bucket, "flat/one.log.gz", SSH)
    put(bucket, "flat/deep/2026/11/24/two.log.gz", RDP)
    result = CliRunner().invoke(main, ["flows", "read", f"s3://{bucket}/flat", "--format", "vpc", "--json"])
    assert result.exit_code == 0, result.output
    assert [row["outcome"] for row in json.loads(result.stdout)] == ["answered", "refused"]


def test_of_a_prefix_only_new_and_grown_objects_are_added(bucket: str, tmp_path: Path) -> None:
    store, vpc = FlowStore(tmp_path / "store"), reader("vpc")

    def add() -> tuple[int, int, int]:
        reading = Reading()
        with opened(f"s3://{bucket}/logs/", reading) as there:
            (added,) = store.add_sightings([(there, reading)], vpc, "vpc")  # type: ignore[arg-type] # its kind
        return added.read, added.new, added.known

    put(bucket, "logs/one.log.gz", SSH)
    assert (add(), add()) == ((1, 1, 0), (0, 0, 1))
    put(bucket, "logs/two.log.gz", RDP)
    assert add() == (1, 1, 1)
    packed = gzip.compress("\n".join((DEFAULT, SSH)).encode(), mtime=0)
    boto3.client("s3").put_object(Bucket=bucket, Key="logs/three.log.gz", Body=packed)
    add()
    more = packed + gzip.compress(f"\n{RDP.replace(' 3389 ', ' 22 ')}\n".encode(), mtime=0)
    boto3.client("s3").put_object(Bucket=bucket, Key="logs/three.log.gz", Body=more)
    assert add() == (2, 1, 2)
    places = sorted(one.path for one in Ledger.load(store.directory).origins)
    assert places == [f"s3://{bucket}/logs/{name}.log.gz" for name in ("one", "three", "two")]


def test_whatever_text_a_key_is_its_object_is_read_and_nothing_is_written_elsewhere(bucket: str) -> None:
    keys = ("odd/a", "odd/a/b.gz", "odd/a%b", f"odd/{'n' * 300}", f"odd/{'é' * 200}")
    for number, key in enumerate(keys):
        put(bucket, key, RDP.replace(" 3389 ", f" {number + 1} "))
    with fetched(f"s3://{bucket}/odd") as directory:
        assert len([path for path in directory.rglob("*") if path.is_file()]) == len(keys)
    result = CliRunner().invoke(main, ["flows", "read", f"s3://{bucket}/odd", "--format", "vpc", "--json"])
    assert result.exit_code == 0, result.output
    assert sorted(row["port"] for row in json.loads(result.stdout)) == list(range(1, len(keys) + 1))


@pytest.mark.parametrize(
    ("key", "path"), [("../../etc/x", 3), ("a//b", 2), ("..", 0), ("a/../b", 2), ("a/", 1), ("a\0b", 0)]
)
def test_a_key_leads_nowhere_but_below_its_bucket(key: str, path: int) -> None:
    found = Path(_path_of(key, is_directory=False))
    assert not found.is_absolute()
    assert ".." not in found.parts
    assert len(found.parts) == path + 1


def test_a_wrong_row_is_located_in_its_object(bucket: str) -> None:
    put(bucket, "logs/one.log.gz", SSH, "x y")
    result = CliRunner().invoke(main, ["flows", "read", f"s3://{bucket}/logs/", "--format", "vpc"])
    assert result.exit_code == 2
    assert f"s3://{bucket}/logs/one.log.gz:3" in result.output.replace("\n", "")


def test_a_log_group_is_read_and_its_format_given(session: Any) -> None:
    client = boto3.client("logs")
    client.create_log_group(logGroupName="/vpc/flows")
    client.create_log_stream(logGroupName="/vpc/flows", logStreamName="eni-1-all")
    moments = (at(2026, 11, 28, 7), at(2026, 11, 28, 12))
    events = [
        {"timestamp": int(moment.timestamp() * 1000), "message": f"10.0.0.{n} 10.0.0.9 40000 443 6 ACCEPT"}
        for n, moment in enumerate(moments, 1)
    ]
    client.put_log_events(logGroupName="/vpc/flows", logStreamName="eni-1-all", logEvents=events)
    words = ["flows", "read", "cloudwatch:/vpc/flows", "--format", "vpc", "--json"]
    words += ["--fields", "srcaddr dstaddr srcport dstport protocol action"]
    for more, clients in (([], ["10.0.0.1", "10.0.0.2"]), (["--since", "2026-11-28T10:00:00Z"], ["10.0.0.2"])):
        result = CliRunner().invoke(main, [*words, *more])
        assert result.exit_code == 0, result.output
        assert [row["client"] for row in json.loads(result.stdout)] == clients


@pytest.mark.parametrize("place", ["s3://no-such-bucket/x", "cloudwatch:/no/such/group"])
def test_what_aws_refuses_is_said_with_the_place(session: Any, place: str) -> None:
    with pytest.raises(OutsideError, match="AWS cannot be asked") as caught, fetched(place):
        pass
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize(("place", "reason"), [("s3://", "no bucket"), ("cloudwatch:", "no log group")])
def test_a_place_that_names_nothing_is_refused(place: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason), fetched(place):
        pass


def test_a_prefix_without_any_object_is_said(bucket: str) -> None:
    with pytest.raises(InputError, match="no object"), fetched(f"s3://{bucket}/none/"):
        pass

"""What docs/flows.md shows is what the commands print: every block `console` is run on the samples beside this file.

`python -m tests.unit.flows.test_flows_docs` writes what they print into the page.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3
import pytest
from click.testing import CliRunner
from ringfence.cli import main
from ringfence.flows.readers import BUILT_IN

from tests.aws_server import MotoServer
from tests.unit.cli_shop import NOW, shop

PAGE = Path(__file__).parents[3] / "docs" / "flows.md"
SAMPLES = Path(__file__).parent / "samples"
BUCKET, GROUP = "flow-logs", "/vpc/flows"
_BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of the blocks of a page, and what is printed below it."""
    for block in _BLOCK.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def run(command: str) -> str:
    """Return what a command prints, in the current directory."""
    first, *then = command.split(" | ")
    words = shlex.split(first)
    if words[0] == "cat":
        content = Path(words[1]).read_bytes()
        if not then:
            return content.decode("utf-16" if content[:1] == b"\xff" else "utf-8").replace("\r\n", "\n")
        done = CliRunner().invoke(main, shlex.split(then[0])[1:], input=content)
    else:
        assert words[0] == "ringfence", f"{command}: what is not run here stands in a block of 'sh'"
        done = CliRunner().invoke(main, words[1:])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.output


def prepare(directory: Path, port: int) -> dict[str, str]:
    """Make a workspace of the samples, and AWS hold two of them; return the environment of the commands."""
    shop(directory)
    shutil.copytree(SAMPLES, directory, dirs_exist_ok=True)
    for path in directory.rglob("*"):
        os.utime(path, (int(NOW), int(NOW)))
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "SOURCE_DATE_EPOCH": NOW,
        "COLUMNS": "120",
    }
    session = boto3.session.Session("test", "test", region_name="eu-central-1")
    s3, logs = (session.client(name, endpoint_url=environment["AWS_ENDPOINT_URL"]) for name in ("s3", "logs"))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for path in SAMPLES.glob("AWSLogs/**/*.gz"):
        s3.put_object(Bucket=BUCKET, Key=str(path.relative_to(SAMPLES)), Body=path.read_bytes())
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="eni-all")
    lines = (SAMPLES / "custom.log").read_text().splitlines()
    events = [{"timestamp": 1795500010000, "message": line} for line in lines]
    logs.put_log_events(logGroupName=GROUP, logStreamName="eni-all", logEvents=events)
    return environment


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = MotoServer()
    try:
        for name, value in prepare(tmp_path, server.port).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield
    finally:
        server.close()


@pytest.mark.usefixtures("workspace")
def test_every_command_of_the_page_prints_what_the_page_shows() -> None:
    for command, printed in commands(PAGE.read_text()):
        assert run(command).rstrip() == printed.rstrip(), command


def test_every_reader_has_its_section() -> None:
    sections = re.findall(r"^### (\w+)$", PAGE.read_text(), re.MULTILINE)
    assert set(BUILT_IN) <= set(sections)


def _written(block: re.Match[str]) -> str:
    parts = re.split(r"^\$ ", block[0], flags=re.MULTILINE)[1:]
    return "".join(f"$ {line}\n{run(line).rstrip()}\n" for line in (part.partition("\n")[0] for part in parts))


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        moto = MotoServer()
        try:
            os.environ.update(prepare(Path(scratch), moto.port))
            os.chdir(scratch)
            PAGE.write_text(_BLOCK.sub(_written, PAGE.read_text()))
        finally:
            moto.close()
    sys.exit()

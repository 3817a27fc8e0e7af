"""What docs/map.md shows is what the commands print; `python -m tests.unit.presenting.test_map_docs` writes it anew."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from ringfence.cli import main

from tests.unit.cli_shop import NOW, shop

PAGE = Path(__file__).parents[3] / "docs" / "map.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
ENVIRONMENT = {"SOURCE_DATE_EPOCH": NOW, "COLUMNS": "120"}


def printed(block: str) -> str:
    """Return a block with what its commands print now, in the current directory."""
    commands = re.findall(r"^\$ ringfence (.*)$", block, re.MULTILINE)
    return "".join(f"$ ringfence {one}\n{run(one)}" for one in commands)


def run(command: str) -> str:
    done = CliRunner().invoke(main, shlex.split(command), env=ENVIRONMENT)
    assert done.exit_code == 0, done.output
    return done.stdout.replace("\r\n", "\n")


def test_the_page_shows_what_the_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop(tmp_path))
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    assert len(blocks) >= 4
    assert [printed(block) for block in blocks] == blocks, "run: python -m tests.unit.presenting.test_map_docs"


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        os.chdir(shop(Path(made)))
        PAGE.write_text(BLOCK.sub(lambda found: printed(found[0]), PAGE.read_text("utf-8")), "utf-8")

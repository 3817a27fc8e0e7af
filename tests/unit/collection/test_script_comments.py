"""What of the script's parts is left out before they are sent: comments, and nothing that a command reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins import plugin_utils

PARTS = sorted(Path(plugin_utils.__path__[0]).glob("**/script/*.sh"))
GIVEN = re.compile(r"<<-?(['\"]?)(\w+)\1.*\n((?:.*\n)*?)\t*\2\n")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.parents[1].name}-{part.stem}")
def test_no_line_that_a_command_is_given_is_one_of_the_comments_that_are_left_out(part: Path) -> None:
    given = [found[3] for found in GIVEN.finditer(part.read_text())]
    assert [line for text in given for line in text.splitlines() if line.lstrip().startswith("#")] == []

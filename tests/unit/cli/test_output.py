"""What is printed for people: foreign names in it neither command the terminal nor pass for lines of ours."""

from __future__ import annotations

import pytest
from ringfence.cli.output import Output
from ringfence.presenting.line import Line


def test_a_line_stays_one_line_whatever_the_names_in_it_have(capsys: pytest.CaptureFixture[str]) -> None:
    forged = Line("dev (role=x\n12:00:00 allowed\r\x1b[2J\u2028)")
    Output().lines([forged])
    Output().notes([forged])
    said = capsys.readouterr()
    assert said.out == said.err == "dev (role=x\\n12:00:00 allowed\\x0d\\x1b[2J\\u2028)\n"

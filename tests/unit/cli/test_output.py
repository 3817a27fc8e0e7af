"""What is printed for people: foreign names in it neither command the terminal nor pass for lines of ours."""

from __future__ import annotations

import pytest
from click import unstyle
from ringfence.cli.output import Output
from ringfence.presenting.line import Line


def test_a_line_stays_one_line_whatever_the_names_in_it_have(capsys: pytest.CaptureFixture[str]) -> None:
    forged = Line("dev (role=x\n12:00:00 allowed\r\x1b[2J\u2028)")
    Output().lines([forged])
    Output().notes([forged])
    said = capsys.readouterr()
    assert said.out == said.err == "dev (role=x\\n12:00:00 allowed\\x0d\\x1b[2J\\u2028)\n"


def test_a_row_stays_one_line_on_a_terminal_and_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("web\nroot  trusted\t1", "\x1b[2J\u2028x\r\n"), ("db", None)]
    for terminal in (False, True):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal)
        Output().table(("asset", "#flows"), rows, title="what\nwas seen")
        shown = unstyle(capsys.readouterr().out)
        title, *printed = [line for line in shown.splitlines() if line.strip(" ─")]
        assert title.strip() == "what\\nwas seen"
        assert [line.split()[0] for line in printed] == ["asset", "web\\nroot", "db"]
        assert "\\x1b[2J\\u2028x\\x0d\\n" in printed[1]

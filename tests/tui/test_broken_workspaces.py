"""Workspaces broken in every way that `check` knows: each screen's questions say what and where, and none fails itself.

Here without a terminal and without Ansible, so that all kinds are tried; `test_application` opens one on a terminal.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.estate import Estate
from ringfence.model.errors import RingfenceError
from ringfence_tui.engine.questions import find
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.assets.detail import DetailRequest
from ringfence_tui.screens.assets.model import AssetsRequest, Begin, Listed
from ringfence_tui.screens.overview.model import Broken

from tests.unit.cli.test_cli_broken_files import ELSEWHERE, OWN_FILES
from tests.unit.cli_shop import shop

# What is broken before the inventory is asked: every kind once, in one of the three kinds of files after the other.
NAMES = ("ringfence.yml", "labels.yml", "policy/shop.yml")
FILES = tuple((NAMES[number % len(NAMES)], broken) for number, broken in enumerate(OWN_FILES))
PLACES = tuple(name for name in ELSEWHERE if not any(word in name for word in ("inventory", "table", "Ansible")))
ASKED: tuple[tuple[str, object], ...] = (
    ("assets.everything", AssetsRequest()),
    ("assets.detail", DetailRequest("web-1")),
    ("assets.history", DetailRequest("web-1")),
    ("workspace.opened", None),
)


def told_by(directory: Path) -> str:
    """Return all that the overview says is wrong; every other question answers, or says why not."""
    session = EngineSession(directory)
    parts: list[object] = []
    find("overview.show")(session, None, Tell(parts.append))
    for name, request in ASKED:
        try:
            find(name)(session, request, Tell(lambda _part: None))
        except RingfenceError as error:
            assert str(error)  # noqa: PT017  # any of them may fail so, none otherwise
    wrong = [one for part in parts if isinstance(part, Broken) for one in part.wrong]
    return "\n".join(f"{one.place} {one.message}" for one in wrong)


@pytest.mark.parametrize(("file", "broken"), FILES)
def test_a_broken_file_is_named_in_the_overview_and_no_question_fails_itself(
    tmp_path: Path, file: str, broken: str
) -> None:
    (shop(tmp_path) / file).write_bytes(OWN_FILES[broken][0])
    assert file in told_by(tmp_path)


@pytest.mark.parametrize("broken", PLACES)
def test_what_is_broken_elsewhere_is_named_too(tmp_path: Path, broken: str) -> None:
    damage, said = ELSEWHERE[broken]
    damage(shop(tmp_path))
    told = told_by(tmp_path)
    assert told
    if "\x1b" not in told and "\n" not in said:
        assert said.partition(":")[0].partition("\\n")[0] in told


def test_what_was_kept_is_shown_while_files_are_broken(tmp_path: Path) -> None:
    Estate(shop(tmp_path)).keep_snapshot()
    (tmp_path / "policy/shop.yml").write_text("rules: [\n")
    parts: list[object] = []
    done = find("assets.everything")(EngineSession(tmp_path), AssetsRequest(), Tell(parts.append))
    assert isinstance(done, Listed)
    assert "policy/shop.yml:2" in done.wrong[0]
    assert Begin(4, kept=True) in parts

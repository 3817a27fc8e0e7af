"""Two edits of one text: each line that only one of them touched is as that one left it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.language.line_merge import Clash, lines_of, merged

from tests.examples import examples

BASE = "a\nb\nc\nd\ne\n"
texts = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d"]), max_size=7).map("".join)
drawn = settings(max_examples=examples(150), deadline=None)


def test_edits_of_different_lines_are_both_there() -> None:
    assert merged(BASE, BASE.replace("b", "B"), f"0\n{BASE}".replace("d", "D")).text == "0\na\nB\nc\nD\ne\n"
    assert merged(BASE, BASE.replace("b\n", ""), BASE.replace("e\n", "e")).text == "a\nc\nd\ne"


def test_the_same_edit_twice_is_one() -> None:
    assert merged(BASE, BASE.replace("c", "x"), BASE.replace("c", "x")).clashes == ()


def test_a_line_that_both_changed_clashes_with_both_texts_and_the_rest_is_put_together() -> None:
    found = merged(BASE, BASE.replace("e", "E").replace("b", "mine"), f"0\n{BASE}".replace("b", "theirs"))
    assert found.clashes == (Clash(3, "mine\n", "theirs\n"),)
    assert found.text == "0\na\ntheirs\nc\nd\nE\n"


def test_lines_that_touch_each_other_clash() -> None:
    assert merged(BASE, BASE.replace("b", "B"), BASE.replace("c", "C")).clashes == (Clash(2, "B\nc\n", "b\nC\n"),)
    assert merged("", "mine\n", "theirs\n").clashes == (Clash(1, "mine\n", "theirs\n"),)


@drawn
@given(texts, texts)
def test_what_nobody_else_changed_is_as_it_was_edited(base: str, edit: str) -> None:
    for mine, theirs in ((edit, base), (base, edit), (edit, edit)):
        found = merged(base, mine, theirs)
        assert (found.text, found.clashes) == (edit, ())


@drawn
@given(texts, texts, texts)
def test_it_is_the_same_whoever_was_first_and_no_line_is_lost(base: str, mine: str, theirs: str) -> None:
    one, other = merged(base, mine, theirs), merged(base, theirs, mine)
    assert [(clash.mine, clash.theirs) for clash in one.clashes] == [
        (clash.theirs, clash.mine) for clash in other.clashes
    ]
    assert one.clashes or one.text == other.text
    told = one.text + "".join(clash.mine for clash in one.clashes)
    for line in {*lines_of(mine), *lines_of(theirs)} - set(lines_of(base)):
        assert line in told


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.integers(0, 30), unique=True, max_size=6), st.lists(st.integers(0, 30), unique=True, max_size=6))
def test_it_is_what_git_puts_together(left: list[int], right: list[int]) -> None:
    base, mine, theirs = (
        "".join(f"line {number}{word if number in at else ''}\n" for number in range(31))
        for word, at in (("", []), (" of mine", left), (" of theirs", right))
    )
    with TemporaryDirectory() as directory:
        names = [str(Path(directory) / name) for name in ("mine", "base", "theirs")]
        for name, text in zip(names, (mine, base, theirs), strict=True):
            Path(name).write_text(text)
        git = subprocess.run(["git", "merge-file", "-p", *names], capture_output=True, check=False, text=True)
    found = merged(base, mine, theirs)
    assert bool(git.returncode) == bool(found.clashes)
    assert git.returncode or git.stdout == found.text

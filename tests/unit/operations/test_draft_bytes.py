"""Comments live: whatever the layout of a file, a draft that is written and taken back leaves the original bytes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ringfence.estate import Estate
from ringfence.language.rule_edits import rules_in
from ringfence.model.errors import InputError, InputErrors
from ringfence.operations import draft
from ringfence.operations.draft import AddRule, ChangeRule, RemoveRule

from tests.examples import examples
from tests.unit.language.drawn_policy_files import policy_texts
from tests.unit.language.drawn_writing_styles import written_files

FILE = "policy/a.yml"


@settings(max_examples=examples(30), deadline=None)
@given(
    policy_texts() | written_files(),
    st.lists(st.sampled_from(["add", "change", "remove"]), min_size=1, max_size=4),
    st.booleans(),
)
def test_undone_and_written_a_file_has_its_original_bytes(text: str, steps: list[str], marked: bool) -> None:
    original = ("\ufeff" if marked else "").encode() + text.encode()
    with TemporaryDirectory() as directory:
        path = Path(directory) / FILE
        path.parent.mkdir()
        path.write_bytes(original)
        estate = Estate(Path(directory))
        try:
            rules_in(text, FILE)
        except InputErrors:
            assume(condition=False)
        for number, step in enumerate(steps):
            try:
                _take(estate, step, number)
            except InputError:
                assert "&them" in text
        taken = draft.show(estate).changes
        if draft.show(estate):
            draft.write(estate)
            assert path.read_bytes() != original
            draft.undo(estate)
            draft.write(estate)
            assert path.read_bytes() == original
        assert len(taken) <= len(steps)


def _take(estate: Estate, step: str, number: int) -> None:
    text = draft.texts_of(estate, draft.show(estate).edited)[FILE].removeprefix("\ufeff")
    rules = rules_in(text, FILE)
    if step == "add" or not rules:
        rule = {"name": f"new {number}", "from": "any", "to": {"role": "db"}, "deny": "tcp/23"}
        draft.change(estate, AddRule(FILE, rule, {"tier": "guardrail"} if number % 2 else {}))
    elif step == "change":
        draft.change(estate, ChangeRule(FILE, rules[0][0], {**rules[0][0].said, "log": number % 2 == 0}))
    else:
        draft.change(estate, RemoveRule(FILE, rules[-1][0]))

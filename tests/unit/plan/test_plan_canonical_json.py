"""The text of a plan's data is that of Python's own `json`, to the byte."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.plan.canonical_json import canonical_text, consumed_text

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def slowly(value: object) -> str:
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


@given(VALUES)
def test_the_text_is_that_of_json(value: object) -> None:
    assert canonical_text(value) == slowly(value)


@given(st.dictionaries(st.text(), VALUES))
def test_data_that_are_given_up_as_they_are_written_make_the_same_text(data: dict[str, object]) -> None:
    assert consumed_text(lambda: deepcopy(data)) == slowly(data)


@pytest.mark.parametrize(
    "value",
    [{}, [], {"a": {}, "b": []}, {"b": 1, "a": [1.5]}, '\x00\x1f\x7f\x85\u2028"\\/', "\ud800", {"ü": -(2**70)}, 1e16],
)
def test_edges_are_those_of_json(value: object) -> None:
    assert canonical_text(value) == slowly(value)

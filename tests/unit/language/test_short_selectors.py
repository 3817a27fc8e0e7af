"""The short form of a selector: taken apart as it is written, and nothing taken apart that is one value."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.language.nodes import plain
from ringfence.language.short_selectors import short_selector
from ringfence.model.errors import InputError, Place

HERE = Place("command line")
VALUES = {"role": {"web", "db", "R&D | Ops, EU=1", "a|b", "a", "b"}, "loc": {"Zürich"}}


def said(text: str) -> object:
    return plain(short_selector(text, HERE, VALUES))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("role=web", {"role": ["web"]}),
        ("role=web|db", {"role": ["web", "db"]}),
        (" role = web | db , env = prod ", {"role": ["web", "db"], "env": ["prod"]}),
        ("role=", {"role": {"exists": True}}),
        ("role=,env=prod", {"role": {"exists": True}, "env": ["prod"]}),
        ("role=a=b", {"role": ["a=b"]}),
        ("loc=Zürich", {"loc": ["Zürich"]}),
        ("loc=New York", {"loc": ["New York"]}),
        ("name=O'Brien", {"name": ["O'Brien"]}),
        ('role="a, b"|db', {"role": ["a, b", "db"]}),
        ("role='a | b',env=\"it's\"", {"role": ["a | b"], "env": ["it's"]}),
        (r'role="say \"hi\""', {"role": ['say "hi"']}),
        ("role='it''s'", {"role": ["it's"]}),
        ("role=R&D | Ops, EU=1", {"role": ["R&D | Ops, EU=1"]}),
    ],
)
def test_a_short_form_means_what_it_says(text: str, meaning: object) -> None:
    assert said(text) == meaning


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("=web", "'=web' is not a valid label"),
        ("role=web,", "ends in a comma"),
        ("role=web,prod", "'prod' is not a valid label"),
        ("role=web|", "is empty"),
        ("role=|web", "is empty"),
        ('role=""', "is empty"),
        ("role=web,role=db", "stands twice"),
        ('role="web', "has text beside its quotes, or no end"),
        ('role="web"x', "has text beside its quotes, or no end"),
        ("role=a|b", "may mean one value or several"),
    ],
)
def test_what_is_no_short_form_or_means_two_things_is_refused_with_the_quotes_shown(text: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        said(text)
    assert fault in caught.value.message
    assert '="' in str(caught.value.remedy)


@given(st.text(min_size=1).filter(str.strip))
def test_every_value_can_be_written_in_quotes(value: str) -> None:
    doubled, escaped = value.replace("'", "''"), value.replace("\\", "\\\\").replace('"', '\\"')
    assert said(f"role='{doubled}',env=prod") == {"role": [value], "env": ["prod"]}
    assert said(f'role="{escaped}"') == {"role": [value]}


@given(st.text())
def test_any_text_is_a_selector_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        assert said(text)

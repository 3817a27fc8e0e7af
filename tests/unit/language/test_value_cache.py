"""Values of the language and the model as text and back."""

from __future__ import annotations

import pytest
from ringfence.language.value_cache import value_of, value_text
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Action, Direction
from ringfence.model.selectors import AddressIn, AnyAddress, Not


def test_values_are_the_same_again_with_their_types() -> None:
    value = (
        {"a": [1, 1.5, True, None, float("inf")], "ü\ud800": ()},
        frozenset({Direction.IN}),
        Action.DENY,
        Not(AddressIn(IntervalSet(((1, 2), (4, 9))), "x", (IntervalSet(((1, 2),)),))),
        AnyAddress(),
    )
    found = value_of(value_text(value))
    assert found == value
    assert repr(found) == repr(value)


def test_one_object_in_two_places_is_one_again() -> None:
    many = IntervalSet(tuple((2 * number, 2 * number) for number in range(1000)))
    text = value_text((AddressIn(many, "a"), AddressIn(many, "b")))
    found = value_of(text)
    assert isinstance(found, tuple)
    assert found[0].addresses is found[1].addresses
    assert text.count("1998") == 2


def test_what_is_no_value_of_the_language_is_refused() -> None:
    with pytest.raises(TypeError, match="a object is not kept"):
        value_text((object(),))

"""How many of something there are is said as people say it."""

from __future__ import annotations

import pytest
from ringfence.model.counts import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 rules"), (1, "1 rule"), (2, "2 rules")])
def test_one_is_said_as_one(number: int, said: str) -> None:
    assert counted(number, "rule") == said


def test_what_has_another_plural_says_it() -> None:
    assert [counted(number, "address", "addresses") for number in (1, 2)] == ["1 address", "2 addresses"]

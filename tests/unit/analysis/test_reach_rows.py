"""The rows of `reach` as people read them."""

from __future__ import annotations

from ringfence.analysis.reach import Row
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.model.services import EVERY_SERVICE, parse_service
from ringfence.presenting.reach_rows import reach_rows

TELNET = parse_service("tcp/23").v4


def printed(services: IntervalSet) -> str:
    (row,) = reach_rows([Row("web-1", "db-1", services)])
    return row[-1]


def test_all_services_but_few_are_told_by_the_few() -> None:
    assert printed(EVERY_SERVICE - TELNET) == "all but tcp/23"


def test_few_services_are_named_and_every_service_is_any() -> None:
    assert printed(TELNET) == "tcp/23"
    assert printed(EVERY_SERVICE) == "any"
    assert printed(EMPTY) == ""

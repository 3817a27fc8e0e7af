"""Services have one parser and one printer, and they agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import EVERY_SERVICE, parse_service, service_texts, union

points = st.lists(
    st.one_of(
        st.tuples(st.sampled_from((6, 17, 132)), st.integers(0, 65535)),
        st.tuples(st.sampled_from((1, 58)), st.integers(0, 255)),
    ),
    max_size=5,
)


@given(points)
def test_printed_services_parse_back(chosen: list[tuple[int, int]]) -> None:
    wanted = IntervalSet.of((p * 65536 + n, p * 65536 + n) for p, n in chosen)
    parsed = union(map(parse_service, service_texts(wanted)))
    assert parsed.v4 | parsed.v6 == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("any", ("any",)),
        ("tcp", ("tcp",)),
        ("tcp/80-90", ("tcp/80-90",)),
        ("icmp/echo-request", ("icmp/echo-request",)),
        ("icmp/8", ("icmp/echo-request",)),
        ("ip/47", ("ip/47",)),
        ("ip/6", ("tcp",)),
        ("dns", ("tcp/53", "udp/53")),
    ],
)
def test_words_of_the_grammar(text: str, words: tuple[str, ...]) -> None:
    assert service_texts(parse_service(text).v4) == words


def test_icmp_belongs_to_one_family_and_protocol_numbers_to_both() -> None:
    assert not parse_service("icmp").v6
    assert not parse_service("icmpv6").v4
    assert parse_service("ip/58").v4 == parse_service("icmpv6").v6
    assert parse_service("any").v4 == parse_service("any").v6 == EVERY_SERVICE


@pytest.mark.parametrize(
    "text",
    [
        "tcp/",
        "tcp/90-80",
        "tcp/65536",
        "tcp/-1",
        "tcp/+1",
        "tcp/１",
        "ip/256",
        "ip",
        "icmp/nonsense",
        "",
        "tcp/80 "[:4] + "x",
    ],
)
def test_what_is_no_service_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_service(text)


def test_a_workspaces_own_name_wins() -> None:
    own = parse_service("tcp/1")
    assert parse_service("https", {"https": own}) == own

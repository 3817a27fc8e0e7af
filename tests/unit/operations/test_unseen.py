"""What hosts could not see is told once for each reason, whoever wrote it."""

from __future__ import annotations

from ringfence.operations.unseen import unseen_of, unseen_problems


def test_a_reason_names_its_hosts_once() -> None:
    told = {f"web-{number}": ("read by the shell: there is no Python",) for number in range(5)}
    told["db-1"] = ("connection tracking", "connection tracking")
    assert [str(problem) for problem in unseen_problems(told)] == [
        "web-0, web-1, web-2 and 2 more hosts: read by the shell: there is no Python",
        "db-1: connection tracking",
    ]


def test_what_a_hostile_host_says_is_harmless_and_short() -> None:
    reasons = unseen_of({"unseen": ["\x1b[2J" * 1000, 7, None, *map(str, range(100))]})
    problems = unseen_problems({"web-1": reasons})
    assert len(problems) == 21
    assert str(problems[-1]) == "81 more reasons why hosts did not see everything"
    assert all(str(problem).isprintable() and len(str(problem)) < 400 for problem in problems)


def test_a_report_of_before_says_nothing() -> None:
    assert unseen_of({}) == unseen_of({"unseen": "x"}) == ()
    assert unseen_problems({"web-1": ()}) == []

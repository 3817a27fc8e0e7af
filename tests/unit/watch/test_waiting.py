"""What waits to be written is shared by the hosts that told of it."""

from __future__ import annotations

from ringfence.watch.waiting import Waiting


def test_two_hosts_that_lie_do_not_push_out_what_others_tell() -> None:
    waiting: Waiting[str] = Waiting(100)
    for number in range(5000):
        for host in ("liar-1", "liar-2"):
            waiting.put(host, (host, number), host)
        if number % 500 == 0:
            waiting.put("honest", number, "honest")
    found = waiting.take()
    assert len(found) == 100
    assert found.count("honest") == 10
    assert abs(found.count("liar-1") - found.count("liar-2")) <= 10
    assert waiting.take() == []


def test_what_waits_is_replaced_by_its_key_also_where_it_is_full() -> None:
    waiting: Waiting[int] = Waiting(1)
    assert waiting.put("web", "a", 1)
    assert waiting.put("db", "a", 2)
    assert not waiting.put("web", "b", 3)
    assert waiting.get("a") == 2
    assert waiting.get("b") is None
    assert waiting.take() == [2]

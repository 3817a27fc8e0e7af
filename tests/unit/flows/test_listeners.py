"""What hosts listen on, told in their reports, says later which end of a connection is the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from ringfence.flows.listeners import FILE, MOST, keep_listeners, kept_listeners, told_listeners
from ringfence.model.addresses import point_of
from ringfence.model.errors import OutsideError

OWN = (point_of("10.0.0.1"), point_of("fd00::1"))


def listener(address: object, port: object, protocol: object = "tcp", **more: object) -> dict[str, object]:
    return {"address": address, "port": port, "protocol": protocol, **more}


def test_a_host_listens_on_its_own_addresses_alone() -> None:
    told = [
        listener("0.0.0.0", 80),
        listener("::", 443),
        listener("10.0.0.9", 22),
        listener("::ffff:10.0.0.1", 25),
        listener("127.0.0.1", 5),
        listener("fe80::1%eth0", 5),
        listener("10.0.0.1", 40000, "udp", ephemeral=True),
        *(listener("10.0.0.1", port) for port in (0, 70000, "x", None)),
        listener("10.0.0.1", 1, "icmp"),
        listener([], 1, {}),
        7,
    ]
    assert told_listeners(told, OWN) == {
        ("10.0.0.1", 6, 80),
        ("10.0.0.1", 6, 443),
        ("fd00::1", 6, 443),
        ("10.0.0.1", 6, 25),
    }
    assert told_listeners("x", OWN) == told_listeners(None, OWN) == frozenset()
    assert len(told_listeners([*([7] * MOST), listener("::", 1)], OWN)) == 0


def test_the_last_report_of_each_host_counts(tmp_path: Path) -> None:
    assert kept_listeners(tmp_path) == frozenset()
    keep_listeners(tmp_path, {"a": frozenset({("10.0.0.1", 6, 80)}), "b": frozenset({("10.0.0.2", 6, 22)})})
    keep_listeners(tmp_path, {"a": frozenset({("10.0.0.1", 6, 81)})})
    assert kept_listeners(tmp_path) == {("10.0.0.1", 6, 81), ("10.0.0.2", 6, 22)}


@pytest.mark.parametrize("text", ["{", "[]", '{"a": [1]}', '{"a": [["10.0.0.1", "x", 1]]}'])
def test_a_damaged_file_of_listeners_is_said_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(OutsideError, match="no list of listeners") as caught:
        kept_listeners(tmp_path)
    assert caught.value.remedy

"""What a host holds is told as it is, also where there is more than it can remember."""

from __future__ import annotations

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_status import full_records, unrecorded


def test_a_record_of_denials_that_is_full_is_told() -> None:
    head = "\tset denied_default_in4 {\n\t\ttype ipv4_addr . inet_proto . inet_service\n\t\tsize 4096\n"
    entry = "10.0.{}.{} . 6 . 22 counter packets 1 bytes 60 timeout 3600s expires 3599s"
    for count, told in ((4095, 0), (4096, 1)):
        elements = ",\n".join(entry.format(number >> 8, number & 255) for number in range(count))
        listing = f"{head}\t\tflags dynamic,timeout\n\t\ttimeout 3600s\n\t\telements = {{ {elements} }}\n\t}}"
        full = full_records("\n".join(f"\t{line}" for line in listing.splitlines()), {})
        assert len(full) == len(unrecorded(full)) == told
    assert full == [{"effect": "deny", "rule": "default", "direction": "in", "family": 4, "entries": 4096}]
    assert "later denials are counted and not recorded" in unrecorded(full)[0]

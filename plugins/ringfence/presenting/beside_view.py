"""Other firewalls of hosts, in lines and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ringfence.model.safe_text import clean_line
from ringfence.operations.other_firewalls import told_by, who_may_cut
from ringfence.presenting.line import Line

if TYPE_CHECKING:
    from ringfence.rollout import HostResult


def beside_lines(hosts: Mapping[str, HostResult]) -> Iterator[Line]:
    """Yield for each host that told of them who may cut more there than Ringfence does."""
    for name, host in sorted(hosts.items()):
        report = host.result.get("beside")
        who = who_may_cut(told_by(report)) if isinstance(report, str) and report else ""
        if who:
            yield Line(f"{clean_line(name)}: may cut more than Ringfence: {who}", style="yellow")


def beside_data(host: HostResult) -> dict[str, object]:
    """Return who may cut more on a host, as plain data for JSON; nothing where it told nothing."""
    report = host.result.get("beside")
    if not isinstance(report, str) or not report:
        return {}
    others = told_by(report)
    return {"beside": {"may_cut": others.may_cut(), "not_known": others.unread}}

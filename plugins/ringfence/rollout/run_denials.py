"""What the hosts of a run told of what they denied since they got its table, kept in the directory of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ringfence.model.host_denials import HostDenials

# Rules of a host that are kept.
MOST_RULES = 20


@dataclass(frozen=True, slots=True)
class RunDenials:
    """What hosts told at a time, ISO text in UTC."""

    asked: str
    hosts: tuple[HostDenials, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        return {"asked": self.asked, "hosts": [asdict(one) for one in self.hosts]}


def denials_of(data: Mapping[str, object]) -> RunDenials:
    """Return what plain data says. Raise ValueError, TypeError or KeyError for anything else."""
    hosts = data["hosts"]
    if not isinstance(hosts, list):
        raise TypeError("no list of hosts")
    return RunDenials(
        str(data["asked"]),
        tuple(
            HostDenials(
                str(one["host"]),
                int(one["denied"]),
                int(one["watched"]),
                tuple((str(rule), int(count)) for rule, count in one["by_rule"][:MOST_RULES]),
                str(one["reason"]),
            )
            for one in hosts
        ),
    )

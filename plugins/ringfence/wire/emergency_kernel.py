"""What a host keeps of emergencies, compared with what its kernel was read to hold of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .emergency_chains import compare as compare_chains
from .emergency_lines import PERMISSION, Emergency, EmergencyError, parse
from .emergency_table import Path, range_of
from .emergency_table import compare as compare_table

# Seconds around its end in which an emergency may be in the kernel or not.
MARGIN = 5
MOST_CONTROLS = 1000
# Sentences that are told of one host: whoever has it may list anything.
MOST_TOLD = 100


@dataclass(frozen=True)
class Held:
    """The emergencies that a host keeps and that have not ended, whether its kernel holds each, and what differs.

    `drift` are sentences, each with the id that it is about where there is one; `beside` are those of them that are
    about no kept entry: behind a release, what was released may still be in force.
    """

    entries: tuple[Emergency, ...] = ()
    held: tuple[bool, ...] = ()
    drift: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def judge(kept: str, listing: str, now: float, passes: bool = True, skew: int = 0) -> Held:
    """Return what a host holds, of the sections `emergency` and `emergency_kernel` of its reply.

    `passes` says whether the table of its policy lets connections of permissions pass, `skew` by how many seconds its
    clock was ahead of the controller's when it was loaded: rules of iptables end by it. Raise EmergencyError where what
    it keeps is not what Ringfence writes.
    """
    lines = kept.split("\n")
    controls = _controls([line for line in lines if line.startswith("control ")])
    entries = parse("".join(f"{line}\n" for line in lines if line and not line.startswith("control ")))
    live = tuple(entry for entry in entries if not entry.ends or entry.ends > now)
    loose = {entry.id for entry in entries if entry.ends and abs(entry.ends - now) <= MARGIN}
    over = {entry.id for entry in entries if entry not in live}
    if not live and not listing.strip():
        return Held()
    if "# section ip" in listing:
        found = compare_chains([_shifted(entry, skew) for entry in entries], controls, listing, over, loose)
    else:
        found = compare_table(entries, controls, listing, over, loose)
    held = tuple(
        (entry.id not in found.missing and (entry.kind != PERMISSION or passes)) or entry.id in loose for entry in live
    )
    drift = [
        f"{entry.id}: the kernel does not hold it as it is kept: {'; '.join(found.missing[entry.id][:3])}"
        for entry in live
        if entry.id in found.missing and entry.id not in loose
    ]
    if not passes:
        drift += [
            f"{entry.id}: the table of the policy does not let its connections pass"
            for entry in live
            if entry.kind == PERMISSION
        ]
    return Held(live, held, (*drift, *found.extra)[:MOST_TOLD], tuple(found.extra[:MOST_TOLD]))


def _shifted(entry: Emergency, skew: int) -> Emergency:
    if not skew or not entry.ends:
        return entry
    return replace(entry, since=max(entry.since + skew, 0), ends=max(entry.ends + skew, 1))


def _controls(lines: list[str]) -> tuple[Path, ...]:
    found: dict[Path, None] = {}
    for line in lines:
        *ranges, port = line.split(" ")[1:]
        for text in ranges:
            family, _, rest = text.partition("-")
            first, _, last = rest.partition("-")
            digits = {"4": 8, "6": 32}.get(family, 0)
            try:
                if not (digits == len(first) == len(last) and port.isdigit()):
                    raise ValueError
                low, high = int(first, 16), int(last, 16)
                found[Path(int(family), range_of(int(family), low, high), int(port))] = None
            except ValueError:
                raise EmergencyError(f"'{line[:60]}' is no control path") from None
    if len(found) > MOST_CONTROLS:
        raise EmergencyError(f"more than {MOST_CONTROLS} control paths")
    return tuple(found)

"""Whether a host has the packet filter of its enforcer; which versions will do, the enforcer itself says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringfence.doctor.answer import VERSION, WORD, Answer
from ringfence.doctor.check import Check, Status, fail, ok, told_to_root, warn
from ringfence.enforcers import Enforcer

# Programs of enforcers, with the package of each and what it needs to work; the facts of an enforcer name its own.
PROGRAMS = {
    "nft": ("nftables", "the kernel module nf_tables"),
    "iptables": ("iptables", "the kernel modules ip_tables and ip6_tables, or nf_tables"),
    "ipset": ("ipset", "the kernel module ip_set"),
}
BESIDE = {"iptables": ("iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore")}


def filter_checks(answer: Answer, rooted: bool, enforcers: Sequence[Enforcer]) -> Iterator[Check]:
    """Yield a check for each program of a host's enforcer, the first one; the others can take its place.

    Where its programs are not there or too old, the checks are those of the first other one that is usable.
    """
    first, *others = enforcers
    lacking = [why for program in programs(first) if (why := _lacks(answer, first, program))]
    if lacking:
        for other in others:
            checks = list(_checks(answer, rooted, other))
            if all(check.status is not Status.FAIL for check in checks):
                why = "; ".join(lacking)
                remedy = f"write 'ringfence_enforcer: {other.name}' to settle it, or install {_packages(first)}"
                yield warn(programs(first)[0], f"{why}, so {other.name} is taken", remedy)
                yield from checks
                return
    yield from _checks(answer, rooted, first, others)


def programs(enforcer: Enforcer) -> list[str]:
    """Return the programs that an enforcer needs on a host."""
    facts = enforcer.facts({})
    return [program for program in PROGRAMS if program in facts]


def _checks(answer: Answer, rooted: bool, its: Enforcer, others: Sequence[Enforcer] = ()) -> Iterator[Check]:
    for program in programs(its):
        package, module = PROGRAMS[program]
        version = answer.one(program, VERSION)
        beside = [name for name in BESIDE.get(program, ()) if name not in answer.all("has")]
        if why := _lacks(answer, its, program):
            ways = " or ".join(_packages(one) for one in (its, *others))
            tried = "".join(f"; nor is {one.name} usable" for one in others)
            yield fail(program, why + tried, f"install {ways}, of a release that is new enough")
        elif beside:
            yield fail(program, f"there is no {', '.join(beside)}", f"install the whole package {package}")
        elif answer.one(f"{program}_works", WORD) == "yes":
            yield ok(program, version)
        elif not rooted:
            yield told_to_root(program)
        else:
            said = " ".join(answer.all(f"{program}_said"))[:150]
            yield fail(program, f"{program} {version} cannot list what there is: {said}", f"it needs root and {module}")


def _lacks(answer: Answer, its: Enforcer, program: str) -> str:
    """Return why one program of an enforcer will not do, empty where it will."""
    current = its.facts({})
    others = {other: current[other] for other in programs(its)}
    return its.lacks(its.facts({**others, program: answer.one(program, VERSION)}))


def _packages(its: Enforcer) -> str:
    return " and ".join(PROGRAMS[program][0] for program in programs(its))

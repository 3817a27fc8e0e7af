"""What a host has, judged from its answer to `linux_doctor_info`; an answer is what a stranger may have written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ringfence.doctor.answer import NUMBER, VERSION, WORD, Answer
from ringfence.doctor.check import Check, fail, ok, told_to_root, version_of, warn
from ringfence.doctor.filters import filter_checks
from ringfence.enforcers import Enforcer
from ringfence.model.addresses import addresses_of, point_of
from ringfence.model.assets import Control
from ringfence.model.errors import InputError

# What nft matches control groups with; iptables does so with older ones.
KERNEL_FOR_UNITS = (5, 13)
FLOWS_PYTHON = (3, 8)
CLOCK_WARNS, CLOCK_FAILS = 60.0, 3600.0
ROOM_WARNS, ROOM_FAILS = 100 << 10, 5 << 10  # KiB
NEEDED = ("sha256sum", "awk", "sed", "tail", "wc")
# What is lost without these.
USEFUL = {
    "flock": "an emergency waits until another command on this host has ended: install util-linux",
    "ss": "connections that stand are not told: install iproute2",
}
PLACES = ("/var/lib", "/run")


def host_checks(
    host: str, result: Mapping[str, object], control: Control | None, enforcers: Sequence[Enforcer]
) -> Iterator[Check]:
    """Yield the checks of one host by what it answered; its enforcer is the first, others can take its place."""
    yield from (replace(check, host=host) for check in _checks(result, control, enforcers))


def unreached(host: str, reason: str) -> Check:
    """Return the one check of a host that gave no answer."""
    detail = " ".join(reason.split())[:300] or "it did not answer"
    remedy = (
        "try it: ansible -m ansible.builtin.raw -a id; look at ansible_host, ansible_user, keys, and the host itself"
    )
    return replace(fail("ssh", detail, remedy), host=host)


def _root_remedy(reason: str, login: str) -> str:
    """Return the way to root that a refusal of sudo asks for."""
    if "tty" in reason:
        return f"let sudo work without a terminal there: 'Defaults:{login or 'LOGIN'} !requiretty' in /etc/sudoers.d"
    return "set ansible_become: true, and give the login sudo without a password, or '-K' its password"


def _checks(result: Mapping[str, object], control: Control | None, enforcers: Sequence[Enforcer]) -> Iterator[Check]:
    login, root = Answer.of(result.get("login")), Answer.of(result.get("root"))
    if login.one("complete", WORD) != "yes":
        words = result.get("words")
        said = f": {words[:200]}" if isinstance(words, str) and words else ""
        yield fail("ssh", f"the login gives no POSIX shell that answers{said}", "log in by hand, and look at the shell")
        return
    yield ok("ssh", f"logs in as {login.one('login', WORD) or 'a user without a name'}")
    rooted = root.one("uid", NUMBER) == "0" and root.one("complete", WORD) == "yes"
    if rooted:
        yield ok("root", "the login is root" if login.one("uid", NUMBER) == "0" else "becomes root")
    else:
        refused = result.get("refused")
        reason = refused[:200] if isinstance(refused, str) and refused else "no answer as root"
        yield fail("root", reason, _root_remedy(reason, login.one("login", WORD)))
        root = login
    yield from _system(root, rooted, enforcers)
    yield from _tools(root, rooted)
    yield from _came_from(login, control)
    yield _clock(root, result.get("clock"))


def _system(answer: Answer, rooted: bool, enforcers: Sequence[Enforcer]) -> Iterator[Check]:
    if (system := answer.one("system", WORD)) != "Linux":
        yield fail("system", f"it is {system or 'no known system'}, not Linux", "set ringfence_workload: false for it")
        return
    filters = list(filter_checks(answer, rooted, enforcers))
    yield from filters
    kernel = answer.one("kernel", VERSION)
    new_enough = version_of(kernel) >= KERNEL_FOR_UNITS or filters[-1].name != "nft"
    units = new_enough and answer.one("cgroup2", WORD) == "yes"
    cgroup = "with cgroup2" if answer.one("cgroup2", WORD) == "yes" else "without cgroup2"
    detail = f"Linux {kernel or 'of no version'} {cgroup}"
    if units:
        yield ok("kernel", detail)
    else:
        yield warn("kernel", detail, "rules that name a unit cannot be enforced here; all others can")
    if systemd := answer.one("systemd", NUMBER):
        yield ok("systemd", systemd)
    else:
        yield warn("systemd", "there is none", "the table is lost with a reboot: apply again after one")


def _tools(answer: Answer, rooted: bool) -> Iterator[Check]:
    lacking = [tool for tool in NEEDED if tool not in answer.all("has")]
    if lacking:
        yield fail("tools", f"there is no {', '.join(lacking)}", "install coreutils, awk and sed, or busybox")
    elif without := [tool for tool in USEFUL if tool not in answer.all("has")]:
        yield warn("tools", f"there is no {', '.join(without)}", "; ".join(USEFUL[tool] for tool in without))
    else:
        yield ok("tools", ", ".join(NEEDED))
    yield from _rooms(answer, rooted)
    others = [name for name in ("ufw", "firewalld", "docker") if name in answer.all("firewall")]
    if others:
        yield warn("firewalls", f"{', '.join(others)} filter too", "keep the control path open there as well")
    else:
        yield ok("firewalls", "no other is active")
    python = answer.one("python", VERSION)
    if python and version_of(python) >= FLOWS_PYTHON:
        yield ok("flows", f"Python {python}")
    else:
        why = f"Python {python} is too old" if python else "there is no Python that works"
        yield ok("flows", f"{why}, so the shell reads flows and facts")


def _rooms(answer: Answer, rooted: bool) -> Iterator[Check]:
    for place in PLACES:
        texts = [text.removeprefix(f"{place} ") for text in answer.all("room") if text.startswith(f"{place} ")]
        free = int(texts[0]) if texts and NUMBER.fullmatch(texts[0]) else None
        if place not in answer.all("writable") and not rooted:
            yield told_to_root(place)
        elif place not in answer.all("writable"):
            yield fail(place, f"{place} cannot be written", "mount it writable, and look at the disk")
        elif free is None:
            yield warn(place, f"how much is free below {place} is not told", f"look by hand: df {place}")
        elif free < ROOM_WARNS:
            check = fail if free < ROOM_FAILS else warn
            yield check(place, f"{free >> 10} MiB are free below {place}", "make room")
        else:
            yield ok(place, f"writable, {free >> 10} MiB are free")


def _came_from(answer: Answer, control: Control | None) -> Iterator[Check]:
    """Look whether the connection lies in the control path, as the host sees it. The host's word moves nothing."""
    peer = answer.one("came_from", re.compile(r"[0-9a-fA-F:.]{2,45}(%\w{1,16})?", re.ASCII))
    if not peer or control is None:
        return
    try:
        inside = point_of(peer) in addresses_of(control.networks)
    except InputError:
        return
    networks = ", ".join(control.networks)
    if inside:
        yield ok("control", f"Ansible comes from {peer}")
    else:
        remedy = "find out what Ansible's line looks like from there, before you add a network to control.from"
        yield fail("control", f"it says that Ansible comes from {peer}, which lies outside {networks}", remedy)


def _clock(answer: Answer, asked: object) -> Check:
    told = answer.one("time", NUMBER)
    times = [one for one in asked if isinstance(one, float)] if isinstance(asked, list) else []
    if not told or len(times) != 2:
        return warn("clock", "the host does not tell its time", "look by hand: date -u")
    low, high = times[0] - float(told), times[1] - float(told)
    away = 0.0 if low <= 1 and high >= -1 else min(abs(low), abs(high))
    ahead = "ahead of" if low < 0 else "behind"
    remedy = "set its clock: apt install systemd-timesyncd, or chrony"
    if away > CLOCK_WARNS:
        check = fail if away > CLOCK_FAILS else warn
        return check("clock", f"{_span(away)} {ahead} this machine", remedy)
    return ok("clock", "as this machine's" if away < 2 else f"{_span(away)} {ahead} this machine")


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return (
        f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.0f} h"
        if seconds < 172800
        else f"{seconds / 86400:.0f} days"
    )

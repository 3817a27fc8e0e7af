"""The steps of the demonstration that answer an attack: a host is isolated, and somebody is let through for a while."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ringfence.cli.demonstration.intruder import intruder
from ringfence.cli.demonstration.probing import Probe, tried
from ringfence.cli.demonstration.stage import Stage, Step, Unexpected
from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec
from ringfence.operations.emergency_hosts import PARTIAL
from ringfence.wire.first_few import first_few

# The web server that somebody got into, what it serves by, and a session of it that the policy allows.
COMPROMISED = "web-2"
UNIT = "shop-web.service"
SESSION = ("api-1", 8443)
SCANNED = (22, 443, 5432, 6379, 8443, 9443)
ADMIN = "bastion-1"
DATABASE = ("db-1", 5432)
# How long somebody is let through, in seconds: in a lab nobody waits for a minute.
LEAST_SECONDS = 8


def contained(stage: Stage, lab: Lab, hosts: Sequence[HostSpec], step: Step, needed: Sequence[Probe]) -> None:
    """Isolate a web server while it scans; `needed` are the connections that the shop needs of all hosts."""
    addresses = _addresses(hosts)
    scan = [(one, port) for name, (one, *_) in addresses.items() if name != COMPROMISED for port in SCANNED]
    unit = next((probe.unit for probe in needed if probe.source == COMPROMISED and probe.unit == UNIT), None)
    with intruder(lab, COMPROMISED, unit, (addresses[SESSION[0]][0], SESSION[1]), scan) as inside:
        before = inside.now()
        stage.say(f"somebody is in {COMPROMISED}: {_said(before.session, before.answered)}", "yellow")
        begun = time.monotonic()
        # the CMDB names a host that is gone: it is told as not reached
        stage.run("quarantine", COMPROMISED, "--because", "it scans the network", "--direct", "--yes", status=PARTIAL)
        step.found["seconds_to_isolate"] = round(time.monotonic() - begun, 1)
        after = inside.now()
        stage.say(f"and now: {_said(after.session, after.answered)}", "green")
    step.found |= {"scan_answered": [before.answered, after.answered], "session": [before.session, after.session]}
    if not before.session or not before.answered or after.session or after.answered:
        raise Unexpected(
            f"{COMPROMISED} reached {before.answered} ports before it was isolated, {after.answered} after"
        )
    others = [probe for probe in needed if COMPROMISED not in (probe.source, probe.target)]
    stopped = [f"{one.source} → {one.target} {one.service}" for one in tried(lab, others) if not one.seen]
    if stopped:
        raise Unexpected(f"the shop needs {first_few(stopped)}")
    stage.say(f"the shop goes on: {len(others)} of {len(others)} connections of the others answer", "green")
    stage.run("explain", COMPROMISED, SESSION[0], f"tcp/{SESSION[1]}")
    stage.run("release", _standing(stage), "--direct", status=PARTIAL)


def let_through(stage: Stage, lab: Lab, hosts: Sequence[HostSpec], step: Step, *, seconds: int) -> None:
    """Let an administrator reach the database for some seconds; the kernels end it while nothing of Ringfence runs."""
    address = _addresses(hosts)[DATABASE[0]][0]
    probe = Probe(ADMIN, None, DATABASE[0], address, f"tcp/{DATABASE[1]}", predicted=False)
    if tried(lab, [probe])[0].seen:
        raise Unexpected(f"{ADMIN} reaches {DATABASE[0]} before it was let through")
    stage.say(f"{ADMIN} does not reach {DATABASE[0]}; for {seconds} seconds it shall:")
    reason = ("--because", "a broken index")
    stage.run("allow-for", f"{seconds}s", ADMIN, DATABASE[0], f"tcp/{DATABASE[1]}", *reason, "--direct", "--yes")
    with intruder(lab, ADMIN, None, (address, DATABASE[1])) as inside:
        begun, during = time.monotonic(), inside.now().session
        stage.say(f"its session with {DATABASE[0]}: {_word(during)}; nothing of Ringfence runs from here on", "yellow")
        lasts = during
        while lasts and time.monotonic() - begun < 3 * seconds:
            lasts = inside.now().session
    ended = not lasts and not tried(lab, [probe])[0].seen
    step.found["permission"] = [during, not ended]
    if not during or not ended:
        raise Unexpected(f"{ADMIN} {'still reaches' if during else 'was not let through to'} {DATABASE[0]}")
    stage.say(f"{time.monotonic() - begun:.0f} seconds later its session has ended, and no new one begins", "green")


def _addresses(hosts: Sequence[HostSpec]) -> Mapping[str, Sequence[str]]:
    return {host.name: host.addresses for host in hosts}


def _standing(stage: Stage) -> str:
    """Return the id of the emergency that stands."""
    return str(stage.ask("emergencies")["emergencies"][-1]["id"])


def _said(session: bool, answered: int) -> str:
    return f"{answered} ports answer its scan, its session with {SESSION[0]}: {_word(session)}"


def _word(stands: bool) -> str:
    return "stands" if stands else "ended"

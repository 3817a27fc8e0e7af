"""What was found on hosts, and reading them back. In the engine process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.model.errors import RingfenceError
from ringfence.operations.kept_proofs import found_proof, kept_proofs
from ringfence.operations.other_firewalls import told_by, who_may_cut
from ringfence.plan.artefact import time_text
from ringfence.rollout.cancellation import Cancelled
from ringfence.rollout.results import collect

from ringfence_tui.engine.session import Tell
from ringfence_tui.engine.telling import Telling
from ringfence_tui.screens.verify.model import Difference, ReadHost, VerifyRow, VerifyView, finding_of, in_order
from ringfence_tui.screens.verify.requests import Keep, Verify

if TYPE_CHECKING:
    from ringfence.operations.kept_proofs import KeptProof
    from ringfence.rollout import Event, HostResult

    from ringfence_tui.engine.questions import Questions
    from ringfence_tui.engine.session import EngineSession

# Differences of a host that are shown, and characters of a text: a host says what it likes.
MOST = 60
LONGEST = 300


def kept(session: EngineSession, _request: None, _tell: Tell) -> VerifyView:
    """Return what the last verify found on the hosts of the plan that was confirmed last."""
    from ringfence.operations.verify import confirmed_plan

    estate = session.estate
    try:
        plan = confirmed_plan(estate).plan
    except RingfenceError as error:
        return VerifyView(why=error.message)
    proofs = kept_proofs(estate)
    rows = [row_of(name, proofs[name]) for name in plan.hosts if name in proofs]
    never = [
        VerifyRow(name, *finding_of("never read", (), ok=False), "nobody has read it back", "", "")
        for name in plan.hosts
        if name not in proofs
    ]
    if not rows:
        return VerifyView(plan.digest, why="nobody has read the hosts back yet")
    return VerifyView(plan.digest, in_order([*rows, *never]))


def run(session: EngineSession, request: Verify, tell: Tell) -> VerifyView:
    """Read hosts back and compare them; tell each host. Cancelled, what was found until then is kept all the same."""
    from ringfence.operations.passwords import Passwords
    from ringfence.operations.verify import verify

    tell = Softly(tell)
    heard = Reading(tell)
    estate = session.anew(heard)
    heard.now = time_text(estate.now)
    with Passwords(request.become, request.vault).offered():
        done = verify(estate, request.plan or None, request.limit, session.execution(tell, heard))
    proofs = kept_proofs(estate)
    rows = []
    for name in done.plan.hosts:
        if name not in proofs:
            continue
        one = row_of(name, proofs[name])
        host = done.result.hosts.get(name)
        rows.append(_detailed(one, host) if host is not None and host.result else one)
    return VerifyView(done.plan.digest, in_order(rows), False, done.interrupted, tuple(heard.warnings))


class Softly(Tell):
    """Sends parts as long as somebody waits for them, and raises nothing after that: the operation ends by itself."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.cancel = tell.cancel

    def __call__(self, part: object) -> None:
        """Send a part."""
        with suppress(Cancelled):
            self._tell(part)


class Reading(Telling):
    """Tells each host that was read back, and how many are to be."""

    now = ""

    def event(self, event: Event) -> None:
        """Tell what was found on a host."""
        if event.ends and event.host:
            host = collect([event])[event.host]
            self.tell(ReadHost(_detailed(row_of(event.host, found_proof(host, "", self.now)), host), self._hosts))
        super().event(event)


def keep(session: EngineSession, request: Keep, _tell: Tell) -> str:
    """Take a rule into the draft; return its name and file."""
    from ringfence.operations.rule_from_drift import Opening, keep_in_draft

    session.writable("change the draft")
    opening = Opening(request.host, request.direction, request.family, request.remote, request.services)
    rule = keep_in_draft(session.fresh(), opening)
    return f"'{rule.rule['name']}' in {rule.file}"


def row_of(host: str, proof: KeptProof) -> VerifyRow:
    """Return what is kept of a host."""
    finding, word = finding_of(proof.state, proof.changes, ok=proof.ok)
    what = proof.sentences[0] if proof.sentences else ""
    return VerifyRow(host, finding, word, what, proof.since, proof.seen, proof.sentences)


def _detailed(one: VerifyRow, host: HostResult) -> VerifyRow:
    found = host.result.get("differences")
    told = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    foreign = host.result.get("not_proven")
    notes = (
        [f"not proven for what this touches: {_text(line)}" for line in foreign] if isinstance(foreign, list) else []
    )
    older = host.result.get("older")
    notes += [_text(line) for line in older] if isinstance(older, list) else []
    report = host.result.get("beside")
    if isinstance(report, str) and report and (cutters := who_may_cut(told_by(report))):
        notes.insert(0, f"may cut more than Ringfence: {cutters}")
    return replace(
        one,
        differences=tuple(difference_of(entry) for entry in told[:MOST]),
        more=max(0, len(told) - MOST),
        notes=(*notes[:MOST], *((f"and {len(notes) - MOST:,} more notes",) if len(notes) > MOST else ())),
    )


def difference_of(entry: Mapping[str, object]) -> Difference:
    """Return a difference as it is shown, whatever the host made of it."""
    line = entry.get("line")
    return Difference(
        change=_text(entry.get("change")),
        text=_text(entry.get("text")),
        plan_says=_outcome(entry.get("expected")),
        kernel_says=_outcome(entry.get("found")),
        line=line if isinstance(line, int) else 0,
        direction=_text(entry.get("direction")),
        family=6 if entry.get("family") == 6 else 4,
        remote=_texts(entry.get("remote")),
        services=_texts(entry.get("services")),
        whole=entry.get("local") == entry.get("processes") == ["any"] and not entry.get("sets"),
    )


def _outcome(value: object) -> str:
    if not isinstance(value, Mapping):
        return ""
    rule = _text(value.get("rule"))
    return f"{_text(value.get('effect'))}{f' by {rule}' if rule else ''}"


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … and {len(text) - LONGEST:,} more letters"


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()


QUESTIONS: Questions = {"kept": kept, "run": run, "keep": keep}

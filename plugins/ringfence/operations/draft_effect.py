"""What the draft does to the flows that were seen, to tests, invariants and hosts; also before a rule is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.analysis.draft_effect import After
from ringfence.analysis.draft_effect import effect as effect_of
from ringfence.analysis.emergency_tier import Laid, with_emergencies
from ringfence.analysis.invariants import Broken, broken
from ringfence.analysis.picture import JudgedPicture, PolicyTables
from ringfence.analysis.picture_rejudging import Difference, changed_hosts
from ringfence.analysis.policy_tests import failures
from ringfence.estate.alternatives import Alternative
from ringfence.estate.draft import Drafts, Edited
from ringfence.estate.held_tables import held_tables, known_records
from ringfence.model.draft_effect import Checks, DraftEffect
from ringfence.model.picture import PolicyState
from ringfence.operations.draft import policy_of, show
from ringfence.operations.execution import Execution
from ringfence.operations.interrupting import heeding, interruptible
from ringfence.operations.picture import as_taken, open_picture
from ringfence.plan import read_state

if TYPE_CHECKING:
    from ringfence.compiler import Compilation
    from ringfence.estate import Estate
    from ringfence.estate.draft_changes import Change
    from ringfence.model.emergencies import Order
    from ringfence.model.judging import Told
    from ringfence.model.rules import Enforcement, Policy, Rule
    from ringfence.model.tables import VerdictTable
    from ringfence.operations.flow_selection import FlowSelection

STATES = (PolicyState.FILES, PolicyState.DRAFT)
_TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class Hosts:
    """What was known of hosts at a moment: the tables that they hold, what they told, which emergencies stood."""

    reported: Mapping[str, VerdictTable]
    told: object
    standing: tuple[Order, ...]


def hosts_now(estate: Estate) -> Hosts:
    """Return what is known of hosts now."""
    reported = held_tables(estate, known_records(estate), Execution().listener)
    return Hosts(reported, read_state(estate.directory), estate.standing())


class DraftPicture:
    """Judged flows that follow the draft: what a change cannot touch keeps its verdict.

    It is of one state of an estate's files: `moved` has it follow another one.
    """

    def __init__(self, estate: Estate, judged: JudgedPicture, hosts: Hosts | None = None) -> None:
        """Take a picture in which files and draft are judged.

        `hosts` were read before that: what changed while it was judged is then followed by `moved`, and not missed.
        """
        hosts = hosts or hosts_now(estate)
        self.estate = estate
        self.judged = judged
        self._policies: dict[str, Policy] = {PolicyState.FILES: estate.workspace.policy}
        self._policies[PolicyState.DRAFT] = self._policies[PolicyState.FILES]
        self._alternative: Alternative | None = None
        self._full: Alternative | None = None
        self._enforcement: dict[str, Mapping[str, Enforcement | None]] = {}
        self._standing = hosts.standing
        self._laid: Laid = {}
        self._reported = hosts.reported
        self._held = estate.overridden(self._reported)
        self._told = hosts.told
        self._unsettled = False

    def moved(self, estate: Estate, execution: Execution | None = None) -> bool:
        """Follow another estate of the same workspace, whose files or hosts changed, as far as that is cheap.

        Return False, and leave everything as it was, where assets, settings or what hosts told are others: then all has
        to be judged anew. Raise InputErrors for files that are no policy.
        """
        execution = execution or Execution()
        before, after = self.estate, estate
        if (after.snapshot.assets, after.workspace.settings, read_state(after.directory)) != (
            before.snapshot.assets,
            before.workspace.settings,
            self._told,
        ):
            return False
        policy, reported = after.workspace.policy, held_tables(after, known_records(after), execution.listener)
        standing = after.standing()
        cut = [one.id for one in standing] != [one.id for one in self._standing]
        others = self._unsettled or cut or bool(changed_hosts(self._reported, reported))
        self._unsettled = others  # also for the next time, where this one is cancelled
        held = after.overridden(reported)
        self.estate, self._reported, self._held, self._standing = after, reported, held, standing
        if others and PolicyState.HELD in self.judged.tables:
            with interruptible(execution, self.judged.window.connection):
                tables = PolicyTables(held, {})
                self.judged.rejudge(PolicyState.HELD, tables, Difference(None), heeding(execution))
        self._judge(PolicyState.FILES, policy, execution, always=others)
        if others:
            self._judge(PolicyState.DRAFT, self._policies[PolicyState.DRAFT], execution, always=True)
        self._unsettled = False
        return True

    def prepare(self) -> None:
        """Compile what drafts are compared with; else the first draft that is judged waits for that."""
        self._compiler()

    def follow(self, edited: Edited | None = None, execution: Execution | None = None, told: Told | None = None) -> int:
        """Judge again what the draft changed since the last time; return how many flows that were.

        `told` hears how far that is.

        Raise InputErrors for a draft that is no policy, Cancelled where it was cancelled.
        """
        policy = policy_of(self.estate, edited or show(self.estate).edited)
        return self._judge(PolicyState.DRAFT, policy, execution or Execution(), told)

    def effect(self, *, checks: bool = True, execution: Execution | None = None) -> DraftEffect:
        """Return what the draft as it was last followed does, compared with the files."""
        return self._effect(PolicyState.FILES, PolicyState.DRAFT, checks=checks, execution=execution or Execution())

    def trial(
        self,
        *changes: Change,
        checks: bool = True,
        execution: Execution | None = None,
        told: Told | None = None,
    ) -> DraftEffect:
        """Return what the draft would do with further changes, compared with the draft; nothing is kept.

        `told` hears how far judging is, and what the changes do so far, the worst first.

        Raise InputErrors for changes that cannot be applied.
        """
        execution = execution or Execution()
        self.prepare()
        drafts = Drafts(self.estate.directory)
        draft = drafts.read()
        self.follow(drafts.edited(draft), execution)
        for one in changes:
            draft = drafts.based(draft, one.file).with_change(one)
        policy = policy_of(self.estate, drafts.edited(draft))
        execution.cancel.heed()
        self.judged.copy(_TRIAL, PolicyState.DRAFT)
        self._policies[_TRIAL] = self._policies[PolicyState.DRAFT]
        self._judge(_TRIAL, policy, execution, told)
        return self._effect(PolicyState.DRAFT, _TRIAL, checks=checks, execution=execution)

    def checks(self, before: Policy, after: Policy) -> Checks:
        """Return which tests and invariants are met under a policy, and which are not any more."""
        old, new = (self._not_met(one) for one in (before, after))
        failing, unmet = new
        newly = tuple(
            words for one, other in zip(new, old, strict=True) for key, words in one.items() if key not in other
        )
        return Checks(len(after.tests), tuple(failing.values()), len(after.invariants), tuple(unmet.values()), newly)

    def _not_met(self, policy: Policy) -> tuple[dict[str, str], dict[str, str]]:
        if not policy.tests and not policy.invariants:
            return {}, {}
        if self._full is None:
            self._full = Alternative(self.estate, full=True)
        compiled = self._full.compiled(policy)
        failing = {one.test.name: str(one) for one in failures(compiled)} if policy.tests else {}
        unmet = {one.invariant.name: _words(one) for one in broken(compiled)} if policy.invariants else {}
        return failing, unmet

    def _judge(
        self, state: str, policy: Policy, execution: Execution, told: Told | None = None, *, always: bool = False
    ) -> int:
        before = self._policies[state]
        if policy == before and not always:
            return 0
        execution.cancel.heed()
        compiled = self._in_force(self._compiler().compiled(policy))
        execution.cancel.heed()
        tables = as_taken(compiled, self._held, compiled.policy)
        self._enforcement[state] = compiled.enforcement
        with interruptible(execution, self.judged.window.connection):
            difference = Difference(None) if always else Difference.between(before, policy)
            count = self.judged.rejudge(state, tables, difference, heeding(execution, told))
        self._policies[state] = policy
        return count

    def _compiler(self) -> Alternative:
        """Return what compiles drafts; its tables stand for the files' too, so that equal ones are the same objects."""
        if self._alternative is None:
            self._alternative = Alternative(self.estate)
            files = self._policies[PolicyState.FILES]
            compiled = self._in_force(self._alternative.compiled(files))
            tables = as_taken(compiled, self._held, compiled.policy)
            self.judged.tables[PolicyState.FILES] = self.judged.tables[PolicyState.DRAFT] = tables
        return self._alternative

    def _in_force(self, compiled: Compilation) -> Compilation:
        """Return tables with the emergencies that stand; equal ones stay the same objects."""
        return with_emergencies(compiled, self._standing, self._laid)

    def _effect(self, before: str, after: str, *, checks: bool, execution: Execution) -> DraftEffect:
        old, new = self._policies[before], self._policies[after]
        enforcement = self._enforcement[after] if after in self._enforcement else self.estate.compiled().enforcement
        with interruptible(execution, self.judged.window.connection):
            said = After(new, _new_rules(old, new), enforcement)
            found = effect_of(self.judged, before, after, said)
        return replace(found, checks=self.checks(old, new)) if checks else found


def effect(estate: Estate, flows: FlowSelection, execution: Execution | None = None) -> DraftEffect:
    """Return what the draft does to flows, compared with the files. Raise InputErrors where it is no policy."""
    execution = execution or Execution()
    edited = show(estate).edited
    policy_of(estate, edited)
    judged = open_picture(estate, flows, STATES, execution)
    with judged:
        followed = DraftPicture(estate, judged)
        followed.follow(edited, execution)
        return followed.effect(execution=execution)


def _new_rules(before: Policy, after: Policy) -> tuple[Rule, ...]:
    """Return the rules of a policy that came or say something else, in their order."""
    changed = Difference.between(before, after).rules
    if changed is None:
        known = {rule.id for rule in before.rules}
        return tuple(rule for rule in after.rules if rule.id not in known)
    ids = {rule.id for rule in changed}
    return tuple(rule for rule in after.rules if rule.id in ids)


def _words(one: Broken) -> str:
    example = one.example
    return f"invariant '{one.invariant.name}': {example.client} to {example.server} on {example.service}"

"""A loaded workspace: settings, policy, assets and tables, each loaded when first asked for, and again on demand."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.estate.history import History
from ringfence.estate.listening import SILENT, Listener
from ringfence.model.errors import InputError, InputErrors
from ringfence.plan.state_file import STATE_FILE
from ringfence.workspace import PLANS, STATE

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ringfence.compiler import Compilation, Recompiler
    from ringfence.estate.last_answer import Answer
    from ringfence.model.assets import Snapshot
    from ringfence.plan import Held
    from ringfence.sources.inventory import Last, Resolver, Survey
    from ringfence.sources.snapshots import SnapshotDifference
    from ringfence.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What is different after a workspace was loaded anew; `assets` says which came, went and changed.

    `tables` are the hosts that take another table than before, one came or went; None where no table had been made
    before.
    """

    policy: bool
    label_rules: bool
    settings: bool
    assets: SnapshotDifference
    tables: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        """Return whether anything is different."""
        return self.policy or self.label_rules or self.settings or bool(self.assets)


class _Loading:
    """One state of a workspace: each part is loaded once, by the first thread that asks for it."""

    def __init__(self, directory: Path, history: History, listener: Listener) -> None:
        self.directory = directory
        self.history = history
        self.listener = listener
        self._lock = threading.RLock()
        self._now: datetime | None = None
        self._workspace: Workspace | None = None
        self._survey: Survey | None = None
        self.kept_counts = False
        self.answer: Answer | None = None
        self._enforcers: tuple[Snapshot, dict[str, str]] | None = None
        self._digest: tuple[Snapshot, str] | None = None
        self._tables: dict[bool, Compilation] = {}
        self._recompilers: dict[bool, Recompiler] = {}
        self._installed: dict[bool, Compilation] = {}
        self._compiled: dict[bool, Compilation] = {}

    def now(self) -> datetime:
        """Return the time of this state."""
        with self._lock:
            if self._now is None:
                self._now = current_time()
            return self._now

    def workspace(self) -> Workspace:
        """Return the loaded files."""
        from ringfence.estate.kept_files import read_or_kept
        from ringfence.workspace import load

        with self._lock:
            if self._workspace is None:
                with self.listener.working("reading the workspace"):
                    self._workspace = load(self.directory, read_or_kept)
            return self._workspace

    def survey(self, *, fresh: bool, silent_stay: bool) -> Survey:
        """Return the assets; with `fresh`, ask again and forget everything made of the earlier ones."""
        from ringfence.sources.resolution import resolve_names

        with self._lock:
            if self._survey is None or fresh:
                self._survey = self._answered(fresh=fresh) if silent_stay else self._look(resolve_names)
                self.forget_tables()
            return self._survey

    def snapshot(self) -> Snapshot:
        """Return the assets. Raise InputErrors where the survey found errors."""
        found = self.survey(fresh=False, silent_stay=True)
        if errors := found.errors():
            raise InputErrors(errors)
        return found.snapshot

    def snapshot_digest(self) -> str:
        """Return the digest of what a policy can depend on in the assets. Raise InputErrors as `snapshot` does."""
        from ringfence.sources.snapshots import digest

        snapshot = self.snapshot()
        with self._lock:
            if self._digest is None or self._digest[0] is not snapshot:
                self._digest = snapshot, digest(snapshot)
            return self._digest[1]

    def enforcers(self) -> tuple[Snapshot, dict[str, str]]:
        """Return the assets with their enforcers chosen, and the reasons of those that facts decided, by host."""
        from ringfence.plan.enforcer_choice import chosen

        with self._lock:
            if self._enforcers is None:
                self._enforcers = chosen(self.snapshot(), self._held())
            return self._enforcers

    def installed(self, *, full: bool) -> Compilation:
        """Return the tables that an installed enforcer is for."""
        from ringfence.enforcers import names

        with self._lock:
            if full not in self._installed:
                self._installed[full] = self._made(full=full).enforced(names())
            return self._installed[full]

    def compiled(self, *, full: bool) -> Compilation:
        """Return the tables that hosts take."""
        from ringfence.enforcers import enforcer
        from ringfence.plan.left_out import left_out

        with self._lock:
            if full not in self._compiled:
                made = self.installed(full=full)
                self._compiled[full] = made.without(left_out(made, self._held(), enforcer))
            return self._compiled[full]

    def _held(self) -> dict[str, Held]:
        """Return what hosts are known to have; the reader of it is loaded where there is something to read."""
        if not os.path.lexists(self.directory / STATE_FILE):
            return {}
        from ringfence.plan import read_state

        return read_state(self.directory)

    def _made(self, *, full: bool) -> Compilation:
        from ringfence.compiler import Recompiler
        from ringfence.enforcers import abilities_of

        if full not in self._tables:
            (snapshot, _), workspace = self.enforcers(), self.workspace()
            with self.listener.working("compiling the policy"):
                policy, settings = workspace.policy, workspace.settings
                known = self._recompilers.get(full)
                if known is None:
                    known = Recompiler(snapshot, policy, settings, full=full, abilities=abilities_of)
                    self._recompilers[full] = known
                    self._tables[full] = known.compilation
                else:
                    self._tables[full] = known.update(snapshot, policy, settings)
        return self._tables[full]

    def made(self, *, full: bool) -> Compilation | None:
        """Return the tables that hosts take where they were made already."""
        with self._lock:
            return self._compiled.get(full)

    def hand_over(self, other: _Loading) -> None:
        """Let another state make its tables from what these were made from; here they are made from nothing again."""
        with self._lock:
            other._recompilers, self._recompilers = self._recompilers, {}

    def forget_tables(self) -> None:
        """Forget everything that was made of the assets and of the facts that hosts reported."""
        with self._lock:
            self._enforcers = None
            for tables in (self._tables, self._installed, self._compiled):
                tables.clear()

    def _answered(self, *, fresh: bool) -> Survey:
        """Return what the inventory says, or said where a kept answer counts."""
        from ringfence.estate.last_answer import answer

        workspace = self._with_inventory()
        ask = partial(self._look, last=self.history.newest)
        self.answer = answer(workspace, self.history, ask, fresh=fresh or not self.kept_counts)
        if self.answer.problem:
            self.listener.note(self.answer.problem)
        return self.answer.survey

    def _with_inventory(self) -> Workspace:
        workspace = self.workspace()
        if not workspace.inventory_paths:
            raise InputError(
                f"no inventory: there is no {workspace.directory}/inventory", remedy="put an Ansible inventory there"
            )
        return workspace

    def _look(self, resolve: Resolver, last: Last | None = None) -> Survey:
        """Ask the inventory; what only a silent source names stands as `last` knew it."""
        from ringfence.sources.inventory import survey

        workspace = self._with_inventory()
        with self.listener.working("asking the inventory"):
            found = survey(
                workspace.inventory_paths,
                workspace.label_rules,
                workspace.settings,
                now=self.now(),
                directory=workspace.directory,
                last=last,
                accepted=self.history.accepted_claims(),
                resolve=resolve,
            )
        found, note = self.history.with_first_claims(found, self.now())
        if note:
            self.listener.note(note)
        return found


class Estate:
    """A workspace's parts.

    Any thread may read them: a value that was given out never changes, and while one thread loads everything anew the
    others read what was loaded before.
    """

    def __init__(self, directory: Path, listener: Listener = SILENT) -> None:
        self.directory = directory
        self.listener = listener
        self.history = History(directory / STATE)
        self.plans = directory / PLANS
        self._state = _Loading(directory, self.history, listener)

    @property
    def now(self) -> datetime:
        """Return the time at which this state was first asked for."""
        return self._state.now()

    @property
    def workspace(self) -> Workspace:
        """Return the loaded files. Raise InputErrors for files that cannot be read."""
        return self._state.workspace()

    def survey(self, *, fresh: bool = False, silent_stay: bool = True) -> Survey:
        """Return the labelled assets with every problem found on the way.

        With `fresh` the inventory is asked again. Without `silent_stay` assets that only a silent source knew are
        gone; else they stay as they were last kept.
        """
        return self._state.survey(fresh=fresh, silent_stay=silent_stay)

    def let_kept_count(self) -> None:
        """Use the last answer of the inventory for questions, as long as nothing that it depends on has changed."""
        self._state.kept_counts = True

    @property
    def answer_age(self) -> float | None:
        """Return how many seconds ago the inventory gave the answer in use, None if it was asked just now."""
        answer = self._state.answer
        return answer.age if answer else None

    @property
    def snapshot(self) -> Snapshot:
        """Return the assets. Raise InputErrors where the survey found errors."""
        return self._state.snapshot()

    @property
    def snapshot_digest(self) -> str:
        """Return the digest of what a policy can depend on in the assets. Raise InputErrors as `snapshot` does."""
        return self._state.snapshot_digest()

    @property
    def compilation(self) -> Compilation:
        """Return the tables that plans are made of."""
        return self.installed()

    def installed(self, *, full: bool = False) -> Compilation:
        """Return the tables that an installed enforcer is for; with `full`, as if every mode were full."""
        return self._state.installed(full=full)

    def compiled(self, *, full: bool = False) -> Compilation:
        """Return the tables that hosts take, which answer every question; with `full`, as if every mode were full."""
        return self._state.compiled(full=full)

    @property
    def enforcers(self) -> tuple[Snapshot, dict[str, str]]:
        """Return the assets with their enforcers chosen, and the reasons of those that facts decided, by host."""
        return self._state.enforcers()

    def hosts_told(self) -> None:
        """Forget enforcers and tables, because hosts have reported other facts."""
        self._state.forget_tables()

    def snapshots(self) -> list[Snapshot]:
        """Return the kept snapshots and the assets of now, oldest first: who held an address when."""
        return [*self.history.snapshots(), self.snapshot]

    def keep_snapshot(self) -> None:
        """Keep the assets as they are now, where they differ from the newest that is kept."""
        from ringfence.estate.last_answer import newest_digest
        from ringfence.sources.kept_survey import FILE, rest_on

        kept = self.history.keep(self.snapshot, self.snapshot_digest, self.now)
        answer = self._state.answer
        if kept and answer is not None and answer.survey is self.survey():
            try:
                rest_on(self.history.state / FILE, answer.asked, newest_digest(self.history))
            except OSError as error:
                self.listener.note(f"{FILE}: the next question asks the inventory again: {error.strerror}")

    def reload(self) -> Reloaded:
        """Load everything anew and return the changes; tables that exist are made anew as far as they differ.

        Raise InputErrors for files or an inventory that cannot be read; the earlier state then stays.
        """
        from ringfence.sources.snapshots import difference

        before = self._state
        after = _Loading(self.directory, self.history, self.listener)
        old, new = before.workspace(), after.workspace()
        assets = difference(before.snapshot(), after.snapshot())
        before.hand_over(after)
        known = before.made(full=False)
        changed = Reloaded(
            policy=new.policy != old.policy,
            label_rules=new.label_rules != old.label_rules,
            settings=new.settings != old.settings,
            assets=assets,
            tables=None if known is None else _different(known, after.compiled(full=False)),
        )
        self._state = after
        return changed


def _different(before: Compilation, after: Compilation) -> tuple[str, ...]:
    """Return the hosts whose table is another one, or is there in one compilation alone, by name."""
    old, new = before.tables, after.tables
    return tuple(
        sorted(
            name
            for name in old.keys() | new.keys()
            if (one := old.get(name)) is not (other := new.get(name))
            and (one is None or other is None or one.digest != other.digest)
        )
    )

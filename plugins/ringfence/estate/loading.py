"""One state of a workspace: what its files, its inventory and its compiler say, each loaded when first asked for."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.model.errors import InputError, InputErrors, RingfenceError
from ringfence.plan.state_file import STATE_FILE

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from ringfence.compiler import Compilation, Recompiler
    from ringfence.estate.history import History
    from ringfence.estate.last_answer import Answer
    from ringfence.estate.listening import Listener
    from ringfence.model.assets import Snapshot
    from ringfence.plan import Held
    from ringfence.sources.heard_run import Hear
    from ringfence.sources.inventory import Last, Resolver
    from ringfence.sources.surveys import Survey
    from ringfence.workspace import Workspace

# For how long work that is in a hurry waits for name servers.
HURRIED_SECONDS = 1.0


class Loading:
    """Each part is loaded once, by the first thread that asks for it."""

    def __init__(self, directory: Path, history: History, listener: Listener) -> None:
        self.directory = directory
        self.history = history
        self.listener = listener
        self._lock = threading.RLock()
        self._now: datetime | None = None
        self._workspace: Workspace | None = None
        self._survey: Survey | None = None
        self.kept_counts = False
        self.hurried = False
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
        from ringfence.estate.file_cache import read_or_kept
        from ringfence.workspace import load

        with self._lock:
            if self._workspace is None:
                with self.listener.working("reading the workspace"):
                    self._workspace = load(self.directory, read_or_kept)
            return self._workspace

    def survey(self, *, fresh: bool, silent_stay: bool, hear: Hear | None = None) -> Survey:
        """Return the assets; with `fresh`, ask again and forget everything made of the earlier ones."""
        from ringfence.sources.resolution import resolve_names

        with self._lock:
            if self._survey is None or fresh:
                self._survey = self._answered(fresh=fresh, hear=hear) if silent_stay else self._look(resolve_names)
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
        from ringfence.plan.left_out import taken

        with self._lock:
            if full not in self._compiled:
                made = self.installed(full=full)
                self._compiled[full] = taken(made, self._held(), enforcer)
            return self._compiled[full]

    def compiled_for(self, names: Collection[str], *, full: bool) -> Compilation:
        """Return the tables that hosts of some names take; those of all where they were made already."""
        from ringfence.analysis.enforced_on_the_way import needed
        from ringfence.compiler import compile_policy
        from ringfence.enforcers import abilities_of, enforcer
        from ringfence.enforcers import names as installed
        from ringfence.plan.left_out import taken

        with self._lock:
            if full in self._tables:
                return self.compiled(full=full)
            (snapshot, _), workspace = self.enforcers(), self.workspace()
            policy, settings = workspace.policy, workspace.settings
            some = needed(snapshot, settings, names)
            with self.listener.working("compiling the policy"):
                made = compile_policy(
                    snapshot, policy, settings, full=full, abilities=abilities_of, only=some
                ).enforced(installed())
            return taken(made, self._held(), enforcer)

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

    def hand_over(self, other: Loading) -> None:
        """Let another state make its tables from what these were made from; here they are made from nothing again."""
        with self._lock:
            other._recompilers, self._recompilers = self._recompilers, {}

    def forget_tables(self) -> None:
        """Forget everything that was made of the assets and of the facts that hosts reported."""
        with self._lock:
            self._enforcers = None
            for tables in (self._tables, self._installed, self._compiled):
                tables.clear()

    def _answered(self, *, fresh: bool, hear: Hear | None = None) -> Survey:
        """Return what the inventory says, or said where a kept answer counts."""
        from ringfence.estate.last_answer import answer

        workspace = self._with_inventory()
        ask = partial(self._look, last=self.history.newest, hear=hear)
        hurried = self._hurried_resolver() if self.hurried else None
        fresh = fresh or not self.kept_counts
        self.answer = answer(workspace, self.history, ask, fresh=fresh, hurried=hurried)
        if self.answer.problem:
            self.listener.note(self.answer.problem)
        return self.answer.survey

    def _hurried_resolver(self) -> Resolver:
        """Return what resolves names without waiting long; what does not answer has the addresses that it had last."""
        from ringfence.sources.resolution import resolve_within

        try:
            newest = self.history.newest()
        except RingfenceError:
            newest = None
        assets = newest.assets if newest else ()
        known = {str(one.attributes.get("ansible_host", one.name)): one.addresses for one in assets}
        return partial(resolve_within, HURRIED_SECONDS, known)

    def _with_inventory(self) -> Workspace:
        workspace = self.workspace()
        if not workspace.inventory_paths:
            raise InputError(
                f"no inventory: there is no {workspace.directory}/inventory", remedy="put an Ansible inventory there"
            )
        return workspace

    def _look(self, resolve: Resolver, last: Last | None = None, hear: Hear | None = None) -> Survey:
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
                hear=hear,
            )
        found, note = self.history.with_first_claims(found, self.now())
        if note:
            self.listener.note(note)
        return found

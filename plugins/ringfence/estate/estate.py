"""A loaded workspace: settings, policy, assets and tables, each loaded when first asked for, and again on demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os.path import lexists
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.estate.history import History
from ringfence.estate.listening import SILENT, Listener
from ringfence.estate.loading import Loading
from ringfence.model.emergencies import FOLDER
from ringfence.model.workspace_files import PLANS, STATE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from ringfence.compiler import Compilation
    from ringfence.model.assets import Snapshot
    from ringfence.model.emergencies import Order
    from ringfence.model.tables import VerdictTable
    from ringfence.sources.heard_run import Hear
    from ringfence.sources.snapshots import SnapshotDifference
    from ringfence.sources.surveys import Survey
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
        self._state = Loading(directory, self.history, listener)

    @property
    def now(self) -> datetime:
        """Return the time at which this state was first asked for."""
        return self._state.now()

    @property
    def workspace(self) -> Workspace:
        """Return the loaded files. Raise InputErrors for files that cannot be read."""
        return self._state.workspace()

    def survey(self, *, fresh: bool = False, silent_stay: bool = True, hear: Hear | None = None) -> Survey:
        """Return the labelled assets with every problem found on the way.

        With `fresh` the inventory is asked again. Without `silent_stay` assets that only a silent source knew are
        gone; else they stay as they were last kept. `hear` is told of sources while they are asked.
        """
        return self._state.survey(fresh=fresh, silent_stay=silent_stay, hear=hear)

    def let_kept_count(self) -> None:
        """Use the last answer of the inventory for questions, as long as nothing that it depends on has changed."""
        self._state.kept_counts = True

    def hurry(self) -> None:
        """Wait for no name server, and use what the inventory said last, as far as that still holds."""
        self._state.kept_counts = self._state.hurried = True

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

    def compiled(self, *, full: bool = False, only: Collection[str] | None = None) -> Compilation:
        """Return the tables that hosts take, which answer every question; with `full`, as if every mode were full.

        With `only`, at least those of the hosts of these names: a question about two hosts needs no others.
        """
        return self._state.compiled(full=full) if only is None else self._state.compiled_for(only, full=full)

    def in_force(self, *, full: bool = False, only: Collection[str] | None = None) -> Compilation:
        """Return what `compiled` returns with the emergencies that stand: they decide before everything, in every mode.

        Plans are made without them: hosts carry them beside their tables.
        """
        return self.with_emergencies(self.compiled(full=full, only=only))

    def with_emergencies(self, made: Compilation) -> Compilation:
        """Return tables with the emergencies that stand, and the policy with their rules."""
        if not (standing := self.standing()):
            return made
        from ringfence.analysis.emergency_tier import with_emergencies

        return with_emergencies(made, standing)

    def overridden(self, tables: Mapping[str, VerdictTable]) -> Mapping[str, VerdictTable]:
        """Return tables that hosts hold, by host, with the emergencies that stand."""
        if not (standing := self.standing()):
            return tables
        from ringfence.analysis.emergency_tier import overridden

        return overridden(tables, self.snapshot.named(), self.workspace.settings, standing)

    def emergencies(self) -> tuple[Order, ...]:
        """Return every emergency of the workspace, as its files say now. Raise InputErrors where one is broken."""
        if not lexists(self.directory / FOLDER):
            return ()
        from ringfence.estate.emergencies import orders

        return orders(self.directory)

    def standing(self) -> tuple[Order, ...]:
        """Return the emergencies that stand now: those that were released, or have ended, do not."""
        now = current_time().timestamp()
        return tuple(order for order in self.emergencies() if order.stands(now))

    @property
    def enforcers(self) -> tuple[Snapshot, dict[str, str]]:
        """Return the assets with their enforcers chosen, and the reasons of those that facts decided, by host."""
        return self._state.enforcers()

    def hosts_told(self) -> None:
        """Forget enforcers and tables, because hosts have reported other facts."""
        self._state.forget_tables()

    def snapshots(self) -> list[Snapshot]:
        """Return the kept snapshots and the assets of now, oldest first: who held an address when."""
        return [replace(one, sees=self.workspace.settings.realms) for one in (*self.history.snapshots(), self.snapshot)]

    def keep_snapshot(self) -> None:
        """Keep the assets as they are now, where they differ from the newest that is kept."""
        from ringfence.estate.last_answer import newest_digest
        from ringfence.sources.survey_cache import FILE, rest_on

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
        after = Loading(self.directory, self.history, self.listener)
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

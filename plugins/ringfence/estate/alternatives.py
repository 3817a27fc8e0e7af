"""The tables that hosts would take if the policy, the settings or the labels of the assets were others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from ringfence.model.errors import InputError, InputErrors
from ringfence.model.problems import Severity

if TYPE_CHECKING:
    from ringfence.compiler import Compilation
    from ringfence.estate.estate import Estate
    from ringfence.model.assets import Snapshot
    from ringfence.model.label_rules import LabelRule
    from ringfence.model.rules import Policy, Settings


def compiled_as(
    estate: Estate,
    *,
    snapshot: Snapshot | None = None,
    policy: Policy | None = None,
    settings: Settings | None = None,
    full: bool = False,
) -> Compilation:
    """Return the tables that hosts would take under another snapshot, policy or settings; what is not given stays.

    Hosts that cannot take their table are left out as `Estate.compiled` leaves them out. With `full`, as if every mode
    were full.
    """
    from ringfence.compiler import compile_policy
    from ringfence.enforcers import abilities_of, enforcer, names
    from ringfence.plan import read_state
    from ringfence.plan.enforcer_choice import chosen
    from ringfence.plan.left_out import taken

    workspace, held = estate.workspace, read_state(estate.directory)
    assets, _ = chosen(snapshot or estate.snapshot, held)
    with estate.listener.working("compiling the policy"):
        made = compile_policy(
            assets,
            policy or workspace.policy,
            settings or workspace.settings,
            full=full,
            abilities=abilities_of,
        ).enforced(names())
    return taken(made, held, enforcer)


def compiled_between(estate: Estate, before: Snapshot, after: Snapshot) -> tuple[Compilation, Compilation]:
    """Return the tables that hosts would take with the assets of two snapshots; those that stay equal are shared.

    Hosts that cannot take their table are left out as `Estate.compiled` leaves them out.
    """
    from ringfence.compiler import Recompiler
    from ringfence.enforcers import abilities_of, enforcer, names
    from ringfence.plan import read_state
    from ringfence.plan.enforcer_choice import chosen
    from ringfence.plan.left_out import taken

    workspace, held = estate.workspace, read_state(estate.directory)
    old, new = (chosen(one, held)[0] for one in (before, after))
    with estate.listener.working("compiling the policy"):
        compiler = Recompiler(old, workspace.policy, workspace.settings, abilities=abilities_of)
        found = compiler.compilation, compiler.update(new, workspace.policy, workspace.settings)
    enforced = [one.enforced(names()) for one in found]
    first, second = (taken(one, held, enforcer) for one in enforced)
    return first, second


class Alternative:
    """The tables that hosts would take under one policy after another: each costs what differs from the one before."""

    def __init__(self, estate: Estate, *, full: bool = False) -> None:
        """Begin with the policy of the files; with `full`, as if every mode were full."""
        from ringfence.compiler import Recompiler
        from ringfence.enforcers import abilities_of
        from ringfence.plan import read_state

        workspace = estate.workspace
        self._settings, self._held = workspace.settings, read_state(estate.directory)
        self._snapshot = estate.enforcers[0]
        self._lock = Lock()
        with estate.listener.working("compiling the policy"):
            self._compiler = Recompiler(
                self._snapshot, workspace.policy, workspace.settings, full=full, abilities=abilities_of
            )

    def compiled(self, policy: Policy) -> Compilation:
        """Return the tables under a policy; hosts that cannot take theirs are left out as `Estate.compiled` does it."""
        from ringfence.enforcers import enforcer, names
        from ringfence.plan.left_out import taken

        with self._lock:
            made = self._compiler.update(self._snapshot, policy, self._settings).enforced(names())
        return taken(made, self._held, enforcer)


def relabelled(estate: Estate, rules: Sequence[LabelRule]) -> Snapshot:
    """Return the assets with the labels that other label rules give them; what the inventory itself gives stays.

    Raise InputErrors for rules that fail on an asset or contradict each other.
    """
    from ringfence.sources.host_variables import INVENTORY
    from ringfence.sources.labelling import apply_label_rules
    from ringfence.sources.told_labels import mark_told

    if tuple(rules) == estate.workspace.label_rules:
        return estate.snapshot
    bare = [
        replace(asset, labels={key: label for key, label in asset.labels.items() if label.rule == INVENTORY})
        for asset in estate.snapshot.assets
    ]
    labelled, problems = apply_label_rules(bare, rules)
    errors = [InputError(one.message, one.place, one.remedy) for one in problems if one.severity is Severity.ERROR]
    if errors:
        raise InputErrors(errors)
    return replace(estate.snapshot, assets=mark_told(labelled, rules)[0])

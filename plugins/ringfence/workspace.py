"""A workspace: the one place that turns a directory into its loaded parts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.language.definitions import Definitions
from ringfence.language.policy_files import policy_files
from ringfence.language.reports import Reports
from ringfence.model.errors import InputError, Place
from ringfence.model.problems import Problem, Severity
from ringfence.model.workspace_files import INVENTORY, LABELS, PLANS, POLICY, SETTINGS, STATE

if TYPE_CHECKING:
    from ringfence.language.mentions import Mention
    from ringfence.model.label_rules import LabelRule
    from ringfence.model.rules import Policy, Settings

__all__ = ["INVENTORY", "LABELS", "PLANS", "POLICY", "SETTINGS", "STATE", "Said", "Workspace", "load"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a directory says. Assets are not here: `ringfence.sources` finds them in `inventory_paths`.

    `policy_digest` is the sha256 over the settings' and the policy files' names and bytes; `mentions` are the labels,
    assets and processes that the policy speaks of, with their places; `definitions` what its files name. `problems` are
    warnings about files that are not read.
    """

    directory: Path
    settings: Settings
    policy: Policy
    label_rules: tuple[LabelRule, ...]
    inventory_paths: tuple[Path, ...]
    policy_digest: str
    mentions: tuple[Mention, ...] = ()
    definitions: Definitions = field(default_factory=Definitions)
    problems: tuple[Problem, ...] = ()

    @property
    def plans(self) -> Path:
        """Return the directory of the plans; it need not exist."""
        return self.directory / PLANS

    @property
    def state(self) -> Path:
        """Return the directory for what is found and kept (snapshots, flows, journal); it need not exist."""
        return self.directory / STATE


@dataclass(frozen=True, slots=True)
class Said:
    """What the settings, the label rules and the policy files say: it depends on their names and bytes alone."""

    settings: Settings
    label_rules: tuple[LabelRule, ...]
    policy: Policy
    mentions: tuple[Mention, ...]
    definitions: Definitions


Reading = Callable[[Path, Sequence[Path], Reports], Said]


def read_files(directory: Path, files: Sequence[Path], reports: Reports) -> Said:
    """Return what the settings, the label rules and the given policy files say; what is wrong is reported."""
    from ringfence.language.label_rules import read_label_rules
    from ringfence.language.policies import read_policy_into
    from ringfence.language.settings import read_settings

    mentions: list[Mention] = []
    settings = read_settings(directory / SETTINGS, reports, directory, mentions)
    rules = read_label_rules(directory / LABELS, reports, directory)
    loaded = read_policy_into(reports, files, settings, directory)
    return Said(settings, rules, loaded.policy, (*mentions, *loaded.mentions), loaded.definitions)


def load(directory: Path, read: Reading = read_files) -> Workspace:
    """Return the loaded parts of a workspace; `read` returns what its files say.

    Raise InputErrors with the errors of all its files, sorted by place; InputError if the directory is no workspace.
    """
    if not any((directory / name).exists() for name in (SETTINGS, POLICY, INVENTORY)):
        raise InputError(
            f"no workspace: there is neither {SETTINGS} nor {POLICY}/ nor {INVENTORY}/",
            Place(str(directory)),
            "go to a workspace, or make one with 'ringfence init'",
        )
    reports = Reports()
    misnamed = tuple(_misnamed(directory, reports))
    found = policy_files(directory / POLICY, directory, reports)
    said = read(directory, found.files, reports)
    reports.settle()
    inventory = directory / INVENTORY
    return Workspace(
        directory=directory,
        settings=said.settings,
        policy=said.policy,
        label_rules=said.label_rules,
        inventory_paths=(inventory,) if inventory.exists() else (),
        policy_digest=_digest(directory, [directory / SETTINGS, *found.files]),
        mentions=said.mentions,
        definitions=said.definitions,
        problems=(*misnamed, *found.problems),
    )


def _misnamed(directory: Path, reports: Reports) -> Iterator[Problem]:
    """Yield a warning for a file that is named nearly like one that is read; report it where that one is lacking."""
    for name in (SETTINGS, LABELS):
        stem = name.partition(".")[0]
        for path in sorted(directory.iterdir()):
            if path.name == name or path.name.casefold() not in {f"{stem}.yml", f"{stem}.yaml"}:
                continue
            place, message = Place(path.name), f"is not read: the file is called {name}"
            if os.path.lexists(directory / name):
                yield Problem(Severity.WARNING, message, place, f"remove it, there is a {name} beside it")
            else:
                reports.add(place, message, f"rename it to {name}")


def _digest(directory: Path, files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        content = path.read_bytes() if path.exists() else b""
        name = path.relative_to(directory).as_posix()
        total.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
    return total.hexdigest()

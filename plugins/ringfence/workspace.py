"""A workspace: the one place that turns a directory into its loaded parts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ringfence.language.definitions import Definitions
from ringfence.language.label_rules import read_label_rules
from ringfence.language.mentions import Mention
from ringfence.language.policies import read_policy_into
from ringfence.language.reports import Reports
from ringfence.language.settings import read_settings
from ringfence.model.errors import InputError, Place
from ringfence.model.label_rules import LabelRule
from ringfence.model.rules import Policy, Settings

SETTINGS = "ringfence.yml"
LABELS = "labels.yml"
POLICY = "policy"
INVENTORY = "inventory"
PLANS = "plans"
STATE = ".ringfence"


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a directory says. Assets are not here: `ringfence.sources` finds them in `inventory_paths`.

    `policy_digest` is the sha256 over the settings' and the policy files' names and bytes; `mentions` are the labels,
    assets and processes that the policy speaks of, with their places; `definitions` what its files name.
    """

    directory: Path
    settings: Settings
    policy: Policy
    label_rules: tuple[LabelRule, ...]
    inventory_paths: tuple[Path, ...]
    policy_digest: str
    mentions: tuple[Mention, ...] = ()
    definitions: Definitions = field(default_factory=Definitions)

    @property
    def plans(self) -> Path:
        """Return the directory of the plans; it need not exist."""
        return self.directory / PLANS

    @property
    def state(self) -> Path:
        """Return the directory for what is found and kept (snapshots, flows, journal); it need not exist."""
        return self.directory / STATE


def load(directory: Path) -> Workspace:
    """Return the loaded parts of a workspace.

    Raises InputErrors with the errors of all its files, sorted by place; InputError if the directory is no workspace.
    """
    if not any((directory / name).exists() for name in (SETTINGS, POLICY, INVENTORY)):
        raise InputError(
            f"no workspace: there is neither {SETTINGS} nor {POLICY}/ nor {INVENTORY}/",
            Place(str(directory)),
            "go to a workspace, or make one with 'ringfence init'",
        )
    reports = Reports()
    settings = read_settings(directory / SETTINGS, reports, directory)
    rules = read_label_rules(directory / LABELS, reports, directory)
    _check_directories(directory / POLICY, directory, reports)
    files = policy_files(directory)
    loaded = read_policy_into(reports, files, settings, directory)
    reports.settle()
    inventory = directory / INVENTORY
    return Workspace(
        directory=directory,
        settings=settings,
        policy=loaded.policy,
        label_rules=rules,
        inventory_paths=(inventory,) if inventory.exists() else (),
        policy_digest=_digest(directory, [directory / SETTINGS, *files]),
        mentions=loaded.mentions,
        definitions=loaded.definitions,
    )


def _check_directories(policy: Path, root: Path, reports: Reports) -> None:
    """Report a policy that is no directory, and directories in it that cannot be read: their rules would be missing."""

    def unread(error: OSError) -> None:
        place = Place(Path(error.filename).relative_to(root).as_posix())
        reports.add(
            place, f"cannot be read: {error.strerror}", "let yourself read it: its rules are part of the policy"
        )

    if os.path.lexists(policy) and not policy.is_dir():
        reports.add(Place(POLICY), "is no directory", "make it one, with the policy's files in it")
    elif policy.exists():
        for _ in os.walk(policy, onerror=unread):
            pass


def policy_files(directory: Path) -> tuple[Path, ...]:
    """Return the policy files of a workspace in the order of their names; hidden ones are left out."""
    policy = directory / POLICY
    found = [path for path in policy.rglob("*") if path.suffix in {".yml", ".yaml"} and not path.is_dir()]
    visible = [path for path in found if not any(part.startswith(".") for part in path.relative_to(policy).parts)]
    return tuple(sorted(visible, key=lambda path: path.relative_to(policy).as_posix()))


def _digest(directory: Path, files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        content = path.read_bytes() if path.exists() else b""
        name = path.relative_to(directory).as_posix()
        total.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
    return total.hexdigest()

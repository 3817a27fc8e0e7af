"""Suggested rules written into a copy of the policy: where each goes, and the difference as text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from ringfence.estate.draft_changes import AddRule, Change, WriteText
from ringfence.files import write_whole
from ringfence.language.checking import fields, items
from ringfence.language.documents import parse_documents, read_text
from ringfence.language.editing import add_rules
from ringfence.language.file_differences import unified
from ringfence.language.nodes import Node, plain
from ringfence.language.policies import read_policy
from ringfence.language.policy_files import policy_files
from ringfence.language.reports import Reports
from ringfence.language.writing import flow_text
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.model.rules import DEFAULT_TIER
from ringfence.model.safe_text import clean_line
from ringfence.suggest.cover import Choice
from ringfence.suggest.rules import Offered
from ringfence.workspace import POLICY

if TYPE_CHECKING:
    from ringfence.compiler import Compilation
    from ringfence.estate import Estate

BASELINE = "baseline"
OTHERS = "suggested"
_SLUG = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Fence:
    """The entry that closes an application: its workloads in mode `full`, before every other entry."""

    name: str
    where: object

    @property
    def id(self) -> str:
        """Return 8 hex digits, as a suggestion has them."""
        return blake2b(f"fence {self.name}".encode(errors="replace"), digest_size=4).hexdigest()

    @property
    def file(self) -> str:
        """Return the file it stands in, which is read before the others; no two applications share one."""
        found = slug(self.name)
        if found != self.name:
            found += f"-{blake2b(self.name.encode(errors='replace'), digest_size=4).hexdigest()}"
        return f"{POLICY}/00-fence-{found}.yml"

    def data(self) -> dict[str, object]:
        """Return plain data for `--json`."""
        return {"id": self.id, "where": self.where, "file": self.file}

    def text(self) -> str:
        """Return the file's text."""
        return (
            f"# {clean_line(self.name)}: what no rule allows is denied."
            " Of several entries for a workload the first counts.\n"
            f"enforce:\n  - where: {flow_text(self.where)}\n    mode: full\n"
        )


@dataclass
class Draft:
    """A copy of a workspace's policy, in a directory of its own, that rules are written into.

    `names` are the names that rules were given, by their id; `changes` are the same rules as changes to the draft that
    a person keeps, by the suggestion's id.
    """

    estate: Estate
    copy: Path
    key: str = "app"
    names: dict[str, str] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    _heads: dict[tuple[Path, int], Mapping[str, object]] = field(default_factory=dict)
    _documents: dict[Path, tuple[Node, ...]] = field(default_factory=dict)
    _before: dict[str, bytes] = field(default_factory=dict)
    _places: dict[str, tuple[Path, int]] = field(default_factory=dict)
    _counts: dict[Path, int] = field(default_factory=dict)
    _taken: dict[Path, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root, reports = self.estate.directory, Reports()
        (self.copy / POLICY).mkdir(parents=True)
        for path in policy_files(root / POLICY, root, reports).files:
            # what several names lead to is read, and copied, once
            name = path.relative_to(root).as_posix()
            target = self.copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            self._before[name] = path.read_bytes()
            target.write_bytes(self._before[name])
            self._documents[target] = parse_documents(read_text(target, name, reports) or "", name, reports)
        reports.settle()
        tiers = self.estate.workspace.settings.tiers
        self._tier = DEFAULT_TIER if DEFAULT_TIER in tiers else tiers[-1]
        self._last = BASELINE if BASELINE in tiers else tiers[-1]

    def write(self, offers: Sequence[Offered], fence: Fence | None = None) -> None:
        """Write rules behind those of their application, or of the baseline."""
        homes: dict[tuple[Path, int], list[dict[str, object]]] = {}
        for one in offers:
            path, document, scope = self._home(one)
            name = self.names[one.id] = self._name(path, one)
            rule = one.rule(name, scope)
            homes.setdefault((path, document), []).append(rule)
            file = path.relative_to(self.copy).as_posix()
            self.changes[one.id] = AddRule(file, rule, self._heads[path, document], one.id)
        for (path, document), rules in homes.items():
            add_rules(path, rules, document)
        if fence is not None:
            (self.copy / fence.file).write_text(fence.text(), encoding="utf-8")
            before = self._before.get(fence.file)
            old = None if before is None else before.decode("utf-8")
            self.changes[fence.id] = WriteText(fence.file, fence.text(), old)

    def changed(self) -> dict[str, tuple[str, str]]:
        """Return the text before and after of every file that is different, by its name in the workspace."""
        found = {}
        for path in sorted((self.copy / POLICY).rglob("*")):
            if path.is_file():
                name = path.relative_to(self.copy).as_posix()
                before, after = self._before.get(name, b""), path.read_bytes()
                if before != after:
                    found[name] = (before.decode("utf-8"), after.decode("utf-8"))
        return found

    def difference(self) -> str:
        """Return the unified difference, as git takes it."""
        return unified((name, before or None, after) for name, (before, after) in self.changed().items())

    def apply(self) -> list[str]:
        """Write every changed file into the workspace, each in one step, and return their names.

        Raise InputError, before anything is written, for a file that somebody changed meanwhile or that is read-only,
        and OutsideError, which names what was written already.
        """
        changed = self.changed()
        for name in changed:
            path = self.estate.directory / name
            if _read_only(path.resolve()):
                raise InputError(
                    "this file, or its directory, is read-only: nothing is written",
                    Place(name),
                    "make it writable, or give the difference to 'git apply' where the policy is kept",
                )
            if (path.read_bytes() if path.exists() else b"") != self._before.get(name, b""):
                raise InputError(
                    "this file was changed meanwhile", Place(name), "suggest once more; nothing is written"
                )
        written: list[str] = []
        for name, (_, after) in changed.items():
            try:
                write_whole((self.estate.directory / name).resolve(), after)
            except OSError as error:
                before = f"; {', '.join(written)} is written" if written else "; nothing is written"
                raise OutsideError(f"cannot be written: {error.strerror or error}{before}", Place(name)) from error
            written.append(name)
        return written

    def compiled(self) -> Compilation:
        """Return the policy with what was written, compiled as if every mode were `full`."""
        from ringfence.compiler import compile_policy
        from ringfence.enforcers import abilities_of, names

        reports = Reports()
        settings = self.estate.workspace.settings
        files = policy_files(self.copy / POLICY, self.copy, reports).files
        reports.settle()
        policy = read_policy(files, settings, self.copy).policy
        made = compile_policy(self.estate.enforcers[0], policy, settings, full=True, abilities=abilities_of)
        return made.enforced(names())

    def _home(self, one: Offered) -> tuple[Path, int, str | None]:
        """Return the file for a rule, the number of its document, and the application that this is the scope of."""
        if one.kind:
            head: Mapping[str, object] = {"tier": self._last}
            return *self._document(BASELINE, head), None
        sources, destinations = one.applications(self.key)
        apps = destinations or sources
        if len(apps) != 1 or self.key != "app":
            return *self._document(OTHERS, self._tiered({})), None
        app = next(iter(apps))
        return *self._document(app, self._tiered({"scope": {self.key: app}})), app

    def _tiered(self, head: Mapping[str, object]) -> Mapping[str, object]:
        return dict(head) if self._tier == DEFAULT_TIER else {**head, "tier": self._tier}

    def _document(self, name: str, head: Mapping[str, object]) -> tuple[Path, int]:
        """Return where rules with a head stand, in whatever file; else in a new document of the file of that name."""
        known = self._places.get(flow_text(head))
        if known is None:
            known = self._places[flow_text(head)] = self._found(name, head) or self._new(name, head)
            self._heads[known] = dict(head)
        return known

    def _found(self, name: str, head: Mapping[str, object]) -> tuple[Path, int] | None:
        own = self.copy / POLICY / f"{slug(name)}.yml"
        for path in sorted(self._documents, key=lambda path: (path != own, path)):
            for number, document in enumerate(self._documents[path]):
                if "rules" in fields(document) and _head(document) == dict(head):
                    return path, number
        return None

    def _new(self, name: str, head: Mapping[str, object]) -> tuple[Path, int]:
        own = self.copy / POLICY / f"{slug(name)}.yml"
        number = self._counts.get(own, len(self._documents.get(own, ())))
        self._counts[own] = number + 1
        text = own.read_bytes().decode("utf-8") if own.exists() else ""
        lines = [f"{key}: {flow_text(value)}\n" for key, value in head.items()]
        parting = ("" if text.endswith("\n") else "\n") + "---\n" if number else ""
        own.write_text("".join([text, parting, *lines, "rules: []\n"]), encoding="utf-8", newline="")
        return own, number

    def _name(self, path: Path, one: Offered) -> str:
        """Return a name that no rule of the file has."""
        taken = self._taken.get(path)
        if taken is None:
            taken = self._taken[path] = set(_names(self._documents.get(path, ())))
        name = one.kind or f"{_called(one.sources, one, self.key)} to {_called(one.destinations, one, self.key)}"
        if name in taken:
            name = f"{name}, {' '.join(one.service_words())}"
        number, plainly = 2, name
        while name in taken:
            name, number = f"{plainly} {number}", number + 1
        taken.add(name)
        return name


def _read_only(path: Path) -> bool:
    """Return whether somebody wants a file to stay as it is, root too, or its directory takes none."""
    there = path.parent
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK):
        return True
    return path.exists() and (not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK))


def _names(documents: Iterable[Node]) -> Iterator[str]:
    for document in documents:
        for item in items(fields(document).get("rules")):
            if "name" in fields(item):
                yield str(plain(fields(item)["name"].value))


def _head(document: Node) -> dict[str, object]:
    entries = fields(document)
    return {key: plain(entries[key].value) for key in ("scope", "tier", "priority") if key in entries}


def _called(choices: Sequence[Choice], one: Offered, key: str) -> str:
    """Return what a person calls one side: its role where that is enough."""
    first, second = one.applications(key)
    several = len(first | second) > 1
    words = []
    named = one.addresses[0 if choices is one.sources else 1]
    for choice in choices:
        labels = dict(choice.labels)
        if choice.peer and len(named) == 1:
            words.append(named[0])
        elif choice.peer or choice.asset:
            words.append(choice.peer or choice.asset)
        elif not labels:
            words.append("all hosts")
        else:
            kept = [value for name, value in choice.labels if several or name != key or len(labels) == 1]
            words.append(" ".join(kept))
    return " and ".join(dict.fromkeys(words)) if len(words) <= 2 else f"{words[0]} and {len(words) - 1} more"


def slug(name: str) -> str:
    """Return a name as that of a file."""
    return _SLUG.sub("-", name).strip("-.") or OTHERS

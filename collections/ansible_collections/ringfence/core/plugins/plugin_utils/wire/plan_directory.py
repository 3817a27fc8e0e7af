# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plan's directory, read and checked with nothing but the standard library."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache

from .vendored.plan_format import (
    DIGEST,
    NAMESPACE,
    PLAN_FILE,
    PLAN_FORMAT,
    RULESETS,
    SHORT,
    SIGNATURE_FILE,
    TABLE_SUFFIX,
    TABLES,
    part_name,
)

_DIGEST = re.compile(DIGEST)


class PlanError(Exception):
    """The plan cannot be used: `rule` is one word, the message says why and what to do."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True)
class Host:
    """What a plan says of one host; `wave` counts from 0.

    `containers` are the workloads that it holds, by name: `table`, `called` (by its engine), `addresses`. `forwarded`
    are groups of those that it judges as it forwards for them: `table`, `assets`, `addresses`.
    """

    name: str
    wave: int
    ruleset: str
    table: str
    expects: str
    enforcer: str
    control: dict
    options: dict
    runtime: list
    containers: dict = field(default_factory=dict)
    forwarded: list = field(default_factory=list)

    @property
    def cut(self) -> bool:
        """Whether established connections that the table denies are ended."""
        return bool(self.options.get("cut"))


@dataclass(frozen=True)
class Plan:
    """A plan whose `plan.json` is the one that its directory is named after."""

    directory: str
    digest: str
    data: dict

    @property
    def identity(self) -> str:
        """The first twelve digits of the digest, the plan's short name."""
        return self.digest[:SHORT]

    @property
    def sequence(self) -> int:
        """The plan's place in the order of plans."""
        return int(self.data["sequence"])

    @property
    def waves(self) -> list[list[str]]:
        """Host names, a list a wave."""
        return self.data["waves"]

    def host(self, name: str) -> Host:
        """Return what the plan says of a host. Raise PlanError where it says nothing."""
        entry = self.data["hosts"].get(name)
        if entry is None:
            raise PlanError("host", f"plan {self.identity} has no entry for {name}")
        wave = next((number for number, hosts in enumerate(self.waves) if name in hosts), len(self.waves))
        return Host(
            name=name,
            wave=wave,
            ruleset=entry["ruleset"],
            table=entry["table"],
            expects=entry["expects"],
            enforcer=entry["enforcer"],
            control=entry["control"] or {},
            options=entry["options"],
            runtime=entry["runtime"],
            containers=entry.get("containers", {}),
            forwarded=entry.get("forwarded", []),
        )

    def ruleset(self, digest: str, suffix: str) -> bytes:
        """Return a rendered ruleset. Raise PlanError if the file is not what its name says."""
        return self._part(RULESETS, digest, suffix)

    def table(self, digest: str) -> dict:
        """Return a verdict table. Raise PlanError where the file is not what its name says."""
        return json.loads(self._part(TABLES, digest, TABLE_SUFFIX))

    def signed_text(self) -> tuple[str, str] | None:
        """Return `plan.json` and its signature as texts, or None where it is not signed."""
        paths = [os.path.join(self.directory, name) for name in (PLAN_FILE, SIGNATURE_FILE)]
        if not os.path.exists(paths[1]):
            return None
        text, signature = (_read(path).decode() for path in paths)
        return text, signature

    def _part(self, folder: str, digest: str, suffix: str) -> bytes:
        if not _DIGEST.fullmatch(digest):
            raise PlanError("digest", f"plan {self.identity} has a file name that is not a digest: {digest}")
        path = os.path.join(self.directory, part_name(folder, digest, suffix))
        content = _read(path)
        if hashlib.sha256(content).hexdigest() != digest:
            raise PlanError("digest", f"{path} was changed after the plan was made: its sha256 is not its name")
        return content


def load_plan(directory: str) -> Plan:
    """Return the plan of a directory. Raise PlanError where it is missing, damaged or of an unknown format."""
    directory = os.path.abspath(os.path.expanduser(directory))
    path = os.path.join(directory, PLAN_FILE)
    try:
        stamp = os.stat(path)
    except OSError as error:
        raise PlanError("plan", f"there is no plan in {directory}: {error.strerror}") from error
    return _load(directory, path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=4)
def _load(directory: str, path: str, _modified: int, _size: int) -> Plan:
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    name = os.path.basename(os.path.realpath(directory))
    if len(name) < SHORT or not digest.startswith(name):
        raise PlanError("digest", f"{path} was changed: its sha256 begins with {digest[:12]}, not with {name}")
    try:
        data = json.loads(content)
    except ValueError as error:
        raise PlanError("plan", f"{path} is not valid JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != PLAN_FORMAT:
        found = data.get("format") if isinstance(data, dict) else "none"
        raise PlanError("format", f"{path} has format {found}, but this release reads format {PLAN_FORMAT}")
    return Plan(directory, digest, data)


def check_validity(plan: Plan, now: datetime | None = None) -> None:
    """Raise PlanError where the plan's time is over."""
    until = datetime.fromisoformat(plan.data["valid_until"].replace("Z", "+00:00"))
    if (now or datetime.now(timezone.utc)) > until:
        raise PlanError("expired", f"plan {plan.identity} was valid until {plan.data['valid_until']}: make a new one")


def check_signature(plan: Plan, allowed_signers: str | None) -> str | None:
    """Return who signed the plan, or None where no signers are installed.

    The signers are those of `allowed_signers` (the format of ssh-keygen(1)), or of the file of that name in the
    workspace, two directories above the plan. Raise PlanError where there are signers and none of them signed.
    """
    path = allowed_signers or os.path.join(os.path.dirname(os.path.dirname(plan.directory)), "allowed_signers")
    if not os.path.exists(path):
        if allowed_signers:
            raise PlanError("signature", f"no allowed signers file at {path}")
        return None
    signature = os.path.join(plan.directory, SIGNATURE_FILE)
    if not os.path.exists(signature):
        raise PlanError("signature", f"plan {plan.identity} is not signed, but {path} requires a signature")
    if shutil.which("ssh-keygen") is None:
        raise PlanError(
            "signature", "ssh-keygen is not installed on the controller, so the plan's signature cannot be checked"
        )
    content = _read(os.path.join(plan.directory, PLAN_FILE))
    principals = _keygen(b"", "-Y", "find-principals", "-s", signature, "-f", path)
    for who in principals.stdout.decode(errors="replace").split("\n"):
        if (
            who
            and not _keygen(content, "-Y", "verify", "-f", path, "-I", who, "-n", NAMESPACE, "-s", signature).returncode
        ):
            return who
    raise PlanError("signature", f"plan {plan.identity} is signed by none of the signers in {path}")


def _keygen(content: bytes, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["ssh-keygen", *arguments], input=content, capture_output=True, check=False)


def regular_file(path: str) -> bytes:
    """Return the content of a file.

    Raise PlanError for a pipe or a device, which may never end, and OSError where it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PlanError("plan", f"{path} is not a regular file: remove it")
        return file.read()


def _read(path: str) -> bytes:
    try:
        return regular_file(path)
    except OSError as error:
        raise PlanError("plan", f"cannot read {path}: {error.strerror}") from error

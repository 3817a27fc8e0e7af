"""Permissions that somebody else approves: a request is a file, an approval its signature."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ringfence.analysis.peer_resolution import chosen_addresses, chosen_outside
from ringfence.estate.directory import current_time
from ringfence.estate.queries import ITSELF
from ringfence.files import regular_file, write_whole
from ringfence.model.emergencies import FOLDER, ID, SUFFIX, Kind
from ringfence.model.errors import InputError, OutsideError, Place
from ringfence.operations.allow_for import Permission, PermissionRequest, permission_of
from ringfence.operations.approval_signature import NAMESPACE, signed_by
from ringfence.operations.emergency_ends import new_id, who_asks
from ringfence.operations.passing_anyway import Passing, passing_anyway
from ringfence.plan.signature import sign_file
from ringfence.wire import emergency_lines

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.emergency_settings import Approval
    from ringfence.operations.execution import Execution

REQUESTS = "requests"
# How long an approval can be waited for, and used, in seconds; how far ahead the clock of who asked may be.
VALID = 24 * 3600
AHEAD = 300
_ANEW = "make a new one: ringfence request"
_SIGNERS = "write 'emergencies: {allowed_signers: approvers, approvals: […]}' into ringfence.yml"


class Request(BaseModel):
    """What is asked for, and signed to the byte; `until` is when it cannot be given any more, in seconds since 1970."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Literal[1] = 1
    id: str = Field(pattern=f"^{ID.pattern}$")
    who: str = Field(max_length=emergency_lines.MOST_WHO)
    why: str = Field(max_length=emergency_lines.MOST_WHY)
    asked: int = Field(ge=0, le=emergency_lines.LAST_SECOND)
    until: int = Field(ge=0, le=emergency_lines.LAST_SECOND)
    within: str
    source: str
    destination: str
    service: str
    # what each host would be given, as its lines: a host with signers of its own takes exactly these
    hosts: dict[str, tuple[str, ...]] = Field(default_factory=dict, strict=False)

    @property
    def permission(self) -> PermissionRequest:
        """Return it as what `allow-for` takes."""
        return PermissionRequest(self.within, self.source, self.destination, self.service, self.why)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and its file; `free` says that the workspace wants no approval for it.

    `passing` are the pairs of ends that it would change nothing for, told when it is made.
    """

    request: Request
    path: Path
    free: bool = False
    passing: tuple[Passing, ...] = ()

    @property
    def signature(self) -> Path:
        """Return the file of its approval, which need not be there."""
        return self.path.with_name(f"{self.path.name}.sig")


def request_permission(estate: Estate, wanted: PermissionRequest, execution: Execution | None = None) -> Asked:
    """Write a request and return it. Raise InputErrors for what could not be given either, as a guardrail."""
    permission = permission_of(estate, wanted, execution, approved=True)
    now = int(current_time().timestamp())
    request = Request(
        id=new_id(Kind.PERMISSION),
        who=who_asks(),
        why=permission.order.why,
        asked=now,
        until=now + VALID,
        within=wanted.within,
        source=wanted.source,
        destination=wanted.destination,
        service=wanted.service,
        hosts=_lines(permission),
    )
    path = _folder(estate) / f"{request.id}.json"
    try:
        write_whole(path, _text(request))
    except OSError as error:
        raise OutsideError(f"the request is not kept: {error.strerror}", Place(str(path))) from error
    free = not wanted_approvals(estate, permission)
    return Asked(request, path, free, passing_anyway(estate, permission.order))


def request_called(estate: Estate, name: str) -> Asked:
    """Return the request of an id. Raise InputError where there is none, and for one that is broken or too old."""
    path = _folder(estate) / f"{name}.json"
    if not ID.fullmatch(name) or not path.is_file():
        raise InputError(f"there is no request {name}", remedy="ringfence request makes one; its file can be pulled")
    asked = read_request(path)
    if too_old(asked.request, current_time().timestamp()):
        raise InputError(f"{name} can only be given within a day", _place(path), _ANEW)
    return asked


def too_old(request: Request, now: float) -> bool:
    """Return whether a request can be given no more, or is of a time that cannot be."""
    return now >= request.until or request.until - request.asked > VALID or request.asked > now + AHEAD


def read_request(path: Path) -> Asked:
    """Return the request of a file, however old. Raise InputError for one that is broken."""
    place, name = _place(path), path.name.removesuffix(SUFFIX)
    try:
        content = regular_file(path)
        request = Request.model_validate_json(content)
    except (ValidationError, OSError) as error:
        raise InputError("this is not a request", place, _ANEW) from error
    if request.id != name:
        raise InputError(f"this is the request {request.id} under another name", place, "delete it")
    # hosts read it a line at a time: what they would take is what is shown here
    if content != _text(request).encode():
        raise InputError("this is not written as Ringfence writes a request", place, _ANEW)
    return Asked(request, path)


def _place(path: Path) -> Place:
    return Place(f"{FOLDER}/{REQUESTS}/{path.name}", 1)


def approve(estate: Estate, asked: Asked, key: Path) -> tuple[str, ...]:
    """Sign a request and return whom the signature is of. Raise InputError, and keep none, where it would not count."""
    _meant(asked, permission_of(estate, asked.request.permission, approved=True))
    sign_file(asked.path, asked.signature, key, NAMESPACE)
    try:
        return approvers(estate, asked)
    except InputError:
        asked.signature.unlink(missing_ok=True)
        raise


def approvers(estate: Estate, asked: Asked) -> tuple[str, ...]:
    """Return the principals whose signature approves a request.

    Raise InputError where it has none, or one of somebody who may not approve it.
    """
    settings = estate.workspace.settings.emergencies
    permission = permission_of(estate, asked.request.permission, approved=True)
    place = _place(asked.path)
    if not asked.signature.is_file():
        raise InputError(f"nobody has approved {asked.request.id}", place, f"ringfence approve {asked.request.id}")
    if not settings.allowed_signers:
        raise InputError("the workspace names no file of those who may approve", remedy=_SIGNERS)
    signers = estate.directory / settings.allowed_signers
    if not signers.is_file():
        raise InputError(
            "there is no such file, and 'allowed_signers' in 'emergencies' of ringfence.yml names it",
            Place(settings.allowed_signers),
            "write a line for each who may approve, as ssh-keygen(1) has it: alice@example.com ssh-ed25519 AAAA…",
        )
    wanted = wanted_approvals(estate, permission)
    signature = signed_by(asked.path, asked.signature, signers, [one for approval in wanted for one in approval.by])
    named: list[str] = []
    for approval in wanted:
        by = [one for one in approval.by if one in signature.principals]
        named += [one for one in by if one not in named]
        if not by:
            whose = " or ".join(signature.principals)
            raise InputError(f"{whose} may not approve this: {', '.join(approval.by)} may", approval.place)
        if approval.second_factor and not signature.verified:
            raise InputError(
                f"this needs a second factor, and the signature of {signature.principals[0]} "
                + ("asked its owner for none" if signature.hardware else "is of a key that is no hardware"),
                approval.place,
                "sign with an sk- key that was made with 'ssh-keygen -t ed25519-sk -O verify-required'",
            )
    return tuple(named) or signature.principals


def granted(estate: Estate, name: str, execution: Execution | None = None) -> Permission:
    """Return an approved request as the permission that is to be carried out, which begins now.

    Raise InputError where it is not approved, or was given before.
    """
    asked = request_called(estate, name)
    if any(order.id == name for order in estate.emergencies()):
        raise InputError(f"{name} was given already", remedy=_ANEW)
    whose = approvers(estate, asked)
    permission = permission_of(estate, asked.request.permission, execution, approved=True, identity=asked.request)
    _meant(asked, permission)
    return replace(permission, order=replace(permission.order, approved_by=whose))


def _meant(asked: Asked, permission: Permission) -> None:
    """Raise InputError where hosts would be given something else than the words of a request mean now.

    Hosts with signers of their own take what is signed: nobody signs more than what was shown.
    """
    if _lines(permission) != asked.request.hosts:
        raise InputError(
            f"the addresses or hosts that {asked.request.id} means are others than when it was asked for",
            _place(asked.path),
            _ANEW,
        )


def _text(request: Request) -> str:
    return json.dumps(request.model_dump(), indent=2) + "\n"


def _lines(permission: Permission) -> dict[str, tuple[str, ...]]:
    """Return what a permission opens by host, in the lines of the wire, without who, why and when."""
    texts = {name: emergency_lines.format([entry]).splitlines() for name, entry in sorted(permission.entries.items())}
    return {name: tuple(line for line in lines if line.startswith("element ")) for name, lines in texts.items()}


def approval_of(directory: Path, identity: str) -> dict[str, str] | None:
    """Return the text of a request and of its signature, which hosts with signers of their own check; None without."""
    path = directory / FOLDER / REQUESTS / f"{identity}.json"
    try:
        text, signature = (regular_file(one).decode() for one in (path, path.with_name(f"{path.name}.sig")))
    except (OSError, UnicodeDecodeError):
        return None
    return {"text": text, "signature": signature}


def wanted_approvals(estate: Estate, permission: Permission) -> tuple[Approval, ...]:
    """Return the approvals that a permission needs: for each address of a server the first entry that chooses it."""
    approvals, order = estate.workspace.settings.emergencies.approvals, permission.order
    found: list[Approval] = []
    named = estate.snapshot.named()
    for member in sorted(order.second.members, key=lambda one: one.name):
        asset, left = named[member.name], member.addresses or ITSELF
        for one in approvals:
            chosen = chosen_addresses(one.where, asset, left)
            left -= chosen
            found += [one] if chosen and one not in found else []
    left, private = order.second.outside, estate.workspace.settings.private_addresses()
    for one in approvals:
        chosen = chosen_outside(one.where, left, private)
        left -= chosen
        found += [one] if chosen and one not in found else []
    return tuple(found)


def _folder(estate: Estate) -> Path:
    return estate.directory / FOLDER / REQUESTS

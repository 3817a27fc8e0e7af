"""Requests for permissions that were not given yet: who approved them, or who may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.estate.directory import current_time
from ringfence.estate.emergencies import kept_order
from ringfence.model.emergencies import FOLDER, ID, SUFFIX
from ringfence.model.errors import InputError, InputErrors, RingfenceError
from ringfence.model.problems import Problem, Severity
from ringfence.operations.allow_for import permission_of
from ringfence.operations.request import REQUESTS, approvers, read_request, too_old, wanted_approvals

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.model.emergencies import Order
    from ringfence.model.emergency_settings import Approval
    from ringfence.operations.request import Request


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that can still be given: `approved_by` are who signed it, `wanted` whose signatures it needs.

    `order` is what it would be.
    """

    request: Request
    order: Order
    approved_by: tuple[str, ...]
    wanted: tuple[Approval, ...]

    def data(self) -> dict[str, object]:
        """Return plain data for JSON."""
        asked = self.request
        return {
            "id": asked.id,
            "who": asked.who,
            "why": asked.why,
            "asked": asked.asked,
            "until": asked.until,
            "within": asked.within,
            "source": asked.source,
            "destination": asked.destination,
            "service": asked.service,
            "hosts": sorted(asked.hosts),
            "approved_by": list(self.approved_by),
            "may_approve": [{"by": list(one.by), "second_factor": one.second_factor} for one in self.wanted],
        }


def waiting_requests(estate: Estate) -> tuple[tuple[Waiting, ...], list[Problem]]:
    """Return the requests that were not given and are not too old, the newest last, and which cannot be given."""
    found, problems = [], []
    folder = estate.directory / FOLDER / REQUESTS
    now = current_time().timestamp()
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
        name = path.name.removesuffix(SUFFIX)
        try:
            if not ID.fullmatch(name) or kept_order(estate.directory, name) is not None:
                continue
            asked = read_request(path)
            if too_old(asked.request, now):
                continue
            permission = permission_of(estate, asked.request.permission, approved=True, identity=asked.request)
            wanted, signed = wanted_approvals(estate, permission), asked.signature.is_file()
        except RingfenceError as error:
            problems.append(_problem(name, "cannot be given", error))
            continue
        approved: tuple[str, ...] = ()
        try:
            approved = approvers(estate, asked) if signed else ()
        except RingfenceError as error:
            problems.append(_problem(name, "is not approved by its signature", error))
        found.append(Waiting(asked.request, permission.order, approved, wanted))
    return tuple(sorted(found, key=lambda one: (one.request.asked, one.request.id))), problems


def _problem(name: str, what: str, error: RingfenceError) -> Problem:
    first: InputError | RingfenceError = error.errors[0] if isinstance(error, InputErrors) else error
    return Problem(Severity.WARNING, f"the request {name} {what}: {first.message}", first.place, first.remedy)

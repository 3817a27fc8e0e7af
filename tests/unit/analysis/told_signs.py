"""The sign on a map of a flow, from what `simulate --json` tells of it."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.model.picture import Sign
from ringfence.model.tables import DEFAULT_RULE


def sign_of(told: Mapping[str, object], *, unknown: bool = True) -> Sign:
    """Return the sign; `unknown` says whether an end that is nobody's is an address of one's own networks."""
    sides = told["sides"]
    assert isinstance(sides, list)
    rules = [side["rule"] for side in sides if side["rule"] is not None]
    if told["depends_on_process"]:
        return Sign.NOT_JUDGED
    if told["verdict"] == "deny":
        return Sign.DENIED
    if told["would_be_denied"]:
        return Sign.WOULD_BE_DENIED
    if any(rule != DEFAULT_RULE for rule in rules):
        return Sign.ALLOWED
    return Sign.UNDECIDED if rules or not unknown else Sign.NOT_JUDGED

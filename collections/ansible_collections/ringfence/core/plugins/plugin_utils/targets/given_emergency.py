# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the variable ringfence_emergency gives one host: lines or ids, for all or by host, also as text of a survey."""

from __future__ import annotations

import json
from collections.abc import Collection

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.first_few import first_few

VARIABLE = "ringfence_emergency"
_LINES = "the lines that 'ringfence quarantine … --variables' prints"
_IDS = "ids of emergencies, such as q-1a2b3c4d"


def given_to(host: str, given: object, inventory: Collection[str] | None, *, ends: bool) -> tuple[str, list[str]]:
    """Return the text that is for a host, empty where it is not asked, and warnings.

    With `ends` it is ids, which the lines of an emergency name as well. `inventory` are the names of all hosts.
    Raise PlanError for what is neither, is empty, or names no host of the inventory.
    """
    given = _read(given)
    nowhere: list[str] = []
    if isinstance(given, dict):
        nowhere = _of_no_host(given, inventory)
        own = given.get(host, "")
    else:
        own = given
        if not own:
            raise PlanError("input", f"{VARIABLE} is empty; it is {_IDS if ends else _LINES}")
    text = _text(own, _IDS if ends else _LINES)
    if ends:
        return "\n".join(_ids(text)), nowhere
    if text and not any(line.startswith("emergency ") for line in text.splitlines()):
        playbook = "; to end an emergency by its id is the playbook 'release'" if _are_ids(text) else ""
        raise PlanError("input", f"{VARIABLE} has no line of an emergency in it; it is {_LINES}{playbook}")
    return text, nowhere


def _read(given: object) -> object:
    """Return what was given, with a text that is JSON as what it says: a survey of AWX gives nothing else."""
    if isinstance(given, str):
        given = given.strip()
        if given.startswith(("{", "[")):
            try:
                given = json.loads(given)
            except ValueError as error:
                raise PlanError("input", f"{VARIABLE} begins as JSON and is not valid: {error}") from error
    if isinstance(given, dict) and VARIABLE in given:
        raise PlanError("input", f"{VARIABLE} has all that --variables prints in it; give that as variables: -e @FILE")
    return given


def _text(own: object, what: str) -> str:
    if isinstance(own, (list, tuple)) and all(isinstance(one, str) for one in own):
        own = "\n".join(own)
    if not isinstance(own, str):
        raise PlanError("input", f"{VARIABLE} must be {what}, or a mapping of host names to them")
    return own.strip()


def _ids(text: str) -> list[str]:
    """Return the ids of a text, also where it is the lines that put emergencies on hosts."""
    heads = [words[1] for line in text.splitlines() if (words := line.split())[:1] == ["emergency"] and words[1:]]
    return heads or text.replace(",", " ").split()


def _are_ids(text: str) -> bool:
    return all(word[:2].lower() in ("q-", "p-") for word in text.replace(",", " ").split())


def _of_no_host(given: dict, inventory: Collection[str] | None) -> list[str]:
    """Return a warning for hosts of a mapping that the inventory does not have, so that nobody tells them.

    Raise PlanError where it has none of them: a play that tells nobody would end as if all hosts held it.
    """
    if inventory is None:
        return []
    unknown = sorted({str(one) for one in given}.difference(inventory))
    few = first_few(unknown)
    if len(unknown) == len(given):
        which = f"names no host of this inventory: {few}" if given else "is empty"
        remedy = "its names are those of the inventory, as 'ansible-inventory --list' has them"
        raise PlanError("input", f"{VARIABLE} {which}; {remedy}")
    lacking = f"{VARIABLE} names hosts that this inventory does not have, so they hold nothing of it: {few}"
    return [lacking] if unknown else []

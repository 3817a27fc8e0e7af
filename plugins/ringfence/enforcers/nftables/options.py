"""What the variable `ringfence_nftables` asks of a host beside its own table, and what in it is not valid."""

from __future__ import annotations

from collections.abc import Mapping

from ringfence.enforcers import Facts, OptionFault
from ringfence.enforcers.nftables.features import CURRENT
from ringfence.language.reports import meant
from ringfence.model.addresses import EVERY_ADDRESS, addresses_of
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet, union

BRIDGED, FORWARDS = "bridged", "forwards"
# Beside them the facts that somebody settles, as hosts tell them.
KNOWN = (BRIDGED, FORWARDS, *CURRENT.data())
_MAPPING = "write a mapping: {bridged: true}, {forwards: true}"
_LIST = "write 'forwards: true', or a list of the networks that it is to judge: [10.2.0.0/24]"
_NETWORK = "write a network, an address or a range: 10.2.0.0/24"
# Characters of a value that a message repeats.
_SHOWN = 60


def networks_asked_for(facts: Facts) -> IntervalSet | None:
    """Return the addresses that `forwards` of a host names: all for true, None where it is not asked to judge any.

    Entries that are not valid are left out: `option_faults` names them.
    """
    return _forwards(facts.get(FORWARDS, False))[0]


def option_faults(given: object) -> list[OptionFault]:
    """Return what is not valid in the value of the variable."""
    if not isinstance(given, Mapping):
        return [OptionFault("", f"is {_shown(given)}, not a mapping", _MAPPING)]
    found = [
        OptionFault(str(key), f"has {_shown(key)}, which is not one of its keys", meant(str(key), KNOWN) or _MAPPING)
        for key in given
        if key not in KNOWN
    ]
    if not isinstance(given.get(BRIDGED, False), bool):
        why = f"has {_shown(given[BRIDGED])} as 'bridged', which is neither true nor false"
        found.append(OptionFault(BRIDGED, why, "write 'bridged: true' or 'bridged: false'"))
    return [*found, *_forwards(given.get(FORWARDS, False))[1]]


def _forwards(asked: object) -> tuple[IntervalSet | None, list[OptionFault]]:
    if isinstance(asked, bool):
        return EVERY_ADDRESS if asked else None, []
    if not isinstance(asked, list) or not asked:
        why = f"has {_shown(asked)} as 'forwards', which is neither true nor false nor a list of networks"
        return None, [OptionFault(FORWARDS, why, _LIST)]
    networks, faults = [], []
    for one in asked:
        try:
            if not isinstance(one, str):
                raise InputError(f"{_shown(one)} is not a valid address, network or range")
            networks.append(addresses_of([one]))
        except InputError as error:
            faults.append(OptionFault(FORWARDS, f"has in 'forwards' what is not valid: {error.message}", _NETWORK))
    return union(networks) if networks else None, faults


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

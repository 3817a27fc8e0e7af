"""Whom an emergency means: assets with their addresses as they are now, chosen without waiting for what is slow."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.analysis.carrying_hosts import Carriers, carriers
from ringfence.analysis.emergency_members import of_now
from ringfence.analysis.held_containers import forwarded_by, held_containers
from ringfence.analysis.peer_resolution import Ends, chosen_addresses, points_of
from ringfence.enforcers import held_by_host
from ringfence.enforcers import names as installed_enforcers
from ringfence.estate.queries import ITSELF, QueryReader
from ringfence.language.definitions import Definitions
from ringfence.model.emergencies import EmergencyEnd, Kind, Member
from ringfence.model.errors import InputError, InputErrors, RingfenceError
from ringfence.model.intervals import union
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Settings
from ringfence.model.safe_text import clean_line
from ringfence.model.selectors import FqdnIs, leaves
from ringfence.model.spans import SPAN, seconds
from ringfence.operations.emergency_entries import entry_of
from ringfence.person import person
from ringfence.plan.host_names import askable
from ringfence.wire.emergency_lines import LONGEST, MOST_WHO, MOST_WHY, EmergencyError

if TYPE_CHECKING:
    from ringfence.estate import Estate
    from ringfence.estate.listening import Listener
    from ringfence.model.assets import Asset, Snapshot
    from ringfence.model.emergencies import Order
    from ringfence.operations.execution import Execution
    from ringfence.wire.emergency_lines import Emergency


@dataclass(frozen=True, slots=True)
class Known:
    """The assets and the settings that an emergency is decided on."""

    snapshot: Snapshot
    definitions: Definitions
    settings: Settings

    def end(self, texts: Sequence[str]) -> EmergencyEnd:
        """Return whom selectors mean. Raise InputErrors for one that is not valid or means nobody."""
        queries = QueryReader(self.definitions, self.snapshot)
        selectors = [one for text in texts for one in queries.selectors(text)]
        if names := [leaf.name for one in selectors for leaf in leaves(one) if isinstance(leaf, FqdnIs)]:
            raise InputError(f"'{names[0]}' is a name, and its addresses change", remedy="name an asset or a network")
        members = []
        for asset in self.snapshot.assets:
            points = points_of(asset) | ITSELF
            if chosen := union(chosen_addresses(one, asset, points) for one in selectors):
                members.append(Member(asset.name, chosen - ITSELF, asset.realm))
        outside = Ends(self.snapshot, self.settings).outside(selectors, "default")
        if texts and not members and not outside:
            raise InputError(
                f"'{', '.join(texts)}' means no asset and no address", remedy="ringfence assets lists what can be named"
            )
        return EmergencyEnd(tuple(texts), tuple(members), outside)

    def enforced(self) -> tuple[Asset, ...]:
        """Return the workloads that Ansible can be asked for and that an installed enforcer is for."""
        own = {name for name in installed_enforcers() if not held_by_host(name)}
        return tuple(one for one in self.snapshot.assets if one.workload and one.enforcer in own and askable(one.name))

    def carriers(self) -> Carriers:
        """Return the containers that hosts hold, by name."""
        return carriers(self.snapshot.assets)

    def entries(self, order: Order) -> tuple[dict[str, Emergency], frozenset[str]]:
        """Return what hosts are given of an emergency, and on which assets these enforce, containers among them.

        Raise InputError for one of more than a host takes.
        """
        hosts = self.enforced()
        order = of_now(order, self.snapshot.assets)
        inside = held_containers(self.snapshot, hosts)
        behind = forwarded_by(self.snapshot, self.settings, order.first.names | order.second.names)
        ways = [behind.get(one.name, ()) for one in hosts]
        enforced = {one.name for one in hosts} | {one.asset.name for some in (*inside.values(), *ways) for one in some}
        carried = self.carriers()
        given = {}
        for one in hosts:
            try:
                entry = entry_of(order, one, self.settings, inside.get(one.name, ()), carried, behind.get(one.name, ()))
            except EmergencyError as error:
                raise InputError(f"{one.name} cannot take it: {error}", order.place, "choose fewer assets") from error
            if entry is not None:
                given[one.name] = entry
        return given, frozenset(enforced)


def known(estate: Estate, listener: Listener) -> Known:
    """Return what is known of the assets now.

    Where files or the inventory are broken, the assets are those that were kept last: a wrong label rule stops nobody
    from isolating a machine. Raise InputErrors where there are none either.
    """
    estate.hurry()
    try:
        workspace = estate.workspace
        return Known(estate.enforcers[0], workspace.definitions, workspace.settings)
    except RingfenceError as error:
        newest = estate.history.newest()
        if newest is None:
            raise
        errors = error.errors if isinstance(error, InputErrors) else [error]
        message = f"the workspace cannot be read ({errors[0].message}), so the assets are those of {newest.taken:%F %R}"
        listener.problems([Problem(Severity.WARNING, message, errors[0].place, "mend it later: ringfence check")])
        return Known(newest, Definitions(), Settings())


def direct_execution(estate: Estate, execution: Execution) -> Execution:
    """Return an execution that reaches hosts over bare ssh, as their inventory says."""
    from ringfence.operations.direct_runner import DirectRunner

    now = known(estate, execution.listener)
    return replace(execution, runner=DirectRunner(now.snapshot.named(), now.settings.control))


def new_id(kind: Kind) -> str:
    """Return an id that nobody has."""
    return f"{kind[0]}-{secrets.token_hex(4)}"


def who_asks() -> str:
    """Return who works here, as the lines for hosts can say it."""
    return clean_line(person())[:MOST_WHO]


def checked_reason(why: str) -> str:
    """Return a reason in one line. Raise InputError for none, and for one that is too long."""
    said = clean_line(why.strip())
    if not said or len(said) > MOST_WHY:
        raise InputError(
            "an emergency needs a reason" if not said else f"a reason has at most {MOST_WHY} characters",
            remedy="say why in a few words: --because 'scans the network, ticket 4711'",
        )
    return said


def span_seconds(text: str) -> int:
    """Return the seconds of `90s`, `30m`, `4h` or `2d`. Raise InputError for anything else, and for too long."""
    if not re.fullmatch(SPAN, text) or not 0 < seconds(text) <= LONGEST:
        raise InputError(f"'{text}' is not a time span of at most 30 days", remedy="write 90s, 30m, 4h or 2d")
    return seconds(text)

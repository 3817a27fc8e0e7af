"""What is wrong with assets as a whole: no addresses, one address twice where it must be told apart, unknown realms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations

from ringfence.model.addresses import DEFAULT_REALM, address_text
from ringfence.model.assets import Asset
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Settings
from ringfence.sources.duplicates import duplicate_problems
from ringfence.sources.host_variables import is_template
from ringfence.sources.label_spellings import spelling_problems
from ringfence.wire.first_few import first_few


def asset_problems(assets: Sequence[Asset], settings: Settings) -> tuple[Problem, ...]:
    """Return an error for every address in two realms that meet, and warnings for assets that no policy can reach.

    Two realms meet where one sees the other, or a third sees both. Within one realm several assets may hold an address
    (a VIP): that is a warning only where it cannot be one. Labels in several spellings are a warning too.
    """
    return (
        *_met_twice(assets, settings),
        *duplicate_problems(assets),
        *_without_addresses(assets),
        *_unknown_realms(assets, settings),
        *_managed_elsewhere(assets, settings),
        *spelling_problems(assets),
    )


def _met_twice(assets: Sequence[Asset], settings: Settings) -> list[Problem]:
    meetings = _meetings({asset.realm for asset in assets}, settings)
    if not meetings:
        return []
    holders: dict[int, dict[str, str]] = defaultdict(dict)
    for asset in assets:
        for point in asset.addresses:
            holders[point].setdefault(asset.realm, asset.name)
    problems: list[Problem] = []
    for point, by_realm in sorted(holders.items()):
        for first, second in combinations(sorted(by_realm), 2):
            seen_by = meetings.get((first, second))
            if seen_by is not None:
                message = (
                    f"{address_text(point)} is the address of '{by_realm[first]}' in realm '{first}' and of "
                    f"'{by_realm[second]}' in realm '{second}', and realm '{seen_by}' sees both"
                )
                remedy = "correct the addresses or ringfence_realm, or let the realms not see each other"
                problems.append(Problem(Severity.ERROR, message, None, remedy))
    return problems


def _meetings(realms: set[str], settings: Settings) -> Mapping[tuple[str, str], str]:
    """Return every pair of realms, in order, that one realm sees both of, and the first such realm."""
    found: dict[tuple[str, str], str] = {}
    for realm in sorted(realms | set(settings.realms)):
        for pair in combinations(sorted(settings.sees(realm) & realms), 2):
            found.setdefault((pair[0], pair[1]), realm)
    return found


def _without_addresses(assets: Sequence[Asset]) -> list[Problem]:
    bare = [asset for asset in assets if not asset.addresses]
    if not bare:
        return []
    message = f"{_named(bare)} without an address: no policy can speak of {'it' if len(bare) == 1 else 'them'}"
    remedy = "set ringfence_addresses, or ansible_host to an address or a name that resolves here, or gather facts"
    if any(asset.workload for asset in bare):
        remedy += "; ringfence_workload: false where nothing shall be enforced"
    if any(is_template(str(asset.attributes.get("ansible_host"))) for asset in bare):
        remedy += "; a template in ansible_host is evaluated in plays only"
    return [Problem(Severity.WARNING, message, None, remedy)]


def _unknown_realms(assets: Sequence[Asset], settings: Settings) -> list[Problem]:
    known = {DEFAULT_REALM, *settings.realms, *(seen for sees in settings.realms.values() for seen in sees)}
    by_realm: dict[str, list[Asset]] = defaultdict(list)
    for asset in assets:
        if asset.realm not in known:
            by_realm[asset.realm].append(asset)
    problems: list[Problem] = []
    for realm, members in sorted(by_realm.items()):
        near = get_close_matches(realm, known, n=1)
        remedy = (
            f"did you mean '{near[0]}'?" if near else f"name it in ringfence.yml: realms: {{{realm}: {{sees: []}}}}"
        )
        message = f"{_named(members)} in realm '{realm}', which ringfence.yml does not name: it sees itself alone"
        problems.append(Problem(Severity.WARNING, message, None, remedy))
    return problems


def _managed_elsewhere(assets: Sequence[Asset], settings: Settings) -> list[Problem]:
    if settings.control is None:
        return []
    port = settings.control.port
    elsewhere = [
        asset for asset in assets if asset.workload and asset.control is None and _port(asset) not in (None, port)
    ]
    remedy = "set ringfence_control: {port: …} where the host itself listens there"
    problems = []
    for there in sorted({found for asset in elsewhere if (found := _port(asset)) is not None}):
        named = _named([asset for asset in elsewhere if _port(asset) == there])
        message = f"{named} managed on port {there}, and the control path is port {port}"
        problems.append(Problem(Severity.WARNING, message, None, remedy))
    return problems


def _port(asset: Asset) -> int | None:
    port = asset.attributes.get("ansible_port", asset.attributes.get("ansible_ssh_port"))
    if isinstance(port, str) and port.isascii() and port.isdigit():
        return int(port)
    return port if isinstance(port, int) and not isinstance(port, bool) else None


def _named(assets: Sequence[Asset]) -> str:
    names = first_few([f"'{asset.name}'" for asset in assets])
    return f"{'asset' if len(assets) == 1 else 'assets'} {names} {'is' if len(assets) == 1 else 'are'}"

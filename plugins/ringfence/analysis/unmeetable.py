"""Statements that no packet can meet.

Their ends have no address family in common, their services do not exist in that family, or their realms do not see
each other. A service that the filter cannot see in IPv6 is reported as well: an extension header comes before the
protocol that a packet is judged by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ringfence.analysis.peer_resolution import Ends
from ringfence.compiler import Compilation
from ringfence.model.addresses import FAMILIES
from ringfence.model.memberships import sets_of
from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Invariant, Peer, PolicyTest, Rule
from ringfence.model.selectors import Selector
from ringfence.model.services import ANY_SERVICE, SKIPPED_HEADERS, Services, block_of

Statement = Rule | PolicyTest | Invariant
_WORDS = {Rule: "rule", PolicyTest: "test", Invariant: "invariant"}
_FAMILY = {4: "IPv4", 6: "IPv6"}


class Unmeetable:
    """Answers for the statements of one compilation; which families a selector has is asked once."""

    def __init__(self, compilation: Compilation) -> None:
        self._ends = Ends(compilation.snapshot, compilation.settings)
        self._settings = compilation.settings
        self._realms = {asset.realm for asset in compilation.snapshot.assets}
        self._known: dict[Selector, frozenset[int]] = {}

    def problems(self, statements: Sequence[Statement]) -> Iterator[Problem]:
        """Yield what is wrong with statements that no packet can meet, or none of IPv6.

        A test or an invariant that no packet can meet is an error, for it would prove nothing; a rule is a warning.
        """
        for one in statements:
            if (problem := self.unmet(one) or self._unseen(one)) is not None:
                yield problem

    def unmet(self, one: Statement) -> Problem | None:
        """Return what is wrong with a statement that no packet can meet, None for others.

        An end that chooses nothing is told by lint.
        """
        sources, destinations = self._families(one.sources), self._families(one.destinations)
        services = one.services or ANY_SERVICE
        if not sources or not destinations:
            return None
        if not any(services.of(family) for family in sources & destinations):
            why, remedy = (
                _why(sources, destinations, services),
                "name addresses and services of one family, or remove it",
            )
        elif realms := self._apart(one):
            why = f"the realms of its ends ({', '.join(realms)}) do not see each other"
            remedy = "say in 'realms' which realm sees which, or remove it"
        else:
            return None
        severity = Severity.WARNING if isinstance(one, Rule) else Severity.ERROR
        return Problem(severity, f"no packet can meet {_said(one)}: {why}", one.place, remedy)

    def _apart(self, one: Statement) -> list[str]:
        """Return the realms of a statement's ends where none of one end sees one of the other, else nothing."""
        if len(self._realms) < 2:
            return []
        sources, destinations = (self._realms_of(peers) for peers in (one.sources, one.destinations))
        if sources is None or destinations is None:
            return []
        sees = self._settings.sees
        if any(other in sees(realm) or realm in sees(other) for realm in sources for other in destinations):
            return []
        return sorted(sources | destinations)

    def _realms_of(self, peers: Sequence[Peer]) -> frozenset[str] | None:
        """Return the realms of the assets that some peers choose; None where they choose other addresses too."""
        selectors = [peer.selector for peer in peers]
        if any(map(sets_of, selectors)) or any(self._ends.outside(selectors, realm) for realm in self._realms):
            return None
        return frozenset(asset.realm for asset, _ in self._ends.assets(selectors))

    def _unseen(self, one: Statement) -> Problem | None:
        headers = skipped_headers(one.services or ANY_SERVICE)
        if not headers or 6 not in self._families(one.sources) & self._families(one.destinations):
            return None
        return Problem(
            Severity.WARNING,
            f"{_said(one)} is never met in IPv6 on {', '.join(headers)}: a packet is judged by the protocol behind its "
            "extension headers",
            one.place,
            "name the protocol that is meant; nothing here can stop a header alone",
        )

    def _families(self, peers: Sequence[Peer]) -> frozenset[int]:
        return frozenset().union(*(self._of(peer.selector) for peer in peers))

    def _of(self, selector: Selector) -> frozenset[int]:
        """Return the families of the addresses that a selector chooses; a name may resolve to any."""
        known = self._known.get(selector)
        if known is None:
            chosen = [points for _, points in self._ends.assets([selector])]
            chosen += [self._ends.outside([selector], realm) for realm in self._realms]
            families = {family for family, whole in FAMILIES.items() if any(points & whole for points in chosen)}
            known = self._known[selector] = frozenset(FAMILIES if sets_of(selector) else families)
        return known


def _said(one: Statement) -> str:
    return f"{_WORDS[type(one)]} '{one.name}'"


def skipped_headers(services: Services) -> list[str]:
    """Return the extension headers of IPv6 that services name, in the grammar's words."""
    blocks = {number: block_of(number) for number in SKIPPED_HEADERS}
    return [f"ip/{number}" for number, block in blocks.items() if block & services.v4 and not block & services.v6]


def _why(sources: frozenset[int], destinations: frozenset[int], services: Services) -> str:
    if not sources & destinations:
        one, other = (
            " and ".join(_FAMILY[family] for family in sorted(families)) for families in (sources, destinations)
        )
        return f"its 'from' has {one} addresses alone, its 'to' {other}"
    (family,) = sources & destinations
    if family == 6 and (headers := skipped_headers(services)):
        return (
            f"its ends have IPv6 addresses alone, where a packet is judged by the protocol behind {', '.join(headers)}"
        )
    return f"its ends have {_FAMILY[family]} addresses alone, where its services do not exist"

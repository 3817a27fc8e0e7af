"""Groups that hold groups: in which an entry is, directly and through others, and which contain themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.ldap.api import Entry

Parents = Mapping[str, frozenset[str]]
_MEMBERS = ("member", "uniquemember")


class Memberships:
    """Who is in which group, by names of the directory without regard to case."""

    def __init__(self, groups: Sequence[Entry], members: Iterable[Entry]) -> None:
        """Take all groups, and the entries whose groups will be asked for; both say who is in what."""
        self._names = {dn_key(group.dn): group.first("cn") or group.dn for group in groups}
        parents: dict[str, set[str]] = {}
        for entry in (*groups, *members):
            parents.setdefault(dn_key(entry.dn), set()).update(dn_key(dn) for dn in entry.values.get("memberof", ()))
        for group in groups:
            for attribute in _MEMBERS:
                for dn in group.values.get(attribute, ()):
                    parents.setdefault(dn_key(dn), set()).add(dn_key(group.dn))
        self._parents: Parents = {dn: frozenset(held) for dn, held in parents.items()}
        self._above: dict[str, frozenset[str]] = {}

    def groups_of(self, dn: str) -> list[str]:
        """Return the names of all groups that an entry is in, sorted; one that was not read by its DN's first part."""
        found: set[str] = set()
        for parent in self._parents.get(dn_key(dn), ()):
            found |= self._with_above(parent)
        return sorted({self._names.get(group) or first_name(group) for group in found})

    def cycles(self) -> list[list[str]]:
        """Return the groups that contain themselves, each cycle once, as the names along a shortest way round."""
        inner = self._in_cycles()
        found: list[list[str]] = []
        told: set[str] = set()
        for group in sorted(inner):
            if group in told:
                continue
            way = self._way_round(group, inner)
            if way:
                found.append([self._names[one] for one in way])
                told.update(one for one in inner if group in self._with_above(one) and one in self._with_above(group))
        return found

    def _with_above(self, group: str) -> frozenset[str]:
        if group not in self._above:
            found, waiting = {group}, [group]
            while waiting:
                for parent in self._parents.get(waiting.pop(), ()):
                    if parent not in found:
                        found.add(parent)
                        waiting.append(parent)
            self._above[group] = frozenset(found)
        return self._above[group]

    def _in_cycles(self) -> set[str]:
        """Return the groups that are in cycles or between two: others are peeled off, those without parents first."""
        left = set(self._names)
        while True:
            going = {one for one in left if not self._parents.get(one, frozenset()) & left}
            if not going:
                return left
            left -= going

    def _way_round(self, start: str, inner: set[str]) -> list[str]:
        came: dict[str, str] = {}
        waiting = [start]
        for group in waiting:
            for parent in sorted(self._parents.get(group, frozenset()) & inner):
                if parent == start:
                    way = [group]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return way[::-1]
                if parent not in came:
                    came[parent] = group
                    waiting.append(parent)
        return []


def dn_key(dn: str) -> str:
    """Return a name of the directory in the form in which equal ones are alike."""
    return ",".join(part.strip() for part in dn.split(",")).casefold()


def first_name(dn: str) -> str:
    """Return the value of the first part of a name of the directory: `web` of `cn=web,ou=groups,dc=example`."""
    return dn.partition(",")[0].partition("=")[2] or dn

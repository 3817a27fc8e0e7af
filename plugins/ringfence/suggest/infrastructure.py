"""What all hosts use, and what reaches all hosts: recognised by service and by how many take part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ringfence.suggest.cover import Choice, Chosen, Reach, Wanted, bits
from ringfence.suggest.groups import Groups, Pairs, subsets
from ringfence.suggest.known_services import COMMON, Common

EVERY = Choice()
WORDS = re.compile(r"[a-z]+")
# What part of the estate must take part for a rule to speak of all of it, at the tight end of the dial and the wide.
PARTS = (0.9, 0.3, 0.2)
FEWEST = 3  # hosts: of two, one client is half


def common(wanted: Sequence[Wanted], reach: Reach, dial: float) -> dict[int, tuple[Common, Chosen]]:
    """Return, by the number of each of the wanted that is infrastructure, what it is and the rule for it."""
    groups = reach.groups
    hosts = sum(len(group.members) for group in groups.every)
    part = PARTS[0] + (PARTS[1] - PARTS[0]) * min(1, dial * 2) + (PARTS[2] - PARTS[1]) * max(0, dial * 2 - 1)
    by_kind: dict[tuple[Common, object], list[int]] = {}
    for number, (client, server, service) in enumerate(wanted):
        kind = COMMON.get((service.protocol, service.low)) if service.low == service.high else None
        ends = (groups.every[client], groups.every[server])
        if kind is None or not all(one.members for one in ends):
            continue
        if kind.words and not kind.words & _words(groups, server):
            continue
        by_kind.setdefault((kind, service), []).append(number)
    found: dict[int, tuple[Common, Chosen]] = {}
    for (kind, _), numbers in by_kind.items():
        clients, servers = {wanted[number][0] for number in numbers}, {wanted[number][1] for number in numbers}
        few, many = (clients, servers) if kind.reaching else (servers, clients)
        reached = sum(len(groups.every[one].members) for one in many - few)
        serving = sum(len(groups.every[one].members) for one in few)
        if reached < max(FEWEST, part * (hosts - serving)) or serving > reached:
            continue
        service = wanted[numbers[0]][2]
        for choice, covered in _named(few, groups, reach):
            own = tuple(n for n in numbers if (wanted[n][0] if kind.reaching else wanted[n][1]) in covered)
            source, destination = (choice, EVERY) if kind.reaching else (EVERY, choice)
            if reach.refused(reach.mask(source), reach.mask(destination), service) is not None:
                continue
            found.update(dict.fromkeys(own, (kind, Chosen(source, destination, service, own))))
    return found


def _named(few: Iterable[int], groups: Groups, reach: Reach) -> list[tuple[Choice, set[int]]]:
    """Return the shortest labels that mean these groups and little else, or one choice for each of their labels."""
    numbers = set(few)
    mask = sum(1 << number for number in numbers)
    shared = set(groups.every[next(iter(numbers))].labels)
    for number in numbers:
        shared &= set(groups.every[number].labels)
    size = reach.size(mask)
    fit = [
        choice
        for labels in subsets(tuple(sorted(shared)))[1:]
        if reach.size(reach.mask(choice := Choice(labels))) <= 1.5 * size
    ]
    if fit:
        best = min(fit, key=lambda one: (reach.size(reach.mask(one)), len(one.labels), _order(one.labels)))
        return [(best, numbers)]
    by_choice: dict[Choice, set[int]] = {}
    for number in sorted(numbers):
        choice = min(reach.choices(number), key=lambda one: (reach.size(reach.mask(one)), one.parts, one))
        by_choice.setdefault(choice, set()).update(set(bits(reach.mask(choice))) & numbers)
    return list(by_choice.items())


def _order(labels: Pairs) -> tuple[int, Pairs]:
    """Return what labels of equal reach are chosen by: a role says most of what a host serves."""
    return (0 if any(key == "role" for key, _ in labels) else 1, labels)


def _words(groups: Groups, number: int) -> set[str]:
    group = groups.every[number]
    texts = [value for _, value in group.labels] + group.members[:1]
    return {word for text in texts for word in WORDS.findall(text.lower())}

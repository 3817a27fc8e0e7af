"""Labels that people take for one and that are two: alike but for case, or with letters that only look the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from ringfence.language.look_alikes import code_points, looks_like, skeleton
from ringfence.model.assets import Asset
from ringfence.model.problems import Problem, Severity
from ringfence.wire.first_few import NAMED


def spelling_problems(assets: Sequence[Asset]) -> list[Problem]:
    """Return a warning for every label key, and every value of one key, that assets have in several spellings.

    A selector chooses one spelling, so a rule that denies would pass by the assets of the others.
    """
    keys: Counter[str] = Counter()
    values: dict[str, Counter[str]] = defaultdict(Counter)
    examples: dict[tuple[str, str | None], str] = {}
    for asset in assets:
        for key, value in asset.label_values().items():
            keys[key] += 1
            values[key][value] += 1
            examples.setdefault((key, None), asset.name)
            examples.setdefault((key, value), asset.name)
    problems = [
        _problem(f"the label {_told(group, keys, {word: examples[word, None] for word in group})}", "key")
        for group in _alike(keys)
    ]
    for key, counted in sorted(values.items()):
        for group in _alike(counted):
            told = _told(group, counted, {word: examples[key, word] for word in group})
            problems.append(_problem(f"the label '{key}' has its value {told}", "value"))
    return problems


def _alike(words: Mapping[str, int]) -> list[list[str]]:
    """Return groups of words that look the same, in each the most used one first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for word in words:
        groups[skeleton(word)].append(word)
    return [sorted(group, key=lambda word: (-words[word], word)) for _, group in sorted(groups.items()) if group[1:]]


def _told(group: Sequence[str], counted: Mapping[str, int], examples: Mapping[str, str]) -> str:
    usual = group[0]
    spelt = []
    for word in group[:NAMED]:
        strange = f", {code_points(word, usual)}" if looks_like(word, usual) else ""
        more = f" and {counted[word] - 1} more" if counted[word] > 1 else ""
        spelt.append(f"{word!r}{strange} ('{examples[word]}'{more})")
    others = f" and {len(group) - NAMED} other ways" if len(group) > NAMED else ""
    return f"in several spellings, {', '.join(spelt)}{others}: a selector that names one does not choose the others"


def _problem(message: str, what: str) -> Problem:
    remedy = (
        "write it one way at its source, or with 'map' in labels.yml"
        if what == "value"
        else "write it one way at its source, and in labels.yml"
    )
    return Problem(Severity.WARNING, message, None, remedy)

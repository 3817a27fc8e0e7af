"""The assets as rows, and which of them a filter means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

BETWEEN = "\x1f"  # between the parts of a row's text, so that `role=db` is not found in `xrole=dbx`
LABEL_COLUMNS = ("env", "app", "role")
# What a filter may ask beside labels: `mode=full`, `drift=open`.
OTHER_KEYS = ("mode", "source", "enforcer", "realm", "drift", "seen")
MOST_OFFERS = 20

# One asset: name, addresses, sources (each joined by spaces), enforcer (empty: no workload), realm, stale since,
# labels as `key=value`.
AssetRow = tuple[str, str, str, str, str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AssetsRequest:
    """All assets."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Rows come anew: how many, and whether they are those of the last kept snapshot."""

    count: int
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of the rows, in order."""

    rows: tuple[AssetRow, ...]


@dataclass(frozen=True, slots=True)
class Current:
    """The rows that were told last are those of now."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one part of the engine says of rows, by their index from `start`: mode, drift, when seen (ISO time)."""

    key: str
    start: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """Everything was told; `wrong` says what could not be."""

    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilterRequest:
    """A filter that only the engine can read: a selector in braces, a network."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The names that a filter chooses."""

    names: frozenset[str]


@dataclass
class AssetTable:
    """All rows with their texts to search in; filled part by part."""

    rows: list[AssetRow] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    told: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=dict)
    longest: int = 0

    def beginning(self, count: int) -> AssetTable:
        """Return a table of the first rows, with what was told of them."""
        return AssetTable(
            self.rows[:count],
            self.texts[:count],
            {key: column[:count] for key, column in self.told.items()},
            {key: set(values) for key, values in self.values.items()},
            max((len(row[0]) for row in self.rows[:count]), default=0),
        )

    def add(self, rows: Iterable[AssetRow]) -> None:
        """Take more rows."""
        for row in rows:
            name, addresses, sources, enforcer, realm, stale, labels = row
            self.rows.append(row)
            self.longest = max(self.longest, len(name))
            said = [f"source={source}" for source in sources.split(" ")]
            said += [f"enforcer={enforcer or 'nothing'}", f"realm={realm}", *(["stale"] if stale else [])]
            parts = (name, *addresses.split(" "), *labels, *said)
            self.texts.append(BETWEEN + BETWEEN.join(parts).lower() + BETWEEN)
            for label in (*labels, *said):
                key, _, value = label.partition("=")
                if value:
                    self.values.setdefault(key, set()).add(value)

    def tell(self, part: Told) -> set[int]:
        """Take what one part of the engine says; return the rows of which it says something else than before."""
        changed: set[int] = set()
        column = self.told.setdefault(part.key, [])
        column.extend([""] * (len(self.rows) - len(column)))
        known = self.values.setdefault(part.key, set())
        for index, value in enumerate(part.values, part.start):
            if index >= len(self.rows):
                break
            before, column[index] = column[index], value
            if value != before:
                changed.add(index)
            if part.key == "seen":
                continue
            if before:
                self.texts[index] = self.texts[index].replace(f"{BETWEEN}{part.key}={before}{BETWEEN}".lower(), BETWEEN)
            if value:
                self.texts[index] += f"{part.key}={value}{BETWEEN}".lower()
                known.add(value)
        return changed

    def of(self, key: str, index: int) -> str:
        """Return what was told of a row."""
        column = self.told.get(key, ())
        return column[index] if index < len(column) else ""

    def label(self, index: int, key: str) -> str:
        """Return a label of a row, empty for none."""
        start = f"{key}="
        return next((label[len(start) :] for label in self.rows[index][6] if label.startswith(start)), "")

    def find(self, filter_text: str, chosen: frozenset[str] | None = None) -> list[int]:
        """Return the rows that every word of a filter means; `chosen` are the names that the engine's words mean.

        A value that is being typed, the last, means those that begin so where no row has it as it is.
        """
        found: Sequence[int] = range(len(self.rows))
        words = own_words(filter_text)
        for number, word in enumerate(words, 1):
            among, found = found, self._having(word, found)
            if not found and number == len(words) and "=" in word and not filter_text.endswith(" "):
                found = self._having(word, among, begun=True)
        if chosen is not None:
            found = [index for index in found if self.rows[index][0] in chosen]
        return list(found)

    def _having(self, word: str, among: Sequence[int], *, begun: bool = False) -> list[int]:
        texts = self.texts
        wanted = not word.startswith("!")
        needles = needles_of(word.lstrip("!").lower())
        if begun:
            needles = tuple(needle.removesuffix(BETWEEN) for needle in needles)
        if len(needles) == 1:
            (needle,) = needles
            return [index for index in among if (needle in texts[index]) is wanted]
        return [index for index in among if any(needle in texts[index] for needle in needles) is wanted]


def needles_of(word: str) -> tuple[str, ...]:
    """Return the texts of which one has to be in a row's: `role=db|web`, `role=` (any), `role` or a part of a name."""
    key, sign, values = word.partition("=")
    if not sign or not key:
        return (word,)
    if not values:
        return (f"{BETWEEN}{key}=",)
    return tuple(f"{BETWEEN}{key}={value}{BETWEEN}" for value in values.split("|"))


def own_words(filter_text: str) -> list[str]:
    """Return the words that are looked for here; a `!key` means that the label is lacking."""
    words = [part for word in filter_text.split() if not for_engine(word) for part in _parted(word)]
    return [f"{word}=" if word[1:] in LABEL_COLUMNS and word.startswith("!") else word for word in words if word != "!"]


def _parted(word: str) -> list[str]:
    """Return `role=db,env=prod`, as commands and policy files have it, as two words."""
    parts = [part for part in word.split(",") if part]
    return parts if len(parts) > 1 and all("=" in part for part in parts) else [word]


def engine_words(filter_text: str) -> tuple[str, ...]:
    """Return the parts of a filter that only the engine can read."""
    if filter_text.lstrip().startswith(("{", "[")):
        return (filter_text.strip(),)
    return tuple(word for word in filter_text.split() if for_engine(word))


def for_engine(word: str) -> bool:
    """Return whether a word is a selector in braces or a network."""
    return word.startswith(("{", "[")) or ("/" in word and word[:1].isdigit())


def completions(table: AssetTable, before: str) -> tuple[str, ...]:
    """Return what the last word of a filter could go on with: keys with `=`, or values of a key."""
    word = before.rpartition(" ")[2]
    sign = "!" if word.startswith("!") else ""
    key, equals, begun = word.removeprefix("!").partition("=")
    if not equals:
        keys = sorted(one for one in table.values if one.startswith(key))
        return tuple(f"{sign}{one}=" for one in keys)[:MOST_OFFERS]
    done, _, last = begun.rpartition("|")
    stem = f"{sign}{key}=" + (f"{done}|" if done else "")
    # a space would end the word, and what is not printable cannot be typed
    whole = (value for value in table.values.get(key, ()) if value.isprintable() and " " not in value)
    return tuple(f"{stem}{value}" for value in sorted(whole) if value.startswith(last))[:MOST_OFFERS]

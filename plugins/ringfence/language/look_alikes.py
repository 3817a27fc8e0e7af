"""Words that look the same and are not: what to say where one is written and the other is meant."""

from __future__ import annotations

import unicodedata

# Unicode Technical Standard 39, confusables: the letters of Cyrillic and Greek that fonts draw as those of Latin, and
# dashes and quotes that text programs put in the place of what was typed.
_LETTERS = str.maketrans(
    "аеорсухіѕјһԁԛԝкмтвнАЕОРСУХІЅЈКМТВНοαινρυκτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ‐‑‒–—−‘’“”",
    "aeopcyxisjhdqwkmtbhAEOPCYXISJKMTBHoaivpuktABEZHIKMNOPTYX------''\"\"",
)
# Unicode, general category Cf: characters that take no room, a soft hyphen and marks of direction among them.
_NO_ROOM = "Cf"
SHOWN = 4


def skeleton(word: str) -> str:
    """Return the form that words share which look the same (case aside)."""
    plain = unicodedata.normalize("NFKC", word).translate(_LETTERS).casefold()
    # What has no case of its own may fold into a letter that looks like another: U+0345 into a Greek iota.
    folded = unicodedata.normalize("NFKC", plain).translate(_LETTERS)
    return "".join(letter for letter in folded if unicodedata.category(letter) != _NO_ROOM).strip()


def without_accents(word: str) -> str:
    """Return a word without the marks on its letters, which keyboards of other languages add."""
    apart = unicodedata.normalize("NFKD", word)
    return unicodedata.normalize("NFC", "".join(letter for letter in apart if not unicodedata.combining(letter)))


def looks_like(word: str, other: str) -> bool:
    """Return whether two different words look the same."""
    return word != other and word.casefold() != other.casefold() and skeleton(word) == skeleton(other)


def code_points(word: str, other: str) -> str:
    """Return the characters of a word that another one lacks, as code points: `U+0430`."""
    strange = dict.fromkeys(letter for letter in word if letter not in other)
    shown = [f"U+{ord(letter):04X}" for letter in strange][:SHOWN]
    return " ".join(shown) if len(strange) <= SHOWN else f"{' '.join(shown)} …"

"""Keys of keyboards with other letters: a command is at the place where a Latin keyboard has it.

A terminal tells the letter and not the key: on a Russian keyboard the key of `q` sends `й`. Each letter below belongs
to one place only; where two alphabets put it at different places, that of more keyboards counts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from itertools import chain

from textual import events
from textual.keys import _character_to_key

# Letters, and the keys of a US keyboard that they are on.
LAYOUTS = (
    ("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,."),  # Russian, and with it Kazakh, Tatar …
    ("іїєўґ", "s]'o\\"),  # Ukrainian, Belarusian
    ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),  # Greek, whose `;` is on `q`
    ("קראטוןםפשדגכעיחלךףזסבהנמצתץ", "ertyuiopasdfghjkl;zxcvbnm,."),  # Hebrew
    ("ضصثقفغعهخحجدشسيبلاتنمكطئءؤرىةوزظ", "qwertyuiop[]asdfghjkl;'zxcvnm,./"),  # Arabic
    ("یکگچپ", "d;']m"),  # Persian, where it differs
    ("ქწერტყუიოპასდფგჰჯკლზხცვბნმ", "qwertyuiopasdfghjklzxcvbnm"),  # Georgian
    ("ჭღთშჟძჩ", "WRTSJZC"),
    ("ๆไำพะัีรนยบลฟหกดเ้่าสวงผปแอิืทมใฝ", "qwertyuiop[]asdfghjkl;'zxcvbnm,./"),  # Thai
    ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", "qwertyuiopasdfghjklzxcvbnm"),  # Korean
    ("ㅃㅉㄸㄲㅆㅒㅖ", "QWERTOP"),
    ("ı", "i"),  # Turkish
)
SHIFTED = str.maketrans(r"[]\;',./", r'{}|:"<>?')


def _places() -> Mapping[str, str]:
    pairs = list(chain.from_iterable(zip(letters, keys, strict=True) for letters, keys in LAYOUTS))
    small = dict(pairs)
    large = {letter.upper(): key.upper().translate(SHIFTED) for letter, key in pairs if letter.upper() != letter}
    return {letter: key for letter, key in (large | small).items() if len(letter) == 1 and not letter.isascii()}


PLACES = _places()


def latin(character: str) -> str:
    """Return what a Latin keyboard has where this character was typed; the character itself where nothing is known.

    Full-width letters, and digits of other scripts, are the usual ones; accents of Greek letters do not count.
    """
    if character.isascii() or len(character) != 1:
        return character
    if character in PLACES:
        return PLACES[character]
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) == 1 and plain.isascii() and plain.isprintable():
        return plain
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return PLACES.get(unicodedata.normalize("NFD", character)[0], character)


def latin_key(event: events.Key) -> events.Key:
    """Return a key as a Latin keyboard would have told it; a key of no other alphabet stays the same event."""
    held, _, last = event.key.rpartition("+")
    typed = event.character if event.character is not None and not held else last
    if len(typed) != 1 or (found := latin(typed)) == typed:
        return event
    name = _character_to_key(found)
    return events.Key(f"{held}+{name}" if held else name, None if held else found)


def is_held(event: events.Key) -> bool:
    """Return whether ctrl or alt is held: then no text is typed, whatever takes text."""
    return event.key.startswith(("ctrl+", "alt+")) and event.key[-1:] != "+"

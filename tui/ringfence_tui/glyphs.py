"""Signs for terminals that lack ours: Linux' console, serial lines, other character sets than UTF-8.

`RINGFENCE_ASCII=1` asks for ASCII alone, `0` for our signs wherever. Each stand-in takes as many cells as what it
stands for, so nothing is laid out anew: what is written is exchanged last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.cells import cell_len

VARIABLE = "RINGFENCE_ASCII"
STAND_INS = str.maketrans("─━│┌┐└┘┼█░▏‖·»×→↑↓▶▸›–…✓✗", "-=|+++++#.||.#x>^v>>>-.vX")
IN_EVERY_FONT = "─│┌┐└┘┼█░·»→↑↓"  # CP437, which Linux' own font has, and those of console-setup
SERIAL = ("vt", "ansi", "cons")


class _Ascii(dict[int, int | str]):
    """Stand-ins, and `?` for every other character that is not ASCII."""

    def __missing__(self, code: int) -> int | str:
        found: int | str = code if code < 128 else "?" * cell_len(chr(code))
        self[code] = found
        return found


def stand_ins(environment: Mapping[str, str]) -> Callable[[str], str] | None:
    """Return what makes a text one that the terminal can show; None where it can show all."""
    table = _table(environment)
    return None if table is None else lambda text: text if text.isascii() else text.translate(table)


def _table(environment: Mapping[str, str]) -> Mapping[int, int | str] | None:
    asked = environment.get(VARIABLE, "").lower()
    if asked:
        return None if asked in {"0", "no", "off", "false"} else _Ascii(STAND_INS)
    term = environment.get("TERM", "")
    if _other_charset(environment):
        return _Ascii(STAND_INS)
    if term.startswith(SERIAL):
        return STAND_INS
    if term == "linux":
        return {code: sign for code, sign in STAND_INS.items() if chr(code) not in IN_EVERY_FONT}
    return None


def _other_charset(environment: Mapping[str, str]) -> bool:
    """Return whether the locale names another character set; none in GNU screen, which takes bytes one by one then.

    Elsewhere a locale without one tells nothing: over ssh it is mostly lost, and the terminal takes UTF-8.
    """
    name = next((found for key in ("LC_ALL", "LC_CTYPE", "LANG") if (found := environment.get(key))), "C")
    charset = name.partition("@")[0].partition(".")[2].lower().replace("-", "")
    return charset not in {"", "utf8"} or (not charset and "STY" in environment and "TMUX" not in environment)

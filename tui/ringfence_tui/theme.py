"""The palettes: a style for each tone in each theme. Colours hold for colour-blind eyes (CIE76 over Machado 2009)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from ringfence_tui.spans import Tone

DARK, LIGHT, OWN, PLAIN = "ringfence-dark", "ringfence-light", "ringfence-terminal", "ringfence-plain"

# What `RINGFENCE_THEME` and the file that remembers a theme call them.
OF_WORD = {"dark": DARK, "light": LIGHT, "terminal": OWN}
WORD_OF = {name: word for word, name in OF_WORD.items()}


@dataclass(frozen=True, slots=True)
class Palette:
    """The styles of a theme. `cursor` and `quiet_cursor` lie over the cursor's row, with and without focus."""

    styles: Mapping[Tone, Style]
    cursor: Style
    quiet_cursor: Style
    bar: Style

    def __getitem__(self, tone: Tone) -> Style:
        return self.styles[tone]


def _styles(
    text: str, dim: str, allowed: str, would: str, denied: str, unknown: str, key: str, marked: str
) -> dict[Tone, Style]:
    parsed = {
        Tone.PLAIN: text,
        Tone.DIM: dim,
        Tone.STRONG: f"bold {text}",
        Tone.TITLE: f"bold {dim}",
        Tone.KEY: f"bold {key}",
        Tone.ALLOWED: allowed,
        Tone.UNDECIDED: text,
        Tone.WOULD: would,
        Tone.DENIED: f"bold {denied}",
        Tone.UNKNOWN: unknown,
        Tone.GOOD: allowed,
        Tone.WARN: would,
        Tone.BAD: f"bold {denied}",
        Tone.MARKED: f"bold {marked}",
        Tone.CHOSEN: f"bold reverse {text}",
        Tone.RULE: dim,
    }
    return {tone: Style.parse(style) for tone, style in parsed.items()}


PALETTES: Mapping[str, Palette] = {
    DARK: Palette(
        _styles("#e0e0e0", "#9a9a9a", "#56b4e9", "#f5d000", "#ff7a59", "#9a9a9a", "#56b4e9", "#f5d000"),
        Style.parse("on #2f3f4f"),
        Style.parse("on #262626"),
        Style.parse("#e0e0e0"),
    ),
    LIGHT: Palette(
        _styles("#1a1a1a", "#757575", "#005a9c", "#8a6a00", "#7a0019", "#757575", "#005a9c", "#8a6a00"),
        Style.parse("on #d6e4f0"),
        Style.parse("on #ececec"),
        Style.parse("#1a1a1a"),
    ),
    OWN: Palette(
        {
            **_styles(
                "default", "dim", "bright_blue", "bright_yellow", "red", "dim white", "bright_blue", "bright_yellow"
            ),
            Tone.TITLE: Style.parse("bold"),
            Tone.DENIED: Style.parse("red reverse"),
        },
        Style.parse("reverse"),
        Style.parse("underline"),
        Style.null(),
    ),
    PLAIN: Palette(
        {
            **_styles(*[""] * 8),
            Tone.TITLE: Style.parse("underline"),
            Tone.KEY: Style.parse("bold"),
            Tone.DENIED: Style.parse("bold"),  # reverse is the cursor: it has to be seen on a denied cell
            Tone.WOULD: Style.parse("bold underline"),
            Tone.BAD: Style.parse("bold reverse"),
            Tone.WARN: Style.parse("bold"),
        },
        Style.parse("reverse"),
        Style.parse("underline"),
        Style.null(),
    ),
}


def _terminals_own(name: str, primary: str) -> Theme:
    return replace(BUILTIN_THEMES["ansi-dark"], name=name, primary=primary)


THEMES = (
    Theme(
        name=DARK,
        primary="#56b4e9",
        foreground="#e0e0e0",
        background="#121212",
        surface="#1c1c1c",
        panel="#1c1c1c",
        warning="#f5d000",
        error="#ff7a59",
    ),
    Theme(
        name=LIGHT,
        primary="#005a9c",
        foreground="#1a1a1a",
        background="#ffffff",
        surface="#f4f4f4",
        panel="#f4f4f4",
        warning="#8a6a00",
        error="#7a0019",
        dark=False,
    ),
    _terminals_own(OWN, "ansi_blue"),
    _terminals_own(PLAIN, "ansi_default"),
)


def palette(theme: str) -> Palette:
    """Return the palette of a theme, the dark one's for a theme that is not ours."""
    return PALETTES.get(theme, PALETTES[DARK])

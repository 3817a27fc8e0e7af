# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host tells by its shell where modules cannot run: values by key, sections of lines; and what asks for it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from .answer_values import AnswerError
from .script_parts import at_once, shared_text

# The oldest Python that modules of the oldest ansible-core that we support take.
LEAST_PYTHON = 8
MOST_LINES = 1_000_000
MOST_VALUES = 64


@dataclass(frozen=True)
class ShellAnswer:
    """The answer of a host: the last value of a key counts."""

    values: dict[str, str] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=dict)

    def last(self, key: str) -> str:
        """Return the value of a key, empty where there is none."""
        return self.values.get(key, "")


def shell_order(part: str, values: dict[str, str]) -> bytes:
    """Return the standard input of `sh -s` for a part, `report` or `facts`, which runs where no Python is for modules.

    `values` become rf_ variables of the script.
    """
    lines = "".join(f"rf_{name}={shlex.quote(value)}\n" for name, value in values.items())
    text = shared_text("reply", "python", "sockets", part) + lines + f"unless_python {part}\n"
    return at_once(text).encode()


def shell_answer(stdout: str) -> ShellAnswer:
    """Return what a host answered. Raise AnswerError where a section does not end or there are too many lines."""
    lines = stdout.replace("\r\n", "\n").split("\n")
    if len(lines) > MOST_LINES:
        raise AnswerError(f"it has more than {MOST_LINES} lines")
    values: dict[str, str] = {}
    sections: dict[str, list[str]] = {}
    inside: list[str] | None = None
    name = ""
    for line in lines:
        if inside is not None:
            if line == f"ringfence:end {name}":
                inside = None
            else:
                inside.append(line)
        elif line.startswith("ringfence:begin "):
            name = line.removeprefix("ringfence:begin ")
            inside = sections[name] = []
        elif line.startswith("ringfence:") and "=" in line and len(values) < MOST_VALUES:
            key, _, value = line.removeprefix("ringfence:").partition("=")
            values[key] = value
    if inside is not None:
        raise AnswerError("it ends within a section")
    return ShellAnswer(values, sections)

"""How far a playbook is: hosts that ended, wave by wave, and the sentences that its events are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.safe_text import clean_line
from ringfence.presenting.line import Line
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.rollout import Event


@dataclass(frozen=True, slots=True)
class WaveProgress:
    """How many hosts of a wave ended, of how many."""

    number: int
    name: str
    done: int
    total: int


def wave_name(number: int) -> str:
    """Return what people call a wave: the first is the canary."""
    return "canary" if number == 0 else f"wave {number}"


class PlaybookProgress:
    """Counts hosts that ended; the waves of what is not a rollout are one, `hosts`."""

    def __init__(self, waves: Sequence[Sequence[str]], *, rollout: bool) -> None:
        self.waves = [frozenset(wave) for wave in waves]
        self.rollout = rollout
        self.ended: dict[str, bool] = {}
        self._told: set[int] = set()
        self._warned: dict[str, list[str]] = {}  # by text: the hosts after the first that warn of it, not told yet

    def take(self, event: Event) -> tuple[list[Line], list[WaveProgress]]:
        """Return the sentences that an event is worth, and the waves that it brought on."""
        if not event.ends or not event.host:
            return [], []
        self.ended[event.host] = not event.failed
        lines = []
        if event.failed:
            state = event.result.get("state") or str(event.kind)
            lines.append(Line(f"{clean_line(event.host)}: {state}", style="red"))
        warnings = event.result.get("warnings")
        for warning in warnings if isinstance(warnings, list) else ():
            host, said = clean_line(event.host), clean_line(str(warning))
            if said in self._warned:
                self._warned[said].append(host)
                continue
            self._warned[said] = []
            lines.append(Line(said if said.startswith(f"{host}: ") else f"{host}: {said}", style="yellow"))
        progress = []
        for number, wave in enumerate(self.waves):
            if event.host in wave:
                done = [name for name in wave if name in self.ended]
                name = wave_name(number) if self.rollout else "hosts"
                progress.append(WaveProgress(number, name, len(done), len(wave)))
                if len(done) == len(wave) and number not in self._told:
                    self._told.add(number)
                    lines += self._same_warnings()
                    well = sum(self.ended[name] for name in done)
                    sign, style = ("✓", "green") if well == len(wave) else ("✗", "red")
                    lines.append(Line(f"{name} {well}/{len(wave)} {sign}", style=style))
        return lines, progress

    def _same_warnings(self) -> list[Line]:
        """Return which hosts warned of what another one had warned of, and note that they are told."""
        lines = [Line(f"{first_few(hosts)}: {said}", style="yellow") for said, hosts in self._warned.items() if hosts]
        self._warned = {said: [] for said in self._warned}
        return lines

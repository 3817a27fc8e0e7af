"""The list of runs, and a run as frames that can be stepped through."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.presenting.rollout_board import Board, BoardChange, merged


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the list; `lasted` is empty while it works and where its end is not known.

    `damage` says why nothing else of it can be told, and `remedy` what to do then; empty where its files are whole.
    """

    run: str
    plan: str
    state: str
    who: str
    commit: str
    started: str
    hosts: int
    lasted: str
    lives: bool
    well: bool
    damage: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class RunList:
    """The runs, the newest first, those that are damaged among them."""

    rows: tuple[RunRow, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A board after an event, and when that was; ISO text."""

    time: str
    change: BoardChange


@dataclass(frozen=True, slots=True)
class Replay:
    """What happened in a run, oldest first; the first frame is of before its first event, the last of its end."""

    run: str
    frames: tuple[Frame, ...]

    def board(self, number: int) -> Board | None:
        """Return the board of a frame, None where there is no frame at all."""
        board = None
        for frame in self.frames[: self.at(number) + 1]:
            board = merged(board, frame.change)
        return board

    def at(self, number: int) -> int:
        """Return the nearest number of a frame."""
        return max(0, min(number, len(self.frames) - 1))

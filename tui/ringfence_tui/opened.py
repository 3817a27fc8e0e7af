"""Which workspace the application has open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """A directory and its name, both empty where there is no workspace; `why` then says so.

    Where it is `read_only` because nothing may be written there, `why` says that.
    `below` are the workspaces right below the directory that one is in then, by path. `owner` is whose it is where root
    works in another user's.
    """

    directory: str
    name: str
    read_only: bool
    why: str = ""
    below: tuple[str, ...] = ()
    owner: str = ""

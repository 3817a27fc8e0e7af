"""The jump hosts that Ansible's connection to a host leads through, in order, as its variables give them to ssh."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ringfence.model.addresses import address_text, point_of
from ringfence.model.assets import Asset
from ringfence.model.errors import InputError

# Variables that hold arguments of ssh, in the order in which ssh is given them, and those that hold a command.
_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
_COMMANDS = ("ansible_ssh_proxy_command", "ansible_paramiko_proxy_command", "ansible_libssh_proxy_command")
# The options of ssh that take a value, ssh(1).
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOoPpQRSWw")
_OPTION = re.compile(r"\s*(\w+)\s*[=\s]\s*(.*)", re.DOTALL)
# `host`, `host:port`, `[2001:db8::5]:port`; an IPv6 address without brackets has no port.
_HOST_PORT = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::(\d+))?")
_TEMPLATE = "{{"


@dataclass(frozen=True, slots=True)
class Hop:
    """A jump host by the name or address that ssh is given; `port` where it is given one."""

    host: str
    port: int | None = None


def jump_hosts(attributes: Mapping[str, object]) -> tuple[Hop, ...]:
    """Return the jump hosts of a connection, the first one first; none where they are a template or cannot be told."""
    arguments = [attributes.get(key) for key in _ARGUMENTS]
    for words in (_words(value) for value in arguments):
        if found := _of_arguments(words)[0]:
            return found
    for words in (_words(attributes.get(key)) for key in _COMMANDS):
        if found := _of_command(words):
            return found
    return ()


class Named:
    """Assets by every word that leads to them and to no other: names, short names, addresses, `ansible_host`."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._names: dict[str, str] = {}
        self._words: dict[str, str | None] = {}
        for asset in assets:
            self._names[asset.name] = asset.name
            host = asset.attributes.get("ansible_host")
            words = {_short(asset.name), *asset.also, *map(address_text, asset.addresses)}
            for word in words | ({host} if isinstance(host, str) else set()):
                self._words[word] = asset.name if self._words.get(word, asset.name) == asset.name else None

    def called(self, word: str) -> str | None:
        """Return the name of the one asset that a word means, None for none and for several."""
        found = self._names.get(word) or self._words.get(word) if word else None
        return found or (None if is_address(word) else self._words.get(_short(word)))


def is_address(word: str) -> bool:
    """Return whether a word is an address."""
    try:
        point_of(word)
    except InputError:
        return False
    return True


def _short(name: str) -> str:
    return name if is_address(name) else name.split(".", maxsplit=1)[0]


def _words(value: object) -> Sequence[str]:
    if not isinstance(value, str) or _TEMPLATE in value:
        return ()
    try:
        return shlex.split(value)
    except ValueError:
        # Ansible cannot split it either, and says so.
        return ()


def _of_arguments(words: Sequence[str]) -> tuple[tuple[Hop, ...], tuple[Hop, ...]]:
    """Return the jump hosts that arguments of ssh name, and the destination, of which there may be none."""
    jumps: tuple[Hop, ...] | None = None
    host, port = "", None
    for option, value in _options(words):
        if option == "J" and jumps is None:
            jumps = _of_jump(value)
        elif option == "o" and jumps is None and (said := _OPTION.fullmatch(value)):
            key = said[1].lower()
            if key == "proxyjump":
                jumps = _of_jump(said[2])
            elif key == "proxycommand":
                jumps = _of_command(_words(said[2]))
        elif option == "p":
            port = int(value) if value.isdecimal() else None
        elif not option:
            host = host or value
    return jumps or (), (Hop(host.rpartition("@")[2], port),) if host else ()


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option of ssh that has a value with it, and "" with each word that belongs to none."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            yield "", word
            continue
        for position, letter in enumerate(word[1:], 2):
            if letter in _WITH_VALUE:
                yield letter, word[position:] or next(rest, "")
                break


def _of_jump(value: str) -> tuple[Hop, ...]:
    if value.lower() == "none":
        return ()
    return tuple(_hop(one) for one in value.split(",") if one.strip())


def _of_command(words: Sequence[str]) -> tuple[Hop, ...]:
    """Return the jump hosts of a command that is `ssh`; of another program nobody knows where it leads through."""
    if not words or PurePath(words[0]).name != "ssh":
        return ()
    jumps, destination = _of_arguments(words[1:])
    return (*jumps, *destination)


def _hop(text: str) -> Hop:
    bare = text.strip().removeprefix("ssh://").rpartition("@")[2]
    parts = _HOST_PORT.fullmatch(bare)
    return Hop(parts[1] or parts[2], int(parts[3]) if parts[3] else None) if parts else Hop(bare)

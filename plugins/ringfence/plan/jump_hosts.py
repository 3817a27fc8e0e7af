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
from ringfence.model.services import BLOCK

# Variables that hold arguments of ssh, in the order in which ssh is given them, and those that hold a command.
_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
_COMMANDS = ("ansible_ssh_proxy_command", "ansible_paramiko_proxy_command", "ansible_libssh_proxy_command")
# The options of ssh that take a value, ssh(1).
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOoPpQRSWw")
_OPTION = re.compile(r"\s*(\w+)\s*[=\s]\s*(.*)", re.DOTALL)
# `host`, `host:port`, `[2001:db8::5]:port`; an IPv6 address without brackets has no port.
_HOST_PORT = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::(\d+))?")
_TEMPLATE = "{{"
_PORT_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Hop:
    """A jump host by the name or address that ssh is given; `port` where it is given one."""

    host: str
    port: int | None = None


def jump_hosts(attributes: Mapping[str, object]) -> tuple[Hop, ...]:
    """Return the jump hosts of a connection, the first one first; none where they are a template or cannot be told."""
    for words in (_words(attributes.get(key)) for key in _ARGUMENTS):
        # ssh keeps to the first that it is given, also where that is `none`
        if (found := _of_arguments(words)[0]) is not None:
            return found
    for words in (_words(attributes.get(key)) for key in _COMMANDS):
        if found := _of_command(words):
            return found
    return ()


# What names have and no address: asked first, since a refused address costs far more.
_LIKE_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+")


class Named:
    """Assets by every word that leads to them and to no other: names, short names, addresses, `ansible_host`.

    As in DNS, case and a dot at the end matter only where names differ in nothing else. A short name leads to the one
    asset that has it; a name with a domain never to an asset of another domain.
    """

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._names: dict[str, str] = {}
        self._words: dict[str, str | None] = {}
        self._short: dict[str, str | None] = {}
        for asset in assets:
            self._names[asset.name] = asset.name
            host = asset.attributes.get("ansible_host")
            names = {_plain(name) for name in (asset.name, *asset.also)}
            words = names | {*map(address_text, asset.addresses), *([_plain(host)] if isinstance(host, str) else ())}
            _lead(self._words, words, asset.name)
            _lead(self._short, {_short(name) for name in names}, asset.name)

    def called(self, word: str) -> str | None:
        """Return the name of the one asset that a word means, None for none and for several."""
        plain = _plain(word)
        if not plain:
            return None
        if word in self._names:
            return word
        if plain in self._words:
            return self._words[plain]
        if is_address(plain):
            return None
        return self._short.get(plain) if "." not in plain else self._words.get(_short(plain))


def is_address(word: str) -> bool:
    """Return whether a word is an address."""
    if not _LIKE_ADDRESS.fullmatch(word.strip().partition("%")[0]):
        return False
    try:
        point_of(word)
    except InputError:
        return False
    return True


def _lead(words: dict[str, str | None], more: Iterable[str], name: str) -> None:
    for word in more:
        words[word] = name if words.get(word, name) == name else None


def _plain(word: str) -> str:
    """Return an address in its one spelling, a name without what DNS does not tell apart."""
    return address_text(point_of(word)) if is_address(word) else word.rstrip(".").lower()


def _short(name: str) -> str:
    return name if is_address(name) else name.split(".", maxsplit=1)[0]


def _port(text: str | None) -> int | None:
    """Return a port that ssh takes, else None: it says itself what is wrong with another."""
    digits = (text or "").lstrip("0")
    port = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _PORT_DIGITS else 0
    return port if 0 < port < BLOCK else None


def _words(value: object) -> Sequence[str]:
    if not isinstance(value, str) or _TEMPLATE in value:
        return ()
    try:
        return shlex.split(value)
    except ValueError:
        # Ansible cannot split it either, and says so.
        return ()


def _of_arguments(words: Sequence[str]) -> tuple[tuple[Hop, ...] | None, tuple[Hop, ...]]:
    """Return the jump hosts that arguments of ssh name, None where they say nothing of any, and the destination."""
    jumps: tuple[Hop, ...] | None = None
    host, port = "", None  # of several ports ssh takes the first
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
            port = port or _port(value)
        elif not option:
            host = host or value
    if not host:
        return jumps, ()
    end = _hop(host) if host.startswith("ssh://") else Hop(host.rpartition("@")[2])
    return jumps, (Hop(end.host, port or end.port),)


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
    words = words[1:] if words[:1] == ["exec"] else words
    if not words or PurePath(words[0]).name != "ssh":
        return ()
    jumps, destination = _of_arguments(words[1:])
    return (*(jumps or ()), *destination)


def _hop(text: str) -> Hop:
    bare = text.strip().removeprefix("ssh://").rpartition("@")[2]
    parts = _HOST_PORT.fullmatch(bare)
    return Hop(parts[1] or parts[2], _port(parts[3])) if parts else Hop(bare)

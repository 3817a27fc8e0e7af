"""Jump hosts that ssh is given outside of the inventory, in ansible.cfg, the environment or ~/.ssh/config.

A plan follows only jump hosts in variables of hosts. Others are named, so that a person moves them or checks them.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ringfence.model.errors import Place
from ringfence.model.problems import Problem, Severity
from ringfence.sources.ansible_settings import ansible_settings
from ringfence.wire.first_few import first_few

# Keys of [ssh_connection], each with the variable of the environment that overrides it.
_KEYS = {
    "ssh_args": "ANSIBLE_SSH_ARGS",
    "ssh_common_args": "ANSIBLE_SSH_COMMON_ARGS",
    "ssh_extra_args": "ANSIBLE_SSH_EXTRA_ARGS",
}
_PROXY = re.compile(r"(?:^|\s)-\w*J|proxy(?:jump|command)|(?:^|\s)-F", re.IGNORECASE)
_LINE = re.compile(r"\s*(\w+)\s*(?:=|\s)\s*(.*?)\s*")
# Of more, or longer, configuration files nothing is said.
_FILES, _BYTES = 32, 1 << 20
_REMEDY = "write the jump hosts into 'ansible_ssh_common_args' of the hosts, so that the plan checks the way to them"


def unread_proxies(
    directory: Path, targets: Mapping[str, Sequence[str]], configuration: Path | None = None
) -> list[Problem]:
    """Return a warning for every setting that may lead ssh to some `targets` through other machines.

    `targets` has the names and addresses that ssh is given, by host, of hosts without jump hosts in their variables.
    `configuration` is by default the user's own. Nothing is run and no name is looked up. Raise InputError if
    ansible.cfg is not valid.
    """
    if not targets:
        return []
    found = (*_of_ansible(directory), *_of_ssh(targets, configuration or _own()))
    return list(dict.fromkeys(found))  # a file may be included more than once


def _own() -> Path:
    # ssh asks the user database too, and never HOME
    return Path(pwd.getpwuid(os.getuid()).pw_dir) / ".ssh" / "config"


def _of_ansible(directory: Path) -> Iterator[Problem]:
    settings = ansible_settings(directory)
    for key, variable in _KEYS.items():
        value = settings.first((variable,), ("ssh_connection", key))
        if not _PROXY.search(value):
            continue
        where = f"${variable}" if os.environ.get(variable) else f"'{key}' in {settings.file}"
        why = f"{where} gives ssh a proxy or a configuration file: the plan does not check the way to hosts through it"
        yield Problem(Severity.WARNING, why, remedy=_REMEDY)


def _of_ssh(targets: Mapping[str, Sequence[str]], configuration: Path) -> Iterator[Problem]:
    for place, said, patterns in _proxies(configuration, configuration.parent, [_FILES]):
        hosts = [name for name, words in targets.items() if any(_meant(word, patterns) for word in words)]
        if hosts:
            why = f"ssh reaches {first_few(hosts)} by {said}: the plan does not check the way through it"
            yield Problem(Severity.WARNING, why, place, _REMEDY)


def _proxies(file: Path, base: Path, left: list[int]) -> Iterator[tuple[Place, str, tuple[str, ...]]]:
    """Yield each proxy of a configuration file: its place, its key, and the patterns of `Host` that it is for."""
    left[0] -= 1
    if left[0] < 0 or not file.is_file():
        return
    try:
        with file.open("rb") as opened:
            text = opened.read(_BYTES).decode(errors="replace")
    except OSError:
        return
    patterns: tuple[str, ...] = ("*",)
    for number, line in enumerate(text.splitlines(), 1):
        said = _LINE.fullmatch(line)
        if said is None or line.lstrip().startswith("#"):
            continue
        key, value = said[1].lower(), said[2].strip('"')
        if key == "host":
            patterns = tuple(value.replace('"', " ").split())
        elif key == "match":
            patterns = ("*",)  # what it asks for may be a command: it may be met
        elif key in ("proxyjump", "proxycommand") and value.lower() != "none":
            yield Place(str(file), number), said[1], patterns
        elif key == "include":
            for pattern in value.split():
                for part in _included(pattern, base):
                    yield from _proxies(part, base, left)


def _included(pattern: str, base: Path) -> list[Path]:
    whole = base / Path(pattern).expanduser()
    return sorted(whole.parent.glob(whole.name)) if whole.name else []


def _meant(word: str, patterns: Sequence[str]) -> bool:
    """Return whether a name meets one of the patterns and none that begins with `!`, as ssh_config(5) has it."""
    word = word.lower()
    against = [one[1:].lower() for one in patterns if one.startswith("!")]
    return any(_meets(word, one.lower()) for one in patterns if not one.startswith("!")) and not any(
        _meets(word, one) for one in against
    )


def _meets(word: str, pattern: str) -> bool:
    # in ssh's patterns a bracket is a character
    return fnmatchcase(word, pattern.replace("[", "[[]"))

"""The command of OpenSSH that reaches a host as its inventory says, without Ansible; what it cannot do is refused."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from ringfence.model.errors import InputError
from ringfence.sources.ansible_settings import AnsibleSettings

# Nobody is asked for anything, and no connection is shared: a master whose host is cut off would hold its clients.
FIRST = (
    *("-o", "BatchMode=yes", "-o", "ControlMaster=no", "-o", "ControlPath=none"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
)
COMMAND = "exec /bin/sh -s"
SECONDS = 10
_YES = frozenset({"true", "yes", "on", "1", "y", "t"})
_ROOT = "root"
# Returns the first value that a host's variables of some names have, empty for none.
Said = Callable[..., str]


def ssh_command(host: str, attributes: Mapping[str, object], settings: AnsibleSettings) -> tuple[str, ...]:
    """Return the command that gives a shell of root on a host.

    Raise InputError, with the variable's name, for a connection that is not OpenSSH's, a template that only Ansible can
    fill in, and a way to root that asks for something. Passwords are never used: a host that wants one is not reached.
    """

    def said(*names: str) -> str:
        for name in names:
            value = attributes.get(name)
            if isinstance(value, str | int) and value != "":
                text = str(value)
                if "{{" in text or "{%" in text:
                    raise InputError(f"{host}: {name} is a template, which only Ansible can fill in")
                return text
        return ""

    if (connection := said("ansible_connection")) not in ("", "ssh", "smart", "ansible.builtin.ssh"):
        raise InputError(f"{host}: its connection is {connection}, and --direct is OpenSSH's alone")
    if (shell := said("ansible_shell_type")) not in ("", "sh"):
        raise InputError(f"{host}: its shell is {shell}, and --direct needs one of POSIX")
    proxy = said("ansible_ssh_proxy_command")
    before = ("-o", f"ProxyCommand={proxy}") if proxy else ()
    user = said("ansible_user", "ansible_ssh_user") or settings.first(
        ("ANSIBLE_REMOTE_USER",), ("defaults", "remote_user")
    )
    key = said("ansible_private_key_file", "ansible_ssh_private_key_file") or settings.first(
        ("ANSIBLE_PRIVATE_KEY_FILE",), ("defaults", "private_key_file")
    )
    port = said("ansible_port", "ansible_ssh_port") or settings.first(
        ("ANSIBLE_REMOTE_PORT",), ("defaults", "remote_port")
    )
    words = list(_arguments(host, said, settings))
    checking = settings.first(("ANSIBLE_HOST_KEY_CHECKING",), ("defaults", "host_key_checking"))
    if checking and checking.lower() not in _YES:
        words += ["-o", "StrictHostKeyChecking=no"]
    if port:
        words += ["-p", port]
    if user:
        words += ["-l", user]
    if key:
        words += ["-i", str(_path(key, settings))]
    target = said("ansible_host", "ansible_ssh_host") or host
    if target.startswith("-"):
        raise InputError(f"{host}: '{target}' is no address of a host")
    command = _as_root(host, said, settings, user)
    ssh = said("ansible_ssh_executable") or "ssh"
    return (ssh, *FIRST, *before, *words, "-o", f"ConnectTimeout={SECONDS}", "--", target, command)


def _arguments(host: str, said: Said, settings: AnsibleSettings) -> list[str]:
    found: list[str] = []
    for variable, environment, key in (
        ("ansible_ssh_args", "ANSIBLE_SSH_ARGS", "ssh_args"),
        ("ansible_ssh_common_args", "ANSIBLE_SSH_COMMON_ARGS", "ssh_common_args"),
        ("ansible_ssh_extra_args", "ANSIBLE_SSH_EXTRA_ARGS", "ssh_extra_args"),
    ):
        text = said(variable) or settings.first((environment,), ("ssh_connection", key))
        try:
            found += shlex.split(text)
        except ValueError as error:
            raise InputError(f"{host}: {variable} cannot be split into words: {error}") from error
    return found


def _as_root(host: str, said: Said, settings: AnsibleSettings, user: str) -> str:
    """Return what runs the script as root: sudo, where the inventory has Ansible become it, and asks for nothing."""
    become = said("ansible_become") or settings.first(("ANSIBLE_BECOME",), ("privilege_escalation", "become"))
    if become.lower() not in _YES:
        return COMMAND
    method = said("ansible_become_method") or settings.first(
        ("ANSIBLE_BECOME_METHOD",), ("privilege_escalation", "become_method")
    )
    if method not in ("", "sudo", "ansible.builtin.sudo"):
        raise InputError(f"{host}: it becomes root by {method}, and --direct can only sudo")
    whom = said("ansible_become_user") or settings.first(
        ("ANSIBLE_BECOME_USER",), ("privilege_escalation", "become_user")
    )
    if whom not in ("", _ROOT):
        raise InputError(f"{host}: it becomes {whom}, and only root can change the firewall")
    return COMMAND if user == _ROOT else "exec sudo -n /bin/sh -s"


def _path(key: str, settings: AnsibleSettings) -> Path:
    path = Path(os.path.expandvars(key)).expanduser()
    base = settings.file.parent if settings.file else Path.cwd()
    return path if path.is_absolute() else base / path

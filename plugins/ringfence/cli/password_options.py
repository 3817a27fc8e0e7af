"""The options by which people give Ansible its passwords, as ansible-playbook has them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringfence.model.errors import InputError, OutsideError, Place

if TYPE_CHECKING:
    from ringfence.operations.passwords import Passwords

# Letters; all of one has to go into a pipe at once.
LONGEST = 1000
PASSWORD_FILE = click.Path(path_type=Path, allow_dash=True, dir_okay=False)
BECOME_OPTIONS = (
    click.option("-K", "--ask-become-pass", is_flag=True, help="Ask for the become password."),
    click.option(
        "--become-password-file",
        "--become-pass-file",
        type=PASSWORD_FILE,
        metavar="FILE",
        help="Take it from a file, from what a script prints, or from - (standard input).",
    ),
)
VAULT_OPTIONS = (
    click.option("-J", "--ask-vault-pass", "--ask-vault-password", is_flag=True, help="Ask for the vault password."),
    click.option(
        "--vault-password-file",
        "--vault-pass-file",
        type=PASSWORD_FILE,
        metavar="FILE",
        help="Take it from a file, from what a script prints, or from - (standard input).",
    ),
)


def password_options(function: Callable[..., None], *, hosts: bool) -> Callable[..., None]:
    """Add the options to a command: that of the inventory's vaults, and of root where it reaches `hosts`."""
    for option in reversed((*(BECOME_OPTIONS if hosts else ()), *VAULT_OPTIONS)):
        function = option(function)
    return function


def taken_passwords(options: dict[str, Any]) -> Passwords:
    """Take the options out of a command's and return the passwords, asked for where that is wanted.

    Raise InputError for options that exclude each other, for a file that cannot be read, and where nobody can be asked;
    OutsideError for a script that fails.
    """
    from ringfence.operations.passwords import Passwords

    become, vault = (
        (bool(options.pop(f"ask_{kind}_pass", False)), options.pop(f"{kind}_password_file", None))
        for kind in ("become", "vault")
    )
    return Passwords(_password("become", *become, "BECOME password"), _password("vault", *vault, "Vault password"))


def _password(kind: str, ask: bool, file: Path | None, prompt: str) -> str | None:
    if ask and file is not None:
        raise InputError(f"--ask-{kind}-pass and --{kind}-password-file exclude each other", remedy="give one of them")
    if ask:
        if not sys.stdin.isatty():
            raise InputError(
                f"nobody can be asked for the {kind} password without a terminal",
                remedy=f"give --{kind}-password-file FILE",
            )
        given: str = click.prompt(prompt, hide_input=True, err=True, default="", show_default=False)
        return given
    return _read(file) if file is not None else None


def _read(file: Path) -> str:
    """Return the password of a file, of what a script prints, or of standard input, without the end of its line."""
    try:
        if str(file) == "-":
            text = sys.stdin.buffer.read()
        elif os.access(file, os.X_OK):
            done = subprocess.run([file.absolute()], stdout=subprocess.PIPE, check=False)
            if done.returncode:
                raise OutsideError(f"the script ended with status {done.returncode}", Place(str(file)))
            text = done.stdout
        else:
            text = file.read_bytes()
        found = text.strip(b"\r\n").decode()
    except OSError as error:
        raise InputError(f"this password cannot be read: {error.strerror}", Place(str(file))) from error
    except UnicodeDecodeError as error:
        raise InputError("this password is not UTF-8", Place(str(file))) from error
    if not found:
        raise InputError("there is no password in it", Place(str(file)))
    if len(found) > LONGEST:
        raise InputError("this is longer than a password", Place(str(file)))
    return found

"""What is vaulted in an inventory: values that Ansible's listing keeps closed, and files that it cannot open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ringfence.model.errors import InputError, Place
from ringfence.sources.inventory_texts import line_of, texts_of

REMEDY = "write it in plain, or vault the whole file that it stands in: such a file is opened"
_HEADER = b"$ANSIBLE_VAULT;"
_OF_VAULT = re.compile(r"vault (?:secret|password|id\b)|decryption failed|attempting to decrypt", re.IGNORECASE)
_NAMED = 3


def is_vaulted(value: object) -> bool:
    """Return whether a variable is vaulted by itself: `ansible-inventory --list` opens none, with whatever password."""
    if value is None or type(value) is str:  # nearly all are, and asking for a mapping costs more
        return False
    return isinstance(value, Mapping) and len(value) == 1 and "__ansible_vault" in value


def vault_failure(message: str, place: Place | None, paths: Sequence[Path], base: Path) -> InputError | None:
    """Return the error where what Ansible says is that a vault cannot be opened, with the file that is vaulted."""
    if not _OF_VAULT.search(message):
        return None
    found = sorted(_vaulted(paths, base), key=lambda one: one.line > 1)  # of single values Ansible opens none
    if place is None or place.file not in {one.file for one in found}:
        # Ansible may name the source that met the value, not the file that holds it.
        place = found[0] if found else place
    files = [one.file for one in found if place is None or one.file != place.file]
    others = f" (or in {', '.join(files[:_NAMED])}{', …' if len(files) > _NAMED else ''})" if files else ""
    return InputError(
        f"what is vaulted here{others} cannot be opened: {message}"
        if found
        else f"a vault cannot be opened: {message}",
        place,
        "give the right vault password: --ask-vault-pass or --vault-password-file FILE; or set "
        "ANSIBLE_VAULT_PASSWORD_FILE, or vault_password_file in ansible.cfg, to a file with it, or to a script",
    )


def place_of_value(variable: str, paths: Sequence[Path], base: Path) -> Place | None:
    """Return where the value of a variable is vaulted; None where no file has that, or several do."""
    value = re.compile(
        rb"^[ \t-]*[\"']?" + re.escape(variable.encode()) + rb"[\"']?[ \t]*:[ \t]*!vault\b", re.MULTILINE
    )
    found = [
        Place(shown, line_of(data, met.start()))
        for shown, data in texts_of(paths, base)
        for met in value.finditer(data)
    ]
    return found[0] if len(found) == 1 else None


def _vaulted(paths: Sequence[Path], base: Path) -> Iterator[Place]:
    """Yield the first vaulted text of each file that Ansible may read with an inventory."""
    for shown, data in texts_of(paths, base):
        if (at := data.find(_HEADER)) >= 0:
            yield Place(shown, line_of(data, at))

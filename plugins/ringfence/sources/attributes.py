"""Attributes: what label rules may look at, as plain JSON data, with everything that may be a secret left out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ringfence.wire.secret_names import names_secret

# Longer than any inventory nests; deeper data is cut, so that hostile nesting exhausts nothing.
DEEPEST = 64

_SECRET_VALUES = re.compile(r"^\$ANSIBLE_VAULT;|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s@]+@")
_ASSIGNMENT = re.compile(r"^\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*\S")
_DROP = object()
# What a vaulted value is inside Ansible: since 2.19, and before.
_VAULTED = ("EncryptedString", "AnsibleVaultEncryptedUnicode")


def plain_attributes(variables: Mapping[str, object]) -> dict[str, object]:
    """Return variables as plain JSON data without secrets.

    Strings that Ansible marks as unsafe become plain strings. Left out are vaulted values, private keys, URLs with a
    password, and everything whose name says that it is one (`ansible_become_pass`, `DbPassword`, `*_token`, …).
    """
    found = _plain(variables, 0)
    return found if isinstance(found, dict) else {}


def plain_value(value: object, depth: int = 0) -> object:
    """Return a value as plain JSON data, secrets and all; None for what JSON cannot say or what nests too deep.

    JMESPath looks at exact types, and strings inside Ansible are of its own subclasses.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if depth >= DEEPEST:
        return None
    if isinstance(value, Mapping):
        if len(value) == 1 and "__ansible_unsafe" in value:
            return plain_value(value["__ansible_unsafe"], depth + 1)
        return {str(key): plain_value(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item, depth + 1) for item in value]
    # As Ansible lists it: what is vaulted is not opened here.
    return {"__ansible_vault": ""} if type(value).__name__ in _VAULTED else None


def _plain(value: object, depth: int) -> object:
    if isinstance(value, str):
        return _DROP if _secret_text(value) else str.__str__(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if depth >= DEEPEST:
        return _DROP
    if isinstance(value, Mapping):
        return _plain_mapping(value, depth)
    if isinstance(value, list | tuple):
        items = (_plain(item, depth + 1) for item in value)
        return [item for item in items if item is not _DROP]
    return _DROP


def _plain_mapping(value: Mapping[object, object], depth: int) -> object:
    if "__ansible_vault" in value:
        return _DROP
    if len(value) == 1 and "__ansible_unsafe" in value:
        return _plain(value["__ansible_unsafe"], depth)
    named = value.get("name", value.get("key", value.get("Key")))
    tells_secret = isinstance(named, str) and names_secret(named)
    found: dict[str, object] = {}
    for key, item in value.items():
        name = str(key)
        if names_secret(name) or (tells_secret and name in ("value", "Value")):
            continue
        kept = _plain(item, depth + 1)
        if kept is not _DROP:
            found[name] = kept
    return found


def _secret_text(text: str) -> bool:
    if _SECRET_VALUES.search(text):
        return True
    assigned = _ASSIGNMENT.match(text)
    return assigned is not None and names_secret(assigned[1])

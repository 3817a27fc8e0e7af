"""A program that runs a Python command of Ansible, its path the first argument, so that listing many hosts costs less.

What is said is the same. Ansible indents what it lists, for which Python has no fast writer; of every value it asks
again what it is; for every host it looks for the connection plugins on the disk, to take their variables out of facts
of which it has none; and many hosts are many objects that stay, among which cycles are looked for again and again:
together two thirds of its time. Where Ansible is built otherwise than here known, it works as it always does.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

_indenting = json.dumps
# Ansible's encoder for inventories, as a class in this module; earlier releases have another one.
_ENCODER = ("ansible._internal._json._profiles._inventory_legacy", "Encoder")


class _Unknown(Exception):
    """A value that only Ansible's own encoder knows how to write."""


def _without_indentation(value: Any, **options: Any) -> str:
    """Return what `json.dumps` says without indentation, an inventory from values that were looked at once."""
    options["indent"] = None
    encoder = options.get("cls")
    if (getattr(encoder, "__module__", ""), getattr(encoder, "__name__", "")) == _ENCODER:
        try:
            plain = _inventory(value)
        except (_Unknown, ImportError, AttributeError, KeyError, TypeError, RecursionError):
            return _indenting(value, **options)
        # The encoder leaves what is not ASCII as it is.
        return _indenting(plain, **{**options, "cls": None, "ensure_ascii": False})
    return _indenting(value, **options)


def _inventory(listed: Any) -> dict[str, Any]:
    """Return a whole listing with the variables of its hosts as plain data. Raise _Unknown for any other listing."""
    groups = {name: body for name, body in listed.items() if name != "_meta"}
    if any("vars" in body for body in groups.values()):
        raise _Unknown
    meta = listed["_meta"]
    plain = _plain()
    hosts = {name: {key: plain(value) for key, value in own.items()} for name, own in meta["hostvars"].items()}
    return {**groups, "_meta": {**meta, "hostvars": hosts}}


def _plain() -> Callable[[Any], Any]:
    """Return what makes plain data of a variable: a text that is no template is marked, a vaulted one is not opened."""
    from ansible._internal._datatag._tags import TrustedAsTemplate
    from ansible.module_utils._internal import _datatag
    from ansible.parsing.vault import EncryptedString, VaultHelper

    texts: dict[int, Any] = {}  # by the id of a text, which stays while the listing is written
    scalars = {int, float, bool, type(None), _datatag._AnsibleTaggedInt, _datatag._AnsibleTaggedFloat}
    mappings, sequences = {dict, _datatag._AnsibleTaggedDict}, {list, tuple, _datatag._AnsibleTaggedList}
    tagged = {_datatag._AnsibleTaggedStr, EncryptedString}

    def text(value: Any) -> Any:
        if type(value) is not EncryptedString and not TrustedAsTemplate.is_tagged_on(value):
            return {"__ansible_unsafe": value}
        ciphertext = VaultHelper.get_ciphertext(value, with_tags=False)
        return {"__ansible_vault": ciphertext} if ciphertext else value

    def plain(value: Any) -> Any:
        kind = type(value)
        if kind in tagged:
            known = texts.get(id(value))
            if known is None:
                known = texts[id(value)] = text(value)
            return known
        if kind in mappings:
            if not all(isinstance(key, str) for key in value):
                raise _Unknown
            return {key: plain(item) for key, item in value.items()}
        if kind in sequences:
            return [plain(item) for item in value]
        if kind is str:
            return {"__ansible_unsafe": value}
        if kind in scalars:
            return value
        raise _Unknown

    return plain


def _spare_facts() -> None:
    """Let Ansible clean a host's facts only where it has any."""
    import_module("ansible.cli.inventory")  # first, as the command itself does
    from ansible.vars import manager

    clean: Callable[[Any], Any] = manager.clean_facts

    def cleaned(facts: Any) -> Any:
        return clean(facts) if facts else {}

    manager.clean_facts = cleaned


def _tell_sources(descriptor: int) -> None:
    """Have the command tell of its sources where Ansible is built as here known."""
    with suppress(ImportError, AttributeError):
        from ringfence.sources.ansible_telling import tell_sources

        tell_sources(descriptor)


def _end_with(descriptor: int) -> None:
    """End at the end of a pipe: who asked is gone, and what is found out is for nobody."""
    os.read(descriptor, 1)
    os._exit(1)


def main() -> None:
    """Run the command that the first argument names, with the arguments behind it.

    Before it may stand `--until` and the descriptor of a pipe at whose end it ends, then `--tell-to` and one to which
    it tells of its sources.
    """
    if sys.argv[1] == "--until":
        threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
        del sys.argv[1:3]
    if sys.argv[1] == "--tell-to":
        _tell_sources(int(sys.argv[2]))
        del sys.argv[1:3]
    gc.set_threshold(500_000, 20, 100)
    json.dumps = _without_indentation  # type: ignore[assignment]  # it passes every option on
    del sys.argv[0]
    with suppress(ImportError, AttributeError):
        _spare_facts()
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()

"""Values of a source as variables of a host: what could be a template is marked, so that Ansible never evaluates it.

Words of letters, digits and a few signs cannot be a template under any delimiters that a template may set. They stay
as they are, which keeps `ansible-inventory --list` readable (else each would be a mapping with `__ansible_unsafe`) and
halves what thousands of hosts cost.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ansible.utils.unsafe_proxy import wrap_var

try:
    from ansible.template import trust_as_template as _plain  # ansible-core 2.19: what is not trusted is marked
except ImportError:
    _plain = str

_WORD = re.compile(r"[\w.:/ -]*", re.ASCII)


def as_variable(value: object) -> object:
    """Return a copy of plain data in which every text that could be a template is marked as data."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_key(key): as_variable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_variable(item) for item in value]
    return value


@lru_cache(maxsize=65536)
def _text(text: str) -> str:
    return _plain(text) if _WORD.fullmatch(text) else wrap_var(text)


@lru_cache(maxsize=4096)
def _key(key: object) -> object:
    return key if isinstance(key, str) and _WORD.fullmatch(key) else wrap_var(key)

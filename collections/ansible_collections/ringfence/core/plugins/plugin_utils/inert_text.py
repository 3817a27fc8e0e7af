"""What sources say as variables that Ansible never evaluates, without the price of marking every harmless text.

`wrap_var` marks all texts. ansible-core 2.19 then writes each as a mapping of its own, five times as long. Words of
letters, digits and a few signs are no template under any delimiters that a template may choose: they are passed on as
what they are, and only other texts are marked.
"""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from ansible.utils.unsafe_proxy import wrap_var

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18 evaluates what is not marked, and an inert text evaluates to itself
    trust_as_template = str

_HARMLESS = re.compile(r"[\w.:/@, -]*", re.ASCII)


def as_data(value: object) -> object:
    """Return plain data for a variable: every text in it stays that text, whatever a play does with it."""
    if isinstance(value, str):
        return inert(str(value))
    if isinstance(value, Mapping):
        return {inert(str(key)): as_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    return value


@lru_cache(maxsize=65536)
def inert(text: str) -> str:
    """Return a text that no template engine takes for more than a text."""
    return trust_as_template(text) if _HARMLESS.fullmatch(text) else wrap_var(text)

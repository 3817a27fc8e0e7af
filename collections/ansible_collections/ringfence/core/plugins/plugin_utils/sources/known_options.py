"""Refuses what the configuration of an inventory plugin says and cannot mean: a typo, a word that YAML misreads.

Ansible itself passes over unknown options, so that `regoins: [eu-west-1]` would read all regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_words import refuse_misread


class KnownOptions(BaseInventoryPlugin):
    """An inventory plugin whose configuration is checked before Ansible reads it."""

    def _read_config_data(self, path: str) -> Mapping[str, Any]:
        """Read a file as Ansible does; raise AnsibleParserError at the first key that is no option, or misread text."""
        given = self.loader.load_from_file(path, cache="none")
        if isinstance(given, Mapping) and given.get("plugin") == self.NAME:
            refuse_unknown(given, self.option_definitions, f"Options: ansible-doc -t inventory {self.NAME}")
            content, _ = self.loader._get_file_contents(path)
            refuse_misread(content.decode("utf-8-sig"), path, self.option_definitions)
        return super()._read_config_data(path)


def refuse_unknown(given: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], more: str) -> None:
    """Raise AnsibleParserError for the first key that is no option nor an alias of one, in mappings of suboptions too.

    Ansible shows the key's file, line and column with the message.
    """
    names = {name for option in options for name in (option, *(options[option].get("aliases") or ()))}
    for key, value in given.items():
        if key not in names:
            close = get_close_matches(str(key), sorted(names), n=1)
            hint = f": did you mean '{close[0]}'?" if close else "."
            raise AnsibleParserError(f"there is no option '{key}' here{hint} {more}", obj=key)
        inner: Mapping[str, Any] = (options.get(key) or {}).get("suboptions") or {}
        for mapping in _mappings(value) if inner else ():
            refuse_unknown(mapping, inner, f"In '{key}' there are {', '.join(sorted(inner))}")


def _mappings(value: Any) -> Iterable[Mapping[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]

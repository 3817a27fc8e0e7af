"""Gives configurations, a JSON list on stdin, to their inventory plug-ins; prints what these refuse, a line each."""

from __future__ import annotations

import json
import sys

from ansible.errors import AnsibleError
from ansible.plugins.loader import init_plugin_loader, inventory_loader

init_plugin_loader()

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.known_options import refuse_unknown  # noqa: E402

for configuration in json.load(sys.stdin):
    plugin = inventory_loader.get(configuration["plugin"])
    try:
        refuse_unknown(configuration, plugin.option_definitions, "")
        plugin.set_options(direct=configuration)
    except AnsibleError as error:
        print(f"{configuration}: {error}")

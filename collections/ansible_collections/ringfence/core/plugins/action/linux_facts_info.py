# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gather what a host says of itself, no more than labels, identity and addresses need, and keep it under its name."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import ClassVar

from ansible import constants
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import AnswerError, shown, text
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.facts_shape import (
    SUBSETS,
    kept,
    listening,
    running,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_files import write_host_file
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.module_action import ModuleAction
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_answer import ShellAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_facts import shell_facts
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError

MODULE = "ansible.builtin.setup"
# Where the engine looks for facts, in a workspace, and what tells a workspace.
FACTS = os.path.join(".ringfence", "facts")
SETTINGS = "ringfence.yml"
FORMAT = 1


class ActionModule(ModuleAction):
    """ringfence.core.linux_facts_info."""

    ARGUMENTS: ClassVar = {
        "facts_directory": {"type": "path"},
        "listeners": {"type": "list", "elements": "dict"},
        "running_units": {"type": "list", "elements": "str"},
    }
    VARIABLES: ClassVar = ("facts_directory",)

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Return the facts of a host, written down as well where they are to be kept."""
        told = self.asked(MODULE, {"gather_subset": list(SUBSETS)}, "facts", {}, task_vars)
        unseen: list[str] = []
        if isinstance(told, ShellAnswer):
            try:
                by_shell, lacking = shell_facts(told)
            except AnswerError as error:
                raise TargetFailure("unknown", "answer", f"this host's answer is not valid: {error}") from None
            facts = kept({"ansible_facts": by_shell})
            unseen = [text(f"read by the shell: {told.last('no_python')}"[:300], "unseen"), *lacking]
        else:
            facts = kept(told)
        if arguments["listeners"] is not None:
            facts["listeners"] = listening(arguments["listeners"])
        if arguments["running_units"] is not None:
            facts["running_units"] = running(arguments["running_units"])
        directory = arguments["facts_directory"] or _of_workspace()
        if directory:
            _write(directory, str(task_vars["inventory_hostname"]), facts)
        return {"changed": False, "facts": facts, "directory": directory, "unseen": unseen}


def _of_workspace() -> str | None:
    """Return where the workspace keeps facts that Ansible runs in, None where it runs in none."""
    config = constants.CONFIG_FILE
    places = [os.path.dirname(config)] if config else []
    for place in (*places, os.getcwd()):
        if os.path.isfile(os.path.join(place, SETTINGS)):
            return os.path.join(place, FACTS)
    return None


def _write(directory: str, host: str, facts: dict) -> None:
    """Write the facts of a host, whole, for this user alone. Raise PlanError where that cannot be done."""
    if "/" in host or host in ("", ".", ".."):
        raise PlanError(
            "directory", f"'{shown(host, 100)}' is not a valid name for a file, so its facts cannot be kept"
        )
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {"format": FORMAT, "host": host, "gathered": now, "facts": facts}
    write_host_file(directory, host, data)
    try:
        os.chmod(directory, 0o700)
        # What Ansible's own cache kept there, root's whole environment among it, is neither needed nor for others.
        for old in (f"s1_{host}", host):
            path = Path(directory, old)
            if path.is_file() and not path.is_symlink():
                path.chmod(0o600)
    except OSError as error:
        raise PlanError("directory", f"cannot write below {directory}: {error.strerror}") from error

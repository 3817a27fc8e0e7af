# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell what a host has for what Ringfence will ask of it, as the login user and as root."""

from __future__ import annotations

import time
from typing import ClassVar

from ansible.errors import AnsibleError
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import TargetAction, TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_limits import Overrun, limited
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.doctor_answer import (
    answer_of,
    doctor_script,
    last_words,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import COMMAND

# An answer has a few thousand; what Ansible reads of its own plug-ins meanwhile counts too.
MOST_BYTES = 4_000_000


class ActionModule(TargetAction):
    """ringfence.core.linux_doctor_info."""

    ARGUMENTS: ClassVar = {}
    within: float

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Return what the host says to the login user, and what it says to root, or why there is no root."""
        # A connection that cannot be made raises here: the host is unreachable.
        login, words, clock = self._look(sudoable=False)
        result = {"changed": False, "login": login, "words": words, "clock": clock, "root": {}, "refused": ""}
        if login.get("uid") == ["0"]:
            return {**result, "root": login}
        if self._connection.become is None:
            return {**result, "refused": "Ansible is not told to become root"}
        try:
            root, words, clock = self._look(sudoable=True)
        except (AnsibleError, TargetFailure) as error:
            return {**result, "refused": last_words(str(error))}
        if root.get("uid") != ["0"]:
            return {**result, "refused": words or "what answered is not root"}
        return {**result, "root": root, "clock": clock}

    def _look(self, *, sudoable: bool) -> tuple[dict, str, list[float]]:
        """Return the host's values, what else it said, and the controller's clock before and after.

        Raise TargetFailure where it does not end in time.
        """
        began = time.time()
        try:
            with limited(self.within, MOST_BYTES):
                said = self._low_level_execute_command(COMMAND, in_data=doctor_script(), sudoable=sudoable)
        except Overrun as overrun:
            raise TargetFailure("silent", "silent", f"this host is unresponsive: {overrun}") from None
        return answer_of(said["stdout"]), last_words(said["stderr"] or said["stdout"]), [began, time.time()]

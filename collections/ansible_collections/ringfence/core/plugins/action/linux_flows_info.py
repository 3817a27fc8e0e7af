# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Have a host report its flows, and let nothing of its answer through but a report of the documented shape."""

from __future__ import annotations

import hashlib
import re
from typing import ClassVar

from ansible_collections.ringfence.core.plugins.module_utils.flows_report import Options
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_limits import MOST_BYTES
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import AnswerError
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.flows_shape import (
    MOST_FLOWS,
    reported,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_files import write_host_file
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.module_action import ModuleAction
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_answer import ShellAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.shell_report import shell_report
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError

# Bytes of a flow in JSON, with names as long as they get.
LONGEST_FLOW = 600
MODULE = "ringfence.core.linux_flows_info"
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", re.ASCII)


class ActionModule(ModuleAction):
    """ringfence.core.linux_flows_info."""

    ARGUMENTS: ClassVar = {
        "conntrack": {"type": "bool", "default": True},
        "loopback": {"type": "bool", "default": False},
        "limit": {"type": "int", "default": 20000},
        "flows_directory": {"type": "path"},
    }
    VARIABLES: ClassVar = ("flows_directory",)

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Return the host's report, written down as well where a directory is given."""
        if not 1 <= arguments["limit"] <= MOST_FLOWS:
            raise PlanError(
                "input", f"limit must be a number of flows from 1 to {MOST_FLOWS}, not {arguments['limit']}"
            )
        asked = {name: arguments[name] for name in ("conntrack", "loopback", "limit")}
        most = max(MOST_BYTES, arguments["limit"] * LONGEST_FLOW)
        values = {"conntrack": "1" if arguments["conntrack"] else ""}
        options = Options(**asked)
        told = self.asked(MODULE, asked, "report", values, task_vars, most)
        try:
            if isinstance(told, ShellAnswer):
                with self.judging("its report"):
                    told = shell_report(told, options)
            report: dict = {"changed": False, **reported(told, arguments["limit"])}
        except AnswerError as error:
            raise TargetFailure("unknown", "answer", f"this host's answer is not valid: {error}") from None
        if arguments["flows_directory"]:
            host = task_vars["inventory_hostname"]
            name = host if _FILE_NAME.fullmatch(host) else hashlib.sha256(host.encode()).hexdigest()
            write_host_file(arguments["flows_directory"], name, {**report, "inventory_hostname": host})
        return report

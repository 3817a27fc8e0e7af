# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An action that runs a module on a host and keeps its answer from Ansible, which would believe what it says."""

from __future__ import annotations

from .action import TargetAction, TargetFailure
from .answer_limits import MOST_BYTES, Overrun, limited
from .answer_values import AnswerError, shown
from .flows_shape import answered, failure


class ModuleAction(TargetAction):
    """Runs modules; what they answer is an object of JSON for the action alone, and no result."""

    within: float
    _told: dict | None = None
    _why_not = "it did not come through Ansible"

    def told(self, module: str, arguments: dict, task_vars: dict, most_bytes: int = MOST_BYTES) -> dict:
        """Return what a module on the host answered.

        Raise TargetFailure where that is not a JSON object, did not come in time, or is the module's failure.
        """
        self._told = None
        try:
            with limited(self.within, most_bytes):
                self._execute_module(module_name=module, module_args=arguments, task_vars=task_vars)
        except Overrun as overrun:
            raise TargetFailure("silent", "silent", f"this host is unresponsive: {overrun}") from None
        if self._told is None:
            raise TargetFailure("unknown", "answer", f"this host's answer is not valid: {self._why_not}")
        if why := failure(self._told):
            raise TargetFailure("failed", "target", why)
        return self._told

    def _parse_returned_data(self, res: dict, *profile: object) -> dict:
        """Keep a module's answer for this action, and give Ansible an empty one.

        Ansible would print, believe and pass on everything that the host sent beside the report.
        """
        try:
            self._told = answered(res.get("stdout") or "")
        except AnswerError as error:
            said = " ".join((res.get("stderr") or "").strip()[-600:].splitlines()[-3:])
            self._why_not = shown(f"{error} {said}".rstrip(), 1000)
        # in whatever form this release of ansible-core wants the answer of a module that says nothing
        return super()._parse_returned_data({**res, "stdout": "{}", "stdout_lines": ["{}"], "stderr": ""}, *profile)

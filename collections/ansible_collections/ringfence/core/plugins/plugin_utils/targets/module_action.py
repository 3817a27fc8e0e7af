# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An action that runs a module on a host and keeps its answer from Ansible, which would believe what it says."""

from __future__ import annotations

import re

from ansible import constants
from ansible.errors import AnsibleConnectionFailure

from .action import TargetAction, TargetFailure
from .answer_limits import MOST_BYTES, Overrun, limited
from .answer_values import AnswerError, shown
from .flows_shape import answered, failure
from .orders import COMMAND
from .shell_answer import LEAST_PYTHON, ShellAnswer, shell_answer, shell_order

# The statuses of a command that ran, of a password that sshpass could not give, and of ssh itself.
_NOT_OF_THE_SHELL = (0, 5, 255)
# Words for an interpreter that Ansible looks for itself.
_DISCOVERED = ("auto", "auto_silent", "auto_legacy", "auto_legacy_silent")
_PROGRAM = re.compile(r"[A-Za-z0-9_./+-]{1,200}", re.ASCII)


class ModuleAction(TargetAction):
    """Runs modules; what they answer is an object of JSON for the action alone, and no result."""

    within: float
    _told: dict | None = None
    _why_not = "it did not come through Ansible"
    _last: dict | None = None

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
        except AnsibleConnectionFailure as error:
            raise self._refused_by_shell() or error from None
        if self._told is None:
            raise TargetFailure("unknown", "answer", f"this host's answer is not valid: {self._why_not}")
        if why := failure(self._told):
            raise TargetFailure("failed", "target", why)
        return self._told

    def asked(
        self,
        module: str,
        arguments: dict,
        part: str,
        values: dict[str, str],
        task_vars: dict,
        most_bytes: int = MOST_BYTES,
    ) -> dict | ShellAnswer:
        """Return what a module on the host answered, or what the host's shell did where modules cannot run there.

        `part` is the shell's part and `values` are its variables. Raise TargetFailure where neither answers.
        """
        names = self._pythons(task_vars)
        told = self._by_shell(part, {**values, "pythons": " ".join(names)}, most_bytes)
        if told is not None and told.last("complete"):
            return told
        variables = task_vars
        if told is not None and told.last("python") in names:
            # which Ansible need not look for again
            variables = {**task_vars, "ansible_python_interpreter": told.last("python")}
        try:
            return self.told(module, arguments, variables, most_bytes)
        except TargetFailure as failure:
            if failure.state == "silent" or told is None or not told.last("python"):
                raise
            instead = self._by_shell(part, {**values, "pythons": ""}, most_bytes)
            if instead is None or not instead.last("complete"):
                raise
            instead.values["no_python"] = f"{told.last('python')} runs no module: {failure}"
            return instead

    def _pythons(self, task_vars: dict) -> list[str]:
        """Return the names of the interpreters that Ansible would try on this host, in its order."""
        named = constants.config.get_config_value("INTERPRETER_PYTHON", variables=task_vars)
        named = self._templar.template(named) if isinstance(named, str) else ""
        if isinstance(named, str) and named and named not in _DISCOVERED:
            return [named] if _PROGRAM.fullmatch(named) else []
        listed = constants.config.get_config_value("INTERPRETER_PYTHON_FALLBACK", variables=task_vars)
        names = [name for name in listed if isinstance(name, str) and _PROGRAM.fullmatch(name)]
        return [*dict.fromkeys(["python3", *names])]

    def _by_shell(self, part: str, values: dict[str, str], most_bytes: int) -> ShellAnswer | None:
        """Return what the shell of the host answers; None where that is no answer of ours.

        Raise TargetFailure where it does not come in time, or the host lacks what the shell needs.
        """
        order = shell_order(part, {**values, "least": str(LEAST_PYTHON)})
        try:
            with limited(self.within, most_bytes):
                said = self._low_level_execute_command(COMMAND, in_data=order)
        except Overrun as overrun:
            raise TargetFailure("silent", "silent", f"this host is unresponsive: {overrun}") from None
        try:
            told = shell_answer(said["stdout"])
        except AnswerError:
            return None
        if told.last("complete") and told.last("lacks"):
            why = f"this host has no Python for Ansible's modules, and {told.last('lacks')}"
            raise TargetFailure("failed", "tools", shown(why, 300))
        return told

    def _low_level_execute_command(self, *arguments: object, **options: object) -> dict:
        self._last = super()._low_level_execute_command(*arguments, **options)
        return self._last

    def _refused_by_shell(self) -> TargetFailure | None:
        """Return the failure of a reached host whose login shell ran nothing, which Ansible calls unreachable."""
        last = self._last or {"rc": 0}
        if last["rc"] in _NOT_OF_THE_SHELL:
            return None
        said = " ".join((last["stderr"] or last["stdout"] or "no output").split())
        why = (
            f"this host was reached, but the login shell of its user could not run Ansible's first command (status "
            f"{last['rc']}: {shown(said, 300)}); use a user whose login shell is a POSIX shell and whose remote_tmp is "
            "writable"
        )
        return TargetFailure("failed", "shell", why)

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

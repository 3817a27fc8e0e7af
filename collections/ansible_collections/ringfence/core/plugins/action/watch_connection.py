# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tell `ringfence watch` how Ansible would reach a host: the command, what it asks, and what is to run there.

Nothing is sent to the host, and nothing of the answer is in the result: it has passwords in it, and goes through a
socket in a private directory of the one who asked.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import USUAL
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import ONCE
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import shown
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.given_variables import GivenVariables
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import COMMAND
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.watch_script import watch_script
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError

ENFORCER = "ringfence_enforcer"
SECONDS = 10


class ActionModule(ActionBase):
    """ringfence.core.watch_connection."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return that it was told, or why this host cannot be watched."""
        result = super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec(
            argument_spec={
                "socket": {"type": "path", "required": True},
                "enforcers": {"type": "dict", "default": {}},
            }
        )
        variables = task_vars or {}
        try:
            host = str(variables["inventory_hostname"])
            given = GivenVariables(self._task, variables).all()
            enforcer = str(given.get(ENFORCER) or arguments["enforcers"].get(host) or USUAL)
            way = {"host": host, **self._way(), "script": watch_script(enforcer)}
        except (PlanError, AnsibleError) as error:
            return {**result, "failed": True, "state": "refused", "msg": shown(str(error), 500)}
        try:
            _tell(arguments["socket"], way)
        except OSError as error:
            return {
                **result,
                "failed": True,
                "state": "failed",
                "msg": f"nothing listens on the socket: {error.strerror}",
            }
        return {**result, "changed": False}

    def _way(self) -> dict:
        """Return the command on the controller, and what is asked and answered on the way."""
        connection: Any = self._connection
        if connection.transport not in ("ssh", "local"):
            raise PlanError(
                "connection", f"hosts are watched over ssh, but this host's connection is {connection.transport}"
            )
        command = self._command()
        become = connection.become
        way: dict[str, Any] = {
            "prompt": become.prompt if become and become.expect_prompt() else "",
            "success": become.success if become else "",
            "become": str(become.get_option("become_pass")) if become and become.expect_prompt() else None,
            "password": None,
        }
        if connection.transport == "local":
            return {**way, "command": ["/bin/sh", "-c", command]}
        before = connection.get_option("ssh_args") or ""
        connection.set_option("ssh_args", f"{ONCE} {before}")
        host = connection.get_option("host") or self._play_context.remote_addr
        words = connection._build_command(connection.get_option("ssh_executable"), "ssh", host, command)
        password = connection.get_option("password") or self._play_context.password
        texts = [os.fsdecode(word) for word in words]
        if texts[0] == "sshpass":  # the one who watches answers ssh by itself
            texts = texts[texts.index(connection.get_option("ssh_executable")) :]
        return {**way, "command": texts, "password": str(password) if password else None}

    def _command(self) -> str:
        """Return what Ansible would have a shell of the host do, with what makes it root."""
        connection: Any = self._connection
        sent: list[str] = []

        def keep(cmd: str, in_data: object = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
            sent.append(cmd)
            return 0, b"", b""

        connection.exec_command = keep
        try:
            self._low_level_execute_command(COMMAND, in_data=b"\n")
        finally:
            del connection.exec_command
        return sent[0]


def _tell(path: str, way: dict) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(SECONDS)
        link.connect(path)
        link.sendall(json.dumps(way).encode() + b"\n")

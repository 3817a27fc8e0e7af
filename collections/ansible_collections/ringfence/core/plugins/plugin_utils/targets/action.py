# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all actions of this collection share: an order over Ansible's own connection, or over a truly new one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import USUAL
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.journal import Journal
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError

from .answer_limits import Overrun, limited
from .answer_values import AnswerError, shown
from .given_variables import PREFIX, GivenVariables
from .orders import COMMAND, Reply, order, parse_reply
from .reply_shape import ended

# Every order is a connection of its own: a master whose host is gone, or that a new table cuts, would keep its clients
# waiting for ever. A peer that vanished is noticed after half a minute, not after the kernel's quarter of an hour.
ONCE = "-o ControlMaster=no -o ControlPath=none -o ServerAliveInterval=10 -o ServerAliveCountMax=3"

ANSWER_WITHIN = "answer_within"
# Seconds that it may take to read or judge what one host answered: the largest of our tables take five.
JUDGING = 60
# Seconds in which a host must have answered an order, unless somebody says another number.
SECONDS = 120


class TargetFailure(Exception):
    """The target could not carry an order out; `state` is what is known of it, in a word of the results."""

    def __init__(self, state: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.state = state
        self.rule = rule


class TargetAction(ActionBase):
    """An action that runs on the controller and sends orders to a target."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    ARGUMENTS: ClassVar[dict[str, dict]] = {}
    # Arguments that a task may leave to a variable `ringfence_NAME`: what a play spells out in templates is compiled
    # again for every host, which costs a third of what Ansible itself takes for one.
    VARIABLES: ClassVar[tuple[str, ...]] = ()
    within: float = SECONDS
    # Whose script an order is; what is not an order of a policy has none.
    enforcer: str = USUAL

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the action's result; what a target or plan refuses is a failure with its reason, never a traceback."""
        result = super().run(tmp, task_vars)
        del tmp
        try:
            warning = self._take_variables(task_vars or {})
            if warning:
                result["warnings"] = [warning]
            specification = {**self.ARGUMENTS, ANSWER_WITHIN: {"type": "int", "default": SECONDS}}
            self._refuse_missing()
            _validated, arguments = self.validate_argument_spec(argument_spec=specification)
            if arguments[ANSWER_WITHIN] < 1:
                raise PlanError("input", f"{ANSWER_WITHIN} must be a number of seconds, at least 1")
            self.within = arguments[ANSWER_WITHIN]
            told = self.act(arguments, task_vars or {})
            told["warnings"] = [*result.get("warnings", ()), *told.get("warnings", ())]
            result.update(told)
        except PlanError as error:
            result.update(failed=True, state="refused", rule=error.rule, msg=str(error))
        except TargetFailure as error:
            result.update(failed=True, state=error.state, rule=error.rule, msg=str(error))
        except AnsibleConnectionFailure as error:
            # Unreachable hosts would not stop the waves that follow; failed ones do.
            result.update(failed=True, state="unreachable", rule="unreachable", msg=shown(str(error), 1000))
        if not result.get("warnings"):
            result.pop("warnings", None)
        return result

    def cleanup(self, force: bool = False) -> None:
        """Remove what was made on the host for a module; one that does not answer keeps it."""
        try:
            with limited(self.within):
                super().cleanup(force=force)
        except Overrun as overrun:
            self._display.warning(f"a temporary directory remains on an unresponsive host: {overrun}")

    def _take_variables(self, task_vars: dict) -> str:
        """Take what the task leaves out from the variables that people gave; return the warning for what hosts gave."""
        names = {PREFIX + name: name for name in (*self.VARIABLES, ANSWER_WITHIN)}
        variables = GivenVariables(self._task, task_vars)
        left = [name for name in names if names[name] not in self._task.args and name in task_vars]
        if left:
            given = variables.all()
            templar = self._templar.copy_with_new_env(available_variables=given)
            found = templar.template({name: given[name] for name in left if name in given})
            self._task.args.update(
                {names[name]: value for name, value in found.items() if value != task_vars.get("omit")}
            )
        return variables.ignored(names)

    def _refuse_missing(self) -> None:
        """Raise PlanError for what is required and neither the task nor a variable says: Ansible names no variable."""
        for name in self.VARIABLES:
            if self.ARGUMENTS.get(name, {}).get("required") and name not in self._task.args:
                raise PlanError("input", f"{name} is not given: set the variable {PREFIX}{name}, or the option {name}")

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Do the work and return what goes into the result."""
        raise NotImplementedError

    def ssh_args(self) -> str:
        """Return the arguments of ssh that every order has before those of the configuration."""
        return ONCE

    def ask(self, verb: str, values: dict[str, str], ruleset: bytes = b"", within: float | None = None) -> Reply:
        """Return the target's reply to an order, which must come `within` seconds.

        Raise TargetFailure where it refused, could not run it, said nothing in time, or what is not a reply.
        """
        try:
            with limited(self.within if within is None else within), _options(self._connection, self.ssh_args()):
                answer = self._low_level_execute_command(COMMAND, in_data=order(verb, values, ruleset, self.enforcer))
        except Overrun as overrun:
            raise TargetFailure("silent", "silent", f"this host is unresponsive: {overrun} ({verb})") from None
        try:
            reply = parse_reply(answer["stdout"])
        except AnswerError as error:
            if answer["rc"] == 0:
                raise TargetFailure("unknown", "answer", f"this host's answer is not valid: {error}") from None
            reply = Reply()
        if reply.last("refused"):
            raise TargetFailure("refused", reply.last("refused"), reply.last("reason"))
        said = " ".join((answer["stderr"] or answer["stdout"]).strip()[-2000:].splitlines()[-3:])
        if answer["rc"] != 0:
            raise TargetFailure("failed", "target", shown(f"{verb} ended with status {answer['rc']}: {said}", 1000))
        if not ended(verb, bool(values.get("check")), reply.last):
            what = "what it holds" if verb == "status" else f"how {verb} ended"
            message = f"this host's answer is not valid: it does not say {what}{said and f', but: {said}'}"
            raise TargetFailure("unknown", "answer", shown(message, 1000))
        return reply

    def note(self, journal: Journal, host: str, event: str, said: str = "", state: str = "") -> None:
        """Write down what became of a host, under `event`, or its state where no event is given.

        Raise TargetFailure with that state where the journal cannot be written: the host is in it all the same.
        """
        try:
            journal.append(host, event, said)
        except PlanError as error:
            state = state or event
            known = f"{said or f'this host is {state}'}; {error}"
            remedy = "mend that, then 'ringfence plan --rebase' asks every host what it holds"
            raise TargetFailure(state, "journal", f"{known}: {remedy}") from error

    @contextmanager
    def judging(self, what: str) -> Iterator[None]:
        """Within this, an answer is read that may be anything. Raise TargetFailure where it cannot be."""
        try:
            with limited(JUDGING):
                yield
        except Overrun:
            why = f"not within {JUDGING} s"
        except (ValueError, LookupError, RecursionError, OverflowError) as error:
            why = shown(str(error), 200)
        else:
            return
        raise TargetFailure("unknown", "answer", f"this host's answer is not valid: {what} cannot be read: {why}")

    @contextmanager
    def new_connection(self, patience: float) -> Iterator[None]:
        """Within this, orders go over a connection of their own, which must stand within `patience` seconds."""
        if self._connection.transport != "ssh":
            # Plug-ins that keep a connection open make a new one after a reset; the target checks that it is new.
            self._connection.reset()
            yield
            return
        with _options(self._connection, ONCE, max(1, int(patience))):
            yield


@contextmanager
def _options(connection: ConnectionBase, ssh_args: str, timeout: int | None = None) -> Iterator[None]:
    """Put arguments of ssh before those of the configuration: of two equal options ssh takes the first."""
    if connection.transport != "ssh":
        yield
        return
    before = {"ssh_args": connection.get_option("ssh_args"), "timeout": connection.get_option("timeout")}
    try:
        connection.set_option("ssh_args", f"{ssh_args} {before['ssh_args'] or ''}")
        if timeout is not None:
            connection.set_option("timeout", min(timeout, int(before["timeout"])))
        yield
    finally:
        for name, value in before.items():
            connection.set_option(name, value)

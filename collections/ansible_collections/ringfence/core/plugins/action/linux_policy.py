# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply a plan to one host and confirm it over a new connection, or remove what Ringfence put there."""

from __future__ import annotations

import secrets
import time
from typing import ClassVar

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.held_state import full_records, recorded, unrecorded
from ansible_collections.ringfence.core.plugins.plugin_utils.journal import Journal
from ansible_collections.ringfence.core.plugins.plugin_utils.nft_reader import read_ruleset
from ansible_collections.ringfence.core.plugins.plugin_utils.plan_directory import (
    Host,
    Plan,
    PlanError,
    check_signature,
    check_validity,
    load_plan,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.standing import (
    cut_line,
    cut_lines,
    denied_connections,
    emergencies,
    left_out,
    to_cut,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.table_compare import differences
from ansible_collections.ringfence.core.plugins.plugin_utils.target_action import TargetAction, TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.target_orders import (
    Reply,
    control_ranges,
    process_lines,
)

# The confirmation must not come so late that the target is already going back.
MARGIN = 1.0
PAUSE = 0.3
# Standing connections that a result tells one by one: a name server has thousands.
MOST_TOLD = 1000


class ActionModule(TargetAction):
    """ringfence.core.linux_policy."""

    ARGUMENTS: ClassVar = {
        "plan": {"type": "path"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "confirm_within": {"type": "int", "default": 30},
        "allowed_signers": {"type": "path"},
        "journal": {"type": "path"},
        "excused": {"type": "list", "elements": "str", "default": []},
        "renew": {"type": "bool", "default": False},
        "force_lockout_test": {"type": "bool", "default": False},
    }
    VARIABLES: ClassVar = tuple(ARGUMENTS.keys() - {"state"})

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """Return the result of the wished state."""
        if arguments["state"] == "absent":
            reply = self.ask("remove", {"check": "1" if self._task.check_mode else ""})
            return {"changed": reply.last("changed") == "yes", "state": "none"}
        if not arguments["plan"]:
            raise PlanError("plan", "state=present needs a plan")
        plan = load_plan(arguments["plan"])
        host = plan.host(task_vars["inventory_hostname"])
        check_validity(plan)
        signer = check_signature(plan, arguments["allowed_signers"])
        result = {"plan": plan.identity, "sequence": plan.sequence, "ruleset": host.ruleset, "signed_by": signer}
        if self._task.check_mode:
            return {**result, **self._foresee(plan, host, arguments)}
        journal = Journal(plan, arguments["journal"])
        journal.guard(host.wave, arguments["excused"])
        journal.append(host.name, "started")
        try:
            result |= self._roll_out(plan, host, arguments)
        except (PlanError, TargetFailure) as error:
            journal.append(host.name, getattr(error, "state", "refused"), str(error))
            raise
        except AnsibleConnectionFailure as error:
            journal.append(host.name, "unreachable", str(error))
            raise
        journal.append(host.name, result["state"])
        return result

    def _foresee(self, plan: Plan, host: Host, arguments: dict) -> dict:
        values = {**_values(plan, host), "check": "1", "renew": "1" if arguments["renew"] else ""}
        reply = self.ask("apply", values, plan.ruleset(host.ruleset))
        changed = reply.last("changed") == "yes"
        result: dict = {"changed": changed, "state": "unconfirmed" if changed else "confirmed"}
        if self._task.diff and changed:
            listing = self.ask("status", {"listing": "1"}).sections.get("listing", "")
            told = differences(plan.table(host.table), read_ruleset(listing))
            result["diff"] = {"prepared": "".join(f"{one['text']}\n" for one in told)}
        return result

    def _roll_out(self, plan: Plan, host: Host, arguments: dict) -> dict:
        table = plan.table(host.table)
        if table["control"] != host.control:
            raise PlanError("lockout", "the table keeps another control path open than the plan says of this host")
        values = _values(plan, host)
        values["seconds"] = str(arguments["confirm_within"])
        values["renew"] = "1" if arguments["renew"] else ""
        values["force"] = "1" if arguments["force_lockout_test"] else ""
        rules = plan.data.get("rules", {})
        owners, cut, stood = None, [], ""
        if host.cut or emergencies(table, rules):
            seen = self.ask("status", {"sockets": "1", "processes": values["processes"]})
            owners = seen.sections.get("owners")
            stood = seen.sections.get("sockets", "")
            cut = to_cut(denied_connections(table, stood, owners, rules), rules, every=host.cut)
            values["cut"] = cut_lines(cut)
        until = time.monotonic() + arguments["confirm_within"] - MARGIN
        applied = self._apply(plan, host, values)
        stood = "\n".join((stood, *(applied.sections.get(name, "") for name in ("sockets", "flows"))))
        denied = denied_connections(table, stood, owners, rules)
        ending = to_cut(denied, rules, every=host.cut)
        known, ended = ({cut_line(one) for one in some} for some in (cut, ending))
        result = {
            "processes": applied.all("process"),
            "standing_denied": [{**one, "cut": cut_line(one) in ended} for one in denied[:MOST_TOLD]],
            "standing_denied_more": max(0, len(denied) - MOST_TOLD),
            "cut": host.cut,
            "denials": recorded(applied.sections.get("denials", ""), rules)[1],
            "warnings": [
                *_uncut(applied),
                *left_out(stood),
                *unrecorded(full_records(applied.sections.get("denials", ""), rules)),
            ],
        }
        if applied.last("changed") == "no":
            return {**result, "changed": False, "state": "confirmed"}
        # a host that loads in stages waits from their end on
        until += int(applied.last("staged") or 0)
        # what began while the first were asked for
        late = cut_lines([one for one in ending if cut_line(one) not in known])
        confirmed = self._confirm(plan, host, {"token": values["token"], "cut": late}, until)
        result["processes"] = confirmed.all("process") or result["processes"]
        result["warnings"] += confirmed.all("persistence")
        result["warnings"] += _uncut(confirmed)
        return {**result, "changed": True, "state": "confirmed"}

    def _apply(self, plan: Plan, host: Host, values: dict[str, str]) -> Reply:
        """Apply; a host that has signers of its own gets the signed plan as well."""
        try:
            return self.ask("apply", values, plan.ruleset(host.ruleset))
        except TargetFailure as error:
            signed = plan.signed_text() if error.rule == "unsigned" else None
            if signed is None:
                raise
        text, signature = (part.rstrip("\n") for part in signed)
        return self.ask("apply", {**values, "plan_text": text, "signature": signature}, plan.ruleset(host.ruleset))

    def _confirm(self, plan: Plan, host: Host, more: dict[str, str], until: float) -> Reply:
        """Confirm over a new connection as often as the time allows; raises TargetFailure where it went back."""
        values = {"plan": plan.digest, "port": str(host.control["port"]), **more}
        said = "no new connection came through"
        while (left := until - time.monotonic()) > 0:
            try:
                with self.new_connection(left):
                    return self.ask("confirm", values)
            except AnsibleConnectionFailure as error:
                said = f"no new connection came through: {error}"
            except TargetFailure as error:
                if error.rule != "connection":
                    raise TargetFailure("rolled back", error.rule, str(error)) from error
                said = str(error)
            time.sleep(PAUSE)
        raise TargetFailure("rolled back", "unconfirmed", f"not confirmed in time, so the target goes back: {said}")


def _uncut(reply: Reply) -> list[str]:
    return [f"connections that are denied were not ended: {why}" for why in reply.all("uncut")]


def _values(plan: Plan, host: Host) -> dict[str, str]:
    return {
        "plan": plan.digest,
        "sequence": str(plan.sequence),
        "expects": host.expects,
        "ruleset": host.ruleset,
        "table": host.table,
        "control": control_ranges(host.control["from"]),
        "port": str(host.control["port"]),
        "processes": process_lines(host.processes),
        "token": secrets.token_hex(8),
        "host": host.name,
    }

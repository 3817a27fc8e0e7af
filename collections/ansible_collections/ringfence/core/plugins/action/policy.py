# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply a plan to one host and confirm it over a new connection, or remove what Ringfence put there."""

from __future__ import annotations

import time
from typing import ClassVar

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.action import TargetFailure
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import shown
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.established_connections import (
    cut_line,
    cut_lines,
    denied_connections,
    emergencies,
    left_out,
    to_cut,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_status import (
    full_records,
    held,
    recorded,
    unrecorded,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import (
    Reply,
    application,
    confirmation,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.policy_action import WITHOUT_PLAN, PolicyAction
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.rollout_hold import hold_before
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.rollout_steps import (
    ASKS,
    CONFIRMS,
    LOADS,
    NOBODY,
    Steps,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.journal import Journal
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import (
    Host,
    Plan,
    PlanError,
    check_signature,
    check_validity,
    load_plan,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.table_compare import differences

# The confirmation must not come so late that the target is already going back.
MARGIN = 1.0
PAUSE = 0.3
# Seconds that a host may take to load a table, in stages where it must: a table of two hundred thousand elements in a
# user namespace takes two minutes.
LOADING = 600
# Seconds after its deadline in which a host must have told what became of it, and in which it answers one question.
SETTLING = 15
# Established connections that are judged, and differences that a check mode tells.
MOST_STANDING = 20_000
# Established connections that a result tells one by one: a name server has thousands.
MOST_TOLD = 1000


class ActionModule(PolicyAction):
    """ringfence.core.policy."""

    VERB: ClassVar = "apply"
    ARGUMENTS: ClassVar = {
        "plan": {"type": "path"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "confirm_within": {"type": "int", "default": 30},
        "allowed_signers": {"type": "path"},
        "journal": {"type": "path"},
        "excused": {"type": "list", "elements": "str", "default": []},
        "renew": {"type": "bool", "default": False},
        "run": {"type": "path"},
        "release": {"type": "bool", "default": False},
        "force_lockout_test": {"type": "bool", "default": False},
        **WITHOUT_PLAN,
    }
    VARIABLES: ClassVar = tuple(ARGUMENTS.keys() - {"state"})
    within: float
    steps = NOBODY

    def verb(self, arguments: dict) -> str:
        """Return `apply` or `remove`. Raise PlanError where there is no plan to apply."""
        if arguments["state"] == "absent":
            return "remove"
        if not arguments["plan"]:
            raise PlanError("plan", "state=present needs a plan")
        return "apply"

    def carry_out(self, arguments: dict, task_vars: dict) -> dict:
        """Return the result of the wished state."""
        if arguments["state"] == "absent":
            return {"changed": self._remove(arguments["release"]).last("changed") == "yes", "state": "none"}
        plan = load_plan(arguments["plan"])
        host = plan.host(task_vars["inventory_hostname"])
        if not self._task.check_mode:
            self.steps = Steps(arguments["run"], host.name)
            hold_before(host.wave, arguments["run"], self.steps)
        check_validity(plan)
        signer = check_signature(plan, arguments["allowed_signers"])
        enforcement(host.enforcer)
        result = {"plan": plan.identity, "sequence": plan.sequence, "ruleset": host.ruleset, "signed_by": signer}
        if self._task.check_mode:
            return {**result, **(self.by_itself(arguments, task_vars) or self._foresee(plan, host, arguments))}
        journal = Journal(plan, arguments["journal"])
        journal.guard(host.wave, arguments["excused"])
        journal.append(host.name, "started")
        try:
            result |= self.by_itself(arguments, task_vars) or self._roll_out(plan, host, arguments)
        except (PlanError, TargetFailure) as error:
            state = getattr(error, "state", "refused")
            self.note(journal, host.name, state, str(error))
            if host.name in arguments["excused"]:
                return {**result, "changed": False, **_excused(state, error.rule, str(error))}
            raise
        except AnsibleConnectionFailure as error:
            self.note(journal, host.name, "unreachable", shown(str(error), 1000))
            if host.name in arguments["excused"]:
                return {**result, "changed": False, **_excused("unreachable", "unreachable", shown(str(error), 1000))}
            raise
        self.note(journal, host.name, str(result["state"]))
        return result

    def _remove(self, release: bool) -> Reply:
        """Remove what the host holds, also where that is of another enforcer than somebody says of it now."""
        values = {"check": "1" if self._task.check_mode else "", "force": "1" if release else ""}
        try:
            return self.ask("remove", values)
        except TargetFailure as failure:
            theirs = failure.rule == "enforcer" or (
                not self.named and failure.rule == enforcement(self.enforcer).MISSING
            )
            reply = self.instead("remove", values) if theirs else None
            if reply is None:
                raise
            return reply

    def _foresee(self, plan: Plan, host: Host, arguments: dict) -> dict:
        values = {**application(plan, host), "check": "1", "renew": "1" if arguments["renew"] else ""}
        reply = self._apply(plan, host, values)
        changed = reply.last("changed") == "yes"
        result: dict = {"changed": changed, "state": "unconfirmed" if changed else "confirmed"}
        if self._task.diff and changed:
            listing = self.ask("status", {"listing": "1"}).sections.get("listing", "")
            table = plan.table(host.table)
            with self.judging("its table"):
                told = differences(table, enforcement(self.enforcer).read(listing))[:MOST_STANDING]
            result["diff"] = {"prepared": "".join(f"{one['text']}\n" for one in told)}
        return result

    def _roll_out(self, plan: Plan, host: Host, arguments: dict) -> dict:
        table = plan.table(host.table)
        if (table["control"] or {}) != host.control:
            raise PlanError("lockout", "the table keeps a different control path open than the plan has for this host")
        values = application(plan, host)
        values["seconds"] = str(arguments["confirm_within"])
        values["renew"] = "1" if arguments["renew"] else ""
        values["force"] = "1" if arguments["force_lockout_test"] else ""
        rules = plan.data.get("rules", {})
        owners, cut, stood = None, [], ""
        if host.cut or emergencies(table, rules):
            seen = self.ask("status", {"sockets": "1", "processes": values["processes"]})
            owners = seen.sections.get("owners")
            stood = seen.sections.get("sockets", "")
            cut = to_cut(self._denied(table, stood, owners, rules), rules, every=host.cut)
            values["cut"] = cut_lines(cut)
        self.steps.tell(LOADS)
        began = time.monotonic()
        until = began + arguments["confirm_within"] - MARGIN
        applied = self._apply(plan, host, values)
        stood = "\n".join((stood, *(applied.sections.get(name, "") for name in ("sockets", "flows"))))
        denied = self._denied(table, stood, owners, rules)
        ending = to_cut(denied, rules, every=host.cut)
        known, ended = ({cut_line(one) for one in some} for some in (cut, ending))
        result = {
            "processes": applied.all("process"),
            "standing_denied": [{**one, "cut": cut_line(one) in ended} for one in denied[:MOST_TOLD]],
            "standing_denied_more": max(0, len(denied) - MOST_TOLD),
            "cut": host.cut,
            **self._denials(rules, applied),
        }
        result["warnings"] = [*applied.all("warning"), *_uncut(applied), *left_out(stood), *result["warnings"]]
        if applied.last("changed") == "no":
            return {**result, "changed": False, "state": "confirmed"}
        # a host that loads in stages waits from their end on; it cannot have loaded longer than it took to answer
        until += min(int(applied.last("staged") or 0), time.monotonic() - began)
        # what began while the first were asked for
        late = cut_lines([one for one in ending if cut_line(one) not in known])
        self.steps.tell(CONFIRMS, max(0.0, until - time.monotonic()))
        confirmed = self._confirm(plan, host, {"token": values["token"], "cut": late}, until)
        result["processes"] = confirmed.all("process") or result["processes"]
        result["warnings"] += [*confirmed.all("warning"), *confirmed.all("persistence"), *_uncut(confirmed)]
        return {**result, "changed": True, "state": "confirmed"}

    def _denied(self, table: dict, stood: str, owners: str | None, rules: dict) -> list[dict]:
        with self.judging("its list of connections"):
            return denied_connections(table, stood, owners, rules)[:MOST_STANDING]

    def _denials(self, rules: dict, told: Reply) -> dict:
        listing = told.sections.get("denials", "")
        with self.judging("its list of denials"):
            return {
                "denials": recorded(listing, rules, self.enforcer)[1],
                "warnings": unrecorded(full_records(listing, rules, self.enforcer)),
            }

    def _apply(self, plan: Plan, host: Host, values: dict[str, str]) -> Reply:
        """Apply; a host that has signers of its own gets the signed plan as well."""
        try:
            return self.ask(
                "apply",
                values,
                plan.ruleset(host.ruleset, enforcement(self.enforcer).SUFFIX),
                within=max(self.within, LOADING),
            )
        except TargetFailure as error:
            signed = plan.signed_text() if error.rule == "unsigned" else None
            if signed is None:
                raise
        text, signature = (part.rstrip("\n") for part in signed)
        values = {**values, "plan_text": text, "signature": signature}
        return self.ask(
            "apply",
            values,
            plan.ruleset(host.ruleset, enforcement(self.enforcer).SUFFIX),
            within=max(self.within, LOADING),
        )

    def _confirm(self, plan: Plan, host: Host, more: dict[str, str], until: float) -> Reply:
        """Confirm over a new connection as often as the time allows. Raise TargetFailure where it did not count."""
        values = {**confirmation(plan, host), **more}
        rule, said = "unconfirmed", "no new connection could be opened"
        while (left := until - time.monotonic()) > 0:
            try:
                with self.new_connection(left):
                    return self.ask("confirm", values, within=min(self.within, left + MARGIN))
            except AnsibleConnectionFailure as error:
                said = f"no new connection could be opened: {error}"
            except TargetFailure as error:
                said = str(error)
                if error.rule != "connection":
                    rule = error.rule
                    break
            time.sleep(PAUSE)
        if rule == "unconfirmed":
            said = f"not confirmed in time: {said}"
            ends = until
        else:
            ends = time.monotonic()
        return self._settled(plan, host, ends + MARGIN + SETTLING, rule, said)

    def _settled(self, plan: Plan, host: Host, until: float, rule: str, said: str) -> Reply:
        """Return the status of a host that took the confirmation although its reply was lost.

        Otherwise raise TargetFailure with the state that the host reports, if it reports any.
        """
        told = ""
        self.steps.tell(ASKS, max(0.0, until - time.monotonic()))
        while (left := until - time.monotonic()) > 0:
            try:
                with self.new_connection(min(left, SETTLING)):
                    now = self.ask("status", {}, within=min(self.within, SETTLING))
                    if now.last("holder"):
                        # it went back to the table of another enforcer
                        now = self.instead("status", {}) or now
            except (AnsibleConnectionFailure, TargetFailure):
                time.sleep(PAUSE)
                continue
            if now.last("plan") == plan.digest and "confirmed" in now.all("stands") and not now.last("pending"):
                return now
            # what was not read in the kernel is not said of it
            holding = held(now, self.enforcer)
            if not now.last("pending") and holding["state"] in ("confirmed", "none"):
                holds = f"ruleset {holding['ruleset'][:12]}" if holding["ruleset"] else "no plan"
                raise TargetFailure("rolled back", rule, f"{said}; this host rolled back and holds {holds}")
            told = "".join(f" ({why})" for why in [*holding["unknown"], *holding["damaged"]][:1])
            if holding["state"] == "lost":
                told = f" (its kernel has no Ringfence table: it is open{told})"
            time.sleep(PAUSE)
        raise TargetFailure(
            "unknown",
            rule,
            f"{said}; this host has not reported its state since{told}: check it with 'ringfence verify'; it rolls "
            "back by itself unless it accepted the confirmation",
        )


def _excused(state: str, rule: str, said: str) -> dict:
    """Return the failure of a host that a person excused: the rollout, which any failure ends, goes on without it."""
    return {"state": state, "rule": rule, "msg": said, "excused": True}


def _uncut(reply: Reply) -> list[str]:
    return [f"denied connections were not ended: {why}" for why in reply.all("uncut")]

# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is sent to a target (the script, the order, the ruleset) and what comes back."""

from __future__ import annotations

import ipaddress
import os
import secrets
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from ansible_collections.ringfence.core.plugins.plugin_utils.enforcers import USUAL, enforcement
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import Host, Plan

from .answer_values import AnswerError, quoted, several_lines
from .reply_shape import SECTIONS, checked
from .script_parts import SHARED, at_once, part_text

COMMAND = "exec /bin/sh -s"
ENDS = "RINGFENCE-RULESET-ENDS"
# Lines of a reply: of a listing each holds an element or two.
MOST_LINES = 1_000_000


@dataclass(frozen=True)
class Reply:
    """A target's answer: values by key, in the order they came, and sections by name."""

    values: dict[str, list[str]] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)

    def all(self, key: str) -> list[str]:
        """Return every value of a key."""
        return self.values.get(key, [])

    def last(self, key: str) -> str:
        """Return the last value of a key, empty where there is none."""
        return (self.values.get(key) or [""])[-1]


def script(enforcer: str = USUAL) -> str:
    """Return the script of an enforcer's targets, without its comments."""
    package = enforcement(enforcer)
    own = os.path.join(os.path.dirname(package.__file__ or ""), "script")
    texts = [part_text(part, (own, SHARED)) or "" for part in package.PARTS]
    return "".join(texts) + 'if [ $# -gt 0 ]; then ringfence_main "$@"; fi\n'


@lru_cache(maxsize=None)
def _opening(enforcer: str) -> bytes:
    return at_once(script(enforcer)).encode()


def order(verb: str, values: dict[str, str], ruleset: bytes = b"", enforcer: str = USUAL) -> bytes:
    """Return the standard input of `sh -s` for one verb; `values` become rf_ variables of the script.

    The script arrives as one word and is run only when the last line has come: what was cut short does nothing, and
    a ruleset that was cut short is refused by its digest.
    """
    lines = [f"rf_{name}={shlex.quote(value)}" for name, value in values.items()]
    lines.append(f"ringfence_main {verb} <<'{ENDS}'")
    head = _opening(enforcer) + "\n".join(lines).encode()
    if ruleset and not ruleset.endswith(b"\n"):
        ruleset += b"\n"
    return head + b"\n" + ruleset + ENDS.encode() + b"\n"


# Made when Ansible loads the plug-in, before it forks a worker for every host.
_opening(USUAL)


def parse_reply(text: str) -> Reply:
    """Return what a target answered, of known keys and sections alone; lines that are not the script's are left out.

    Raise AnswerError where a value is not what its key can hold, or a section does not end.
    """
    if text.count("\n") > MOST_LINES:
        raise AnswerError(f"it has more than {MOST_LINES} lines")
    values: dict[str, list[str]] = defaultdict(list)
    sections: dict[str, str] = {}
    inside: str | None = None
    collected: list[str] = []
    for line in several_lines(text.replace("\r\n", "\n")).split("\n"):
        if inside is not None:
            if line == f"ringfence:end {inside}":
                if inside in SECTIONS:
                    sections[inside] = "\n".join(collected).rstrip("\n")
                inside, collected = None, []
            else:
                collected.append(line)
        elif line.startswith("ringfence:begin "):
            inside = line.removeprefix("ringfence:begin ")
        elif line.startswith("ringfence:") and "=" in line:
            key, _, value = line.removeprefix("ringfence:").partition("=")
            values[key].append(value)
    if inside is not None:
        raise AnswerError(f"it ends within {quoted(inside)}")
    return Reply(checked(values), sections)


def application(plan: Plan, host: Host) -> dict[str, str]:
    """Return the values of an order to apply a plan to a host; every call has a token of its own."""
    return {
        "plan": plan.digest,
        "sequence": str(plan.sequence),
        "expects": host.expects,
        "ruleset": host.ruleset,
        "table": host.table,
        "control": control_ranges(host.control["from"]),
        "port": str(host.control["port"]),
        "processes": process_lines(host.runtime, host.enforcer),
        "token": secrets.token_hex(8),
        "host": host.name,
    }


def confirmation(plan: Plan, host: Host) -> dict[str, str]:
    """Return the values of an order to confirm: the plan, and the control path that its connection must lie in."""
    return {
        "plan": plan.digest,
        "port": str(host.control["port"]),
        "control": control_ranges(host.control["from"]),
    }


def control_ranges(networks: list[str]) -> str:
    """Return networks as the script compares them: `family-FIRST-LAST` in hexadecimal digits, blanks between."""
    ranges = []
    for text in networks:
        network = ipaddress.ip_network(text, strict=False)
        digits = network.max_prefixlen // 4
        first, last = int(network.network_address), int(network.broadcast_address)
        ranges.append(f"{network.version}-{first:0{digits}X}-{last:0{digits}X}")
    return " ".join(ranges)


def process_lines(runtime: list[dict], enforcer: str = USUAL) -> str:
    """Return a host's `runtime` of the plan as its script reads it."""
    return enforcement(enforcer).runtime_lines(runtime)

"""A host with signers of its own: which permissions it takes, and that an approval counts once."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import approval_values
from ringfence.wire.emergency_lines import Emergency, Grant, format  # noqa: A004

from tests.emergency_sessions import PEER
from tests.lone_target import LoneTarget
from tests.unit.collection.emergency_target import CUT, ask, holds

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")


def test_a_host_with_signers_takes_a_permission_only_as_one_of_them_approved_it(target: LoneTarget) -> None:
    for name in ("ada", "eve"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(target.place / name)], check=True)
    (target.place / "allowed_signers").write_text(f"ada@example.net {(target.place / 'ada.pub').read_text()}")
    now = int(time.time())
    one = Emergency("p-0123abcd", "permission", now, now + 600, grants=(Grant("in", 6, PEER, ((22, 22),)),))
    lines = [line for line in format([one]).splitlines() if line.startswith("element ")]
    asked = {"format": 1, "id": one.id, "until": now + 999, "within": "10m", "service": "ssh", "hosts": {"h": lines}}

    def approved(who: str = "ada", **other: object) -> dict[str, str]:
        path = target.place / "request.json"
        path.write_text(json.dumps(asked | other, indent=2) + "\n")
        path.with_name("request.json.sig").unlink(missing_ok=True)
        sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(target.place / who), "-n", "ringfence-emergency", str(path)]
        subprocess.run(sign, check=True, capture_output=True)
        signature = path.with_name("request.json.sig").read_text()
        return approval_values({"text": path.read_text(), "signature": signature}, "h")

    assert ask(target, one).last("refused") == "unsigned"
    wrong: list[dict[str, object]] = [{"who": "eve"}, {"until": now - 1}, {"within": "5m"}, {"id": "p-00000000"}]
    wrong += [{"hosts": {"g": lines}}, {"hosts": {"h": [lines[0].replace("22", "23")]}}, {"hosts": {"h": lines * 2}}]
    for other in wrong:
        assert ask(target, one, **approved(**other)).last("refused") == "signature", other  # type: ignore[arg-type]
    # a quarantine waits for nobody
    assert holds(ask(target, CUT)) == {CUT.id: True}
    reply = ask(target, one, **approved())
    assert (reply.last("signed_by"), holds(reply)) == ("ada@example.net", {CUT.id: True, one.id: True})
    # it is told again as it is, and never begins anew, nor after it was ended
    again = replace(one, since=now + 60, ends=now + 660)
    assert ask(target, again, **approved()).last("refused") == "signature"
    assert holds(ask(target, one, **approved())) == {CUT.id: True, one.id: True}
    assert holds(ask(target, ends=(one.id,))) == {CUT.id: True}
    for used in (one, again):
        assert ask(target, used, **approved()).last("refused") == "signature"
    assert holds(ask(target, CUT)) == {CUT.id: True}
    # nor after all of Ringfence was removed, but for this
    for changed in ("yes", "no"):
        reply = target.ask("remove", {"force": "1"})[1]
        assert (reply.last("state"), reply.last("changed")) == ("none", changed)
        assert [path.name for path in target.state.iterdir()] == ["emergency.approved"]
    for used in (one, again):
        assert ask(target, used, **approved()).last("refused") == "signature"
    # what is too old anyway goes too
    approvals = target.state / "emergency.approved"
    approvals.write_text(f"{one.id} 0 {now - 1}\n")
    assert target.ask("remove", {"force": "1"})[1].last("changed") == "yes"
    assert not target.state.exists()


def test_principals_of_the_host_s_signers_are_patterns_that_no_shell_expands(target: LoneTarget) -> None:
    key = target.place / "ada"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    now = int(time.time())
    one = Emergency("p-0123abcd", "permission", now, now + 600, grants=(Grant("in", 6, PEER, ((22, 22),)),))
    lines = [line for line in format([one]).splitlines() if line.startswith("element ")]
    path = target.place / "request.json"
    path.write_text(
        json.dumps({"id": one.id, "until": now + 999, "within": "10m", "hosts": {"h": lines}}, indent=2) + "\n"
    )
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "ringfence-emergency", str(path)]
    subprocess.run(sign, check=True, capture_output=True)
    signature = path.with_name("request.json.sig").read_text()
    sent = approval_values({"text": path.read_text(), "signature": signature}, "h")
    for principals, said in (("!ada", ""), ("!ada@*,*", "*"), ("*", "*"), ("a?a@[x]", "a?a@[x]")):
        (target.place / "allowed_signers").write_text(f"{principals} {key.with_suffix('.pub').read_text()}")
        reply = ask(target, one, check="1", **sent)
        assert (reply.last("signed_by"), reply.last("refused")) == (said, "" if said else "signature"), principals

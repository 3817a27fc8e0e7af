"""One host of four is in an attacker's hands: the plans, the journals, the controller's files and the other hosts stay.

Its shell and its Python answer over ssh what the test says; what a compromised host could answer is all that is tried.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from ringfence.lab.session import Lab
from ringfence.plan import find, read

from tests.lab.rollouts import wait_until
from tests.lab.test_apply_interrupted import alive, descendants
from tests.rollout_plans import CONTROLLER
from tests.unit.cli_shop import ringfence, shop

pytestmark = pytest.mark.lab
HOSTS = ("n1", "n2", "n3", "n4")
HONEST = HOSTS[1:]
PLACE = "/run/hostile"
DIGEST = "a" * 64
# Everything but the preparation of a module's directory is answered by the attacker.
SHELL = f"""#!/bin/sh
case $2 in
*"/bin/sh -s"* | *hostile_python*) exec /bin/sh {PLACE}/answer ;;
*) exec /bin/sh "$@" ;;
esac
"""
POLICY = """
rules:
  - name: the peers may
    from: any
    to: any
    allow: tcp/7000
---
enforce:
  - where: any
    mode: full
"""
QUARANTINE = """
tier: emergency
rules:
  - name: nobody reaches n1
    from: any
    to: {asset: n1}
    deny: any
"""


@dataclass
class Estate:
    """A workspace whose hosts are those of a lab; n1 answers what `answers` was told."""

    lab: Lab
    workspace: Path
    home: Path

    def run(self, *arguments: str) -> Result:
        """Run the command as a person would, now."""
        return ringfence(self.workspace, *arguments, env={"SOURCE_DATE_EPOCH": str(int(time.time()))})

    def answers(self, script: str | None) -> None:
        """Have n1 answer everything with what a script prints, or tell the truth again."""
        hostile = self.workspace / "inventory/20-hostile.yml"
        if script is None:
            hostile.unlink(missing_ok=True)
            return
        self.put("answer", f"cat >/dev/null\n{script}\n")
        self.put("shell", SHELL)
        variables = {
            "ansible_shell_executable": f"{PLACE}/shell",
            "ansible_python_interpreter": f"{PLACE}/hostile_python",
        }
        hostile.write_text(json.dumps({"all": {"hosts": {"n1": variables}}}))

    def prints(self, text: str) -> None:
        """Have n1 answer everything with a text."""
        self.put("text", text)
        self.answers(f"exec cat {PLACE}/text")

    def put(self, name: str, text: str) -> None:
        """Write a program of the attacker's onto n1."""
        done = self.lab.exec(
            "n1", ["sh", "-c", f"mkdir -p {PLACE}; cat >{PLACE}/{name}; chmod 755 {PLACE}/{name}"], text
        )
        assert done.returncode == 0, done.stderr

    def files(self) -> dict[str, str]:
        """Return the digests of all files that no command here has to change."""
        kept = [path for base in (self.workspace, self.home) for path in sorted(base.rglob("*")) if path.is_file()]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in kept
            if ".ringfence" not in path.parts and ".ansible" not in path.parts and path.name != "20-hostile.yml"
        }

    def proven(self, *hosts: str) -> bool:
        """Return whether a verification that may end as it likes proves these hosts."""
        told = json.loads(self.run("verify", "--json").stdout)
        return {one["host"] for one in told["hosts"] if one["ok"]} >= set(hosts)


@pytest.fixture(scope="module")
def estate(namespaces: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    directory = tmp_path_factory.mktemp("hostile")
    home = directory / "home"
    home.mkdir()
    (home / ".bashrc").write_text("# mine\n")
    settings = json.dumps({"control": {"from": list(CONTROLLER), "port": 22}, "waves": [4]})
    workspace = shop(
        directory / "shop", {"ringfence.yml": settings, "policy/shop.yml": POLICY, "labels.yml": "labels: []\n"}
    )
    (workspace / "policy/tests/shop.yml").unlink()
    (workspace / "inventory/hosts.yml").unlink()
    shutil.copy(namespaces.inventory_path, workspace / "inventory/10-lab.yml")
    (workspace / "ansible.cfg").write_text(
        "[defaults]\nfact_caching = jsonfile\nfact_caching_connection = .ringfence/facts\n"
        "[ssh_connection]\npipelining = True\n"
    )
    one = Estate(namespaces, workspace, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("ANSIBLE_CONFIG", str(workspace / "ansible.cfg"))
        patch.delenv("XDG_STATE_HOME", raising=False)
        made = one.run("plan", "--no-flows")
        assert made.exit_code == 0, made.output
        applied = one.run("apply", "latest")
        assert applied.exit_code == 0, applied.output
        yield one
        one.answers(None)
        from ringfence.rollout import run_playbook

        run_playbook("remove", [workspace / "inventory"], directory=workspace)


@pytest.fixture(autouse=True)
def nothing_else_changes(estate: Estate) -> Iterator[None]:
    """Whatever n1 answers: no file of the controller changes, new plans are all that is added."""
    before = estate.files()
    yield
    estate.answers(None)
    after = estate.files()
    assert {path: digest for path, digest in after.items() if path in before} == before
    assert all(Path(path).is_relative_to(estate.workspace / "plans") for path in after.keys() - before.keys())


def status(**changed: str) -> str:
    told = {
        "table": "present",
        "sequence": "1",
        "plan": DIGEST,
        "ruleset": DIGEST,
        "verdict_table": DIGEST,
        "stands": "confirmed",
    }
    return "".join(f"ringfence:{key}={value}\n" for key, value in {**told, **changed}.items())


ANSWERS = {
    "nothing": "exit 0",
    "noise": "head -c 100000 /dev/urandom",
    "no digest": f"printf '%s' '{status(ruleset='zzz')}'",
    "an absurd number": f"printf '%s' '{status(sequence='9' * 26)}'",
    "a table that no plan has": f"printf '%s' '{status()}'",
    "a forged peer": f"printf '%s' '{status(peer='192.0.2.66')}'",
    "a peer that is a command": f"printf '%s' '{status(peer='$(touch /tmp/x)')}'",
    "no features": f"printf '%s' '{status(cgroup2='no', socket_cgroup='no', nft='0.0.1', kernel='1')}'",
    "a refusal that is a command": "printf 'ringfence:refused=busy\\nringfence:reason=$(id >~/.bashrc)\\n'; exit 3",
    "terminal commands": "printf 'ringfence:refused=busy\\nringfence:reason=\\033]0;x\\007\\n'; exit 3",
    "facts": """printf '{"ansible_facts": {"ringfence_journal": "/tmp/x"}, "changed": false, "failed": false}\\n'""",
    "many lines": "yes ringfence:process=x | head -n 300000",
    "a listing without an end": f"printf '%s' '{status()}ringfence:begin listing\n'; yes 'chain x {{' | head -n 100000",
    "its death": "kill -9 $$",
}


@pytest.mark.parametrize("script", ANSWERS.values(), ids=ANSWERS.keys())
def test_whatever_one_host_answers_the_others_are_proven_and_planned(estate: Estate, script: str) -> None:
    estate.answers(script)

    verified = estate.run("verify", "--json")
    told = {one["host"]: one for one in json.loads(verified.stdout)["hosts"]}
    assert verified.exit_code in (1, 3), verified.output
    assert [told[name]["ok"] for name in HOSTS] == [False, True, True, True]
    assert len(json.dumps(told["n1"])) < 100_000

    planned = estate.run("plan", "--rebase", "--no-flows")
    assert planned.exit_code == 0, planned.output
    plan = read(find(estate.workspace / "plans", "latest"))
    assert plan.hosts.keys() >= set(HONEST)
    assert plan.sequence < 1000
    assert "add the network" not in planned.output
    assert "\x1b]" not in verified.output + planned.output


def test_a_host_that_lies_about_its_table_can_be_quarantined(estate: Estate) -> None:
    able = {"nft": "1.0.6", "kernel": "6.1.0", "cgroup2": "yes", "socket_cgroup": "yes"}
    estate.prints(status(sequence=str(2**53 - 1), peer="192.0.2.66", **able))
    path = estate.workspace / "policy/quarantine.yml"
    path.write_text(QUARANTINE)
    try:
        planned = estate.run("plan", "--rebase", "--no-flows")
    finally:
        path.unlink()
    assert planned.exit_code == 0, planned.output
    plan = read(find(estate.workspace / "plans", "latest"))
    assert set(plan.hosts) == set(HOSTS), (plan.left_out, planned.output)
    assert plan.hosts["n1"].expects == DIGEST
    assert f"n1 reports plan number {2**53 - 1}, far above every plan here" in planned.output


@pytest.mark.parametrize(
    ("script", "most"), [("sleep 600", 120), ("exec cat /dev/zero", 300)], ids=["silence", "no end"]
)
def test_a_host_that_never_ends_is_silent_and_the_others_are_told(estate: Estate, script: str, most: int) -> None:
    estate.answers(script)
    limit = estate.workspace / "inventory/30-limit.yml"
    limit.write_text('{"all": {"vars": {"ringfence_answer_within": 10}}}')
    try:
        began = time.monotonic()
        verified = estate.run("verify", "--json")
        assert time.monotonic() - began < most
    finally:
        limit.unlink()
    told = {one["host"]: one["state"] for one in json.loads(verified.stdout)["hosts"]}
    assert told == {"n1": "silent", **dict.fromkeys(HONEST, "verified")}
    assert verified.exit_code == 3


def test_an_interrupt_tells_what_was_proven_until_then(estate: Estate) -> None:
    estate.answers(f"true >{PLACE}/asked; sleep 600")
    estate.lab.exec("n1", ["rm", "-f", f"{PLACE}/asked"])
    command = [str(Path(sys.executable).with_name("ringfence")), "verify", "--workspace", str(estate.workspace)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    # Ansible has a process of its own for n1 alone: the others have answered
    wait_until(lambda: estate.lab.exec("n1", ["test", "-e", f"{PLACE}/asked"]).returncode == 0)
    wait_until(lambda: sum("ansible-playbook" in line for line in alive(descendants(process.pid))) == 2)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "3/4 hosts proven, then interrupted" in out, out + err
    assert "n1: interrupted" in out
    assert process.returncode == 130


def test_a_report_with_facts_changes_no_label_and_no_address(estate: Estate) -> None:
    def told() -> list[dict[str, object]]:
        assets = json.loads(estate.run("assets", "--json").stdout)
        return [{key: one[key] for key in ("name", "addresses", "labels")} for one in assets]

    before = told()
    report = {
        "changed": False,
        "observed": "2026-11-24T07:00:00Z",
        "host": "n2",
        "addresses": ["10.99.0.1"],
        "listeners": [],
        "flows": [],
        "left_out": 0,
        "conntrack": "none",
        "units": {},
        "inventory_hostname": "n2",
        "ansible_facts": {
            "ringfence_labels": {"role": "worker"},
            "ringfence_addresses": ["10.99.0.1"],
            "ringfence_control": {"from": ["0.0.0.0/0"]},
            "ringfence_flows_directory": str(estate.home),
            "ringfence_journal": str(estate.home / ".bashrc"),
        },
        "_ansible_facts_cacheable": True,
    }
    estate.prints(json.dumps(report))
    estate.run("flows", "collect")
    assert told() == before
    assert estate.proven(*HONEST)


def test_what_refuses_a_plan_writes_into_its_journal_and_nowhere_else(estate: Estate) -> None:
    estate.answers(None)
    made = estate.run("plan", "--rebase", "--no-flows")
    assert made.exit_code == 0, made.output
    directory = find(estate.workspace / "plans", "latest")
    estate.answers("printf 'ringfence:refused=busy\\nringfence:reason=$(touch pwned)\\n'; exit 3")
    applied = estate.run("apply", directory.name, "--limit", "n1")
    assert applied.exit_code == 1, applied.output
    lines = [json.loads(line) for line in (directory / "journal.jsonl").read_text().splitlines()]
    assert [(one["host"], one["event"]) for one in lines] == [("n1", "started"), ("n1", "refused")]
    assert lines[1]["reason"] == "$(touch pwned)"

"""What a task leaves out is said by a variable, where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.rollout_plans import PlanMaker, Wanted

# Every task is refused before anything is asked of a host.
PLAY = """
- hosts: db-1
  connection: local
  gather_facts: false
  vars:
    ringfence_journal: "{{ nothing | default(omit) }}"
  tasks:
    - ringfence.core.linux_policy: {plan: "{{ ringfence_plan }}"}
      vars: {ringfence_allowed_signers: /nowhere/of-a-variable}
      ignore_errors: true
    - ringfence.core.linux_policy: {plan: "{{ ringfence_plan }}", allowed_signers: /nowhere/of-the-task}
      vars: {ringfence_allowed_signers: /nowhere/of-a-variable}
      ignore_errors: true
    - ringfence.core.linux_policy: {plan: "{{ ringfence_plan }}"}
      ignore_errors: true
    - ringfence.core.emergency: {state: absent}
      ignore_errors: true
    - ringfence.core.emergency: {emergency: {web-77: of a host that nobody has}}
      ignore_errors: true
    - ringfence.core.emergency: {emergency: {}}
      ignore_errors: true
    - ringfence.core.emergency: {emergency: {web-77: of a host that nobody has, db-1: ""}}
"""


def test_a_variable_says_what_a_task_leaves_out_and_an_omitted_one_says_nothing(tmp_path: Path) -> None:
    plan = PlanMaker(tmp_path).write(dict.fromkeys(("web-1", "db-1"), Wanted()), waves=[["web-1"], ["db-1"]])
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "db-1,", "-e", f"ringfence_plan={plan}"]
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run([*command, str(play)], env=environment, capture_output=True, text=True, check=False)
    told = [json.loads(line.partition("=> ")[2]) for line in done.stdout.splitlines() if line.startswith("fatal:")]
    assert [one["rule"] for one in told] == ["signature", "signature", "wave", *["input"] * 3], (
        done.stdout + done.stderr
    )
    assert "/nowhere/of-a-variable" in told[0]["msg"]
    assert "/nowhere/of-the-task" in told[1]["msg"]
    assert "web-1 (not begun)" in told[2]["msg"]
    assert "set the variable ringfence_emergency, or the option emergency" in told[3]["msg"]
    # a play that tells nobody does not end as if all hosts held it
    assert "names no host of this inventory: web-77" in told[4]["msg"]
    assert "ringfence_emergency is empty" in told[5]["msg"]
    assert "names hosts that this inventory does not have" in done.stdout + done.stderr

"""Large rulesets on a host whose root is no root outside its namespace: loaded in stages, each moment old or new."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.lab.strangers import Stranger, made_stranger
from tests.rollout_plans import LAB, PlanMaker, Wanted, digest_for

pytestmark = pytest.mark.lab

# Asks a host on four ports, over and over, until its input ends; a connection to the second of them was held before
# and is used all the time. Prints the answers in their order: 1 for an answer, 0 for none.
CLIENT = """
import json, socket, sys, threading, time
address, ended, seen = sys.argv[1], threading.Event(), {}
def ask(port):
    while not ended.is_set():
        try:
            with socket.create_connection((address, port), 0.4) as made:
                made.settimeout(0.4)
                made.sendall(b"x")
                seen[port] += "1" if made.recv(1) else "0"
        except OSError:
            seen[port] += "0"
        time.sleep(0.005)
def hold():
    while not ended.is_set():
        held.sendall(b"x")
        seen["held"] += "1" if held.recv(1) else "0"
        time.sleep(0.02)
held = socket.create_connection((address, 7001), 5)
held.settimeout(20)
threads = [threading.Thread(target=ask, args=(port,)) for port in (7000, 7001, 7002, 7003)]
threads.append(threading.Thread(target=hold))
seen.update({7000: "", 7001: "", 7002: "", 7003: "", "held": ""})
for thread in threads: thread.start()
print("begun", flush=True)
sys.stdin.read()
ended.set()
for thread in threads: thread.join()
print(json.dumps(seen))
"""
# What holds the lock dies when the first of many transactions with elements is done.
KILL = """
while :; do
    set -- /var/lib/ringfence/work/stage.2.*
    if [ -e "$1" ]; then break; fi
    sleep 0.05
done
while [ -e "$1" ]; do :; done
for descriptor in /proc/[0-9]*/fd/9; do
    if [ "$descriptor" -ef /var/lib/ringfence/lock ]; then
        process=${descriptor#/proc/}
        kill -9 "${process%%/*}"
    fi
done
"""
ROLLED_OUT = """
first, killed, second, locking, huge, CLIENT, KILL = sys.argv[1:]
ECHO = UnitSpec("echo.service", ("tcp/7000", "tcp/7001", "tcp/7002", "tcp/7003"), user="echo")
lab.up([HostSpec("a", units=(ECHO,)), HostSpec("b")], "namespaces", stay=False)
there = lab.hosts()[0].addresses[0]
def client():
    command = lab.exec_command("b", ["python3", "-c", CLIENT, there])
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\\n"
    return process
def left():
    listed = lab.exec("a", ["nft", "-t", "list", "table", "inet", "ringfence"]).stdout
    return listed.count("_2 {"), listed.count("_3 {")
seen = {}
seen["foreseen"] = play("rollout", first, "--check")
seen["first"] = play("rollout", first)

asking = client()
killing = subprocess.Popen(lab.exec_command("a", ["sh", "-c", KILL]))
seen["interrupted"] = play("rollout", killed) != ""
killing.wait()
seen["interrupted left"] = left()
seen["interrupted answers"] = json.loads(asking.communicate()[0])

asking = client()
seen["second"] = play("rollout", second)
seen["second left"] = left()
seen["second answers"] = json.loads(asking.communicate()[0])
seen["second verified"] = play("verify", second)

lost = play("rollout", locking, "-e", "ringfence_force_lockout_test=true", "-e", "ringfence_confirm_within=3")
seen["locked out"] = "rolled back" in lost or lost
for _ in range(300):
    if lab.exec("a", ["test", "-s", "/var/lib/ringfence/pending"]).returncode: break
    subprocess.run(["sleep", "0.2"])
seen["back"] = play("verify", second)
# to load it may take a busy machine most of the usual minute
seen["huge"] = play("rollout", huge, "-e", "ringfence_confirm_within=600")
seen["huge verified"] = play("verify", huge)
seen["removed"] = play("remove", huge)
seen["tables"] = lab.exec("a", ["nft", "list", "tables"]).stdout
lab.down()
print(json.dumps(seen))
"""


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """A user made for this test."""
    with made_stranger() as stranger:
        yield stranger


def peers(count: int) -> tuple[str, ...]:
    """Return the lab's networks and so many single addresses."""
    return (*LAB, *(f"{20 + n // 16000}.{n // 125 % 128}.{n % 125 * 2}.7" for n in range(count)))


def test_large_rulesets_are_applied_confirmed_rolled_back_and_interrupted(stranger: Stranger) -> None:
    first = Wanted(allow={None: (7000, 7001)}, peers=peers(10_000))
    second = Wanted(allow={None: (7000, 7002)}, peers=peers(20_000))
    locking = Wanted(allow={None: (7000,)}, peers=peers(10_000), control=("192.0.2.0/24",))
    huge = Wanted(peers=peers(100_000))
    maker = PlanMaker(stranger.home)
    plans = [
        maker.write({"a": first}),
        maker.write({"a": huge}, sequence=2, expects={"a": digest_for(first)}),
        maker.write({"a": second}, sequence=3, expects={"a": digest_for(first)}),
        maker.write({"a": locking}, sequence=4, expects={"a": digest_for(second)}),
        maker.write({"a": huge}, sequence=5, expects={"a": digest_for(second)}),
    ]
    stranger.owns(stranger.home / "plans", *plans)

    done = stranger.run_with_ansible(ROLLED_OUT, *map(str, plans), CLIENT, KILL, timeout=900)

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    done_well = ("foreseen", "first", "second", "second verified", "back", "huge", "huge verified", "removed")
    for name in (*done_well, "tables"):
        assert seen[name] == "", name
    assert seen["interrupted"]
    assert seen["locked out"] is True
    interrupted, changed = seen["interrupted answers"], seen["second answers"]
    assert seen["interrupted left"][0] > 10
    assert seen["second left"][0] == 0
    for answers in (interrupted, changed):
        assert set(answers["held"]) == {"1"}
        assert set(answers["7000"]) == {"1"}
        assert set(answers["7003"]) == {"0"}
    assert set(interrupted["7001"]) == {"1"}
    assert set(interrupted["7002"]) == {"0"}
    # the old verdict, then the new one, and never back
    assert re.fullmatch("1+0+", changed["7001"])
    assert re.fullmatch("0+1+", changed["7002"])

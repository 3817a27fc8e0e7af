# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A program: emergencies on many hosts over commands that reach them, such as bare ssh, without Ansible.

Its input is a JSON object: `verb` (`quarantine` or `release`), `at_once`, `first` (names of hosts that have a head
start), `run` (a directory, as the module `emergency` takes it) and `hosts`: by name the `command` that gives a shell of
root, the `enforcer`, what is `given` (lines of emergencies, or an id), and the `control` path. Its output is a line of
JSON for each host, as it is done: `host`, `state`, `ok`, `changed`, `reason`, `result` with `emergencies`.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import AnswerError, shown
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import (
    NOT_AS_TOLD,
    approval_values,
    clock_values,
    emergency_order,
    held_lines,
    read_emergencies,
    unlike_told,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import control_ranges, order, parse_reply
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.quick_key_exchange import with_quick_exchange
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.vendored.run_files import lives, working_on_a_host

# Seconds in which a host must have answered, and the bytes of what it may say.
SECONDS = 30
# For how many seconds the others wait for the first hosts: what is isolated has the machine to itself.
HEAD_START = 1.0
LONGEST = 8_000_000
# What is read or written at once, and what of errors is kept.
PART = 1 << 16
# What a host is told nothing for: others may have told it something since.
GONE = "the command that wanted this was killed, so this host was not asked"
# What ssh adds where the command that was to reach a host for it has failed, behind that command's own words.
# Also what OpenSSH 10.1 and newer say of a key exchange without a part against quantum computers.
NOISE = ("mm_receive_fd: ", "proxy dialer did not pass back ", "** ")
# What ssh says, among some fifteen lines, where a host shows another key than known_hosts has for it.
OTHER_KEY = re.compile(r"Host key for (\S+) has changed and you have requested strict checking\.")
NOT_VERIFIED = "Host key verification failed."
# The status of ssh itself: the host was not reached.
NOT_REACHED = 255


def main() -> None:
    """Do what standard input says; processes that still run end with this one."""
    asked = json.load(sys.stdin)
    running = _Running()
    signal.signal(signal.SIGTERM, running.stop)
    said = threading.Lock()
    hosts, run = asked["hosts"], asked.get("run")
    if not hosts:
        return

    def one(name: str) -> None:
        with working_on_a_host(run):
            gone = run and not lives(run)
            told = _failed("not begun", GONE) if gone else _told(asked["verb"], name, hosts[name], running)
        with said:
            _tell(json.dumps({"host": name, **told}) + "\n")

    first = [name for name in hosts if name in set(asked.get("first") or [])]
    with ThreadPoolExecutor(min(int(asked["at_once"]), len(hosts))) as pool:
        begun = [pool.submit(one, name) for name in first]
        wait(begun, timeout=HEAD_START)
        begun += [pool.submit(one, name) for name in hosts if name not in first]
        for each in begun:
            each.result()


def _tell(line: str) -> None:
    """Print a line; where whoever wanted it was killed nobody reads it, and no traceback is for whoever looks there."""
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Running:
    """The processes that run; once it is stopped none begins."""

    def __init__(self) -> None:
        self._processes: set = set()
        self._lock = threading.Lock()
        self._stopped = False

    def begun(self, command: list) -> subprocess.Popen | None:
        """Return a process of a command in a group of its own, None once all of this was stopped."""
        with self._lock:
            if self._stopped:
                return None
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
            self._processes.add(process)
            return process

    def ended(self, process: subprocess.Popen) -> None:
        """Forget a process."""
        with self._lock:
            self._processes.discard(process)

    def stop(self, *_signal: object) -> None:
        """End every process, and let none begin."""
        threading.Thread(target=self._stop).start()  # a handler must not wait for a lock that this thread may hold

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._processes:
                _kill(process)


def _kill(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        return  # it has ended


def _told(verb: str, name: str, host: dict, running: _Running) -> dict:
    """Return what became of one host."""
    put, ends = (host["given"], []) if verb == "quarantine" else ("", [host["given"]])
    control = host.get("control") or {}
    values = {"port": str(control.get("port") or 22), "control": control_ranges(control.get("from") or [])}
    values |= clock_values() | approval_values(host.get("approval"), name)
    try:
        sent = order("emergency", values, emergency_order(put, ends).encode(), host["enforcer"])
        process = running.begun(with_quick_exchange(host["command"]))
    except PlanError as error:
        return _failed("refused", str(error))
    except OSError as error:
        return _failed("unreachable", f"{host['command'][0]}: {error.strerror}")
    if process is None:
        return _failed("interrupted", "this was stopped before the host was asked")
    try:
        out, err = _said(process, sent, time.monotonic() + SECONDS)
    except subprocess.TimeoutExpired:
        return _failed("silent", f"this host did not answer within {SECONDS} s")
    except OverflowError:
        return _failed("unknown", f"this host's answer is longer than {LONGEST // 1_000_000} MB")
    finally:
        _kill(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()
        running.ended(process)
    return _judged(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), put, ends)


def _said(process: subprocess.Popen, sent: bytes, until: float) -> tuple[bytes, bytes]:
    """Return what a process says until it has ended, and the end of its errors; no more than that is kept in memory.

    Raise TimeoutExpired where that takes too long, OverflowError where it says more than a host may.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    given, out, err = process.stdin.fileno(), process.stdout.fileno(), process.stderr.fileno()
    said = {out: bytearray(), err: bytearray()}
    os.set_blocking(given, False)
    left = memoryview(sent)
    with selectors.DefaultSelector() as ready:
        ready.register(given, selectors.EVENT_WRITE)
        for pipe in said:
            ready.register(pipe, selectors.EVENT_READ)
        while ready.get_map():
            seconds = until - time.monotonic()
            if seconds <= 0:
                raise subprocess.TimeoutExpired(process.args, SECONDS)
            for key, _ in ready.select(seconds):
                if key.fd == given:
                    left = left[_written(given, left) :]
                    if not left:
                        ready.unregister(given)
                        process.stdin.close()
                    continue
                part = os.read(key.fd, PART)
                if not part:
                    ready.unregister(key.fd)
                said[key.fd] += part
                if len(said[out]) > LONGEST:
                    raise OverflowError
                del said[err][:-PART]
    process.wait(max(until - time.monotonic(), 0.1))
    return bytes(said[out]), bytes(said[err])


def _written(descriptor: int, left: memoryview) -> int:
    """Return how many bytes a pipe took; one that nobody reads any more takes all of them."""
    try:
        return os.write(descriptor, left[:PART])
    except BlockingIOError:
        return 0
    except OSError:
        return len(left)


def _judged(status: int, out: str, err: str, put: str, ends: list[str]) -> dict:
    """Return what the answer of a host says that was told to hold something, or to end it."""
    last = _reason(err)
    try:
        reply = parse_reply(out)
        if reply.last("refused"):
            return _failed("refused", reply.last("reason"))
        if status or not reply.last("state"):
            state = "unreachable" if status == NOT_REACHED and not reply.values else "failed"
            return _failed(state, shown(last or f"the host's shell ended with status {status}", 500))
    except AnswerError as error:
        return _failed("unknown", f"this host's answer is not valid: {error}")
    held = read_emergencies(reply)
    wrong = unlike_told(held, put, ends)
    if wrong:
        return _failed("unknown", f"{NOT_AS_TOLD}: {'; '.join(wrong[:3])}")
    result = {"emergencies": held_lines(held), "drift": list(held.drift)}
    return {
        "state": reply.last("state"),
        "ok": True,
        "changed": reply.last("changed") == "yes",
        "reason": "",
        "result": {**result, "warnings": [*reply.all("warning"), *reply.all("persistence")]},
    }


def _reason(err: str) -> str:
    """Return the last of what ssh says; of another key of the host the reason, then the hint, without the frame."""
    lines = [line.strip() for line in err.strip().splitlines() if not line.startswith(NOISE)]
    changed = next((found for found in map(OTHER_KEY.fullmatch, lines) if found), None)
    if changed is None or NOT_VERIFIED not in lines:
        return " ".join(lines[-3:])
    hint = [line for line in lines if line.startswith(("Offending ", "remove with:", "ssh-keygen "))]
    return " ".join([f"Host key verification failed: the key of {changed[1]} has changed.", *hint])


def _failed(state: str, reason: str) -> dict:
    return {"state": state, "ok": False, "changed": False, "reason": reason}


if __name__ == "__main__":
    main()

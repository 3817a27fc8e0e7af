"""The target's lock and state files, by the script's own functions in a directory of the test."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import script

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the state must belong to root")
SHELLS = [["dash"], ["busybox", "sh"]]
WITHOUT_FLOCK = 'have() { [ "$1" != flock ] && command -v "$1" >/dev/null 2>&1; }\n'


@pytest.fixture(params=SHELLS, ids=lambda command: command[0])
def command(request: pytest.FixtureRequest) -> list[str]:
    if shutil.which(request.param[0]) is None:
        pytest.skip(f"no {request.param[0]} here")
    return [*request.param, "-s"]


def program(state: Path, body: str, before: str = "") -> str:
    return f"{script()}\n{before}\nstate={shlex.quote(str(state))}\nruns=$state\n{body}\n"


def run(command: list[str], text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.parametrize("before", ["", WITHOUT_FLOCK], ids=["flock", "link"])
def test_the_lock_lets_one_at_a_time_in(command: list[str], before: str, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(0o700)
    count = tmp_path / "count"
    count.write_text("0\n")
    body = f"take_lock\nread -r n <{count}\nsleep 0.05\necho $((n + 1)) >{count}\nfinish 0"
    text = program(state, body, before)
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(5)]
    for one in running:
        assert one.stdin
        one.stdin.write(text)
        one.stdin.close()
    assert [one.wait(240) for one in running] == [0] * 5
    assert count.read_text() == "5\n"


def test_a_lock_whose_holder_was_killed_is_taken_over_also_where_another_has_its_number(
    command: list[str], tmp_path: Path
) -> None:
    for holder in ("4194305.77", f"{os.getpid()}.1"):
        (tmp_path / "lock.held").symlink_to(holder)
        done = run(command, program(tmp_path, "take_lock\necho mine\nfinish 0", WITHOUT_FLOCK))
        assert done.stdout == "mine\n"
        assert not (tmp_path / "lock.held").is_symlink()


def test_many_that_find_the_lock_of_a_killed_holder_take_it_one_after_the_other(
    command: list[str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir(0o700)
    (state / "lock.held").symlink_to("4194305.77")
    count = tmp_path / "count"
    count.write_text("0\n")
    body = f"take_lock\nread -r n <{count}\nsleep 0.05\necho $((n + 1)) >{count}\nfinish 0"
    text = program(state, body, WITHOUT_FLOCK)
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(8)]
    for one in running:
        assert one.stdin
        one.stdin.write(text)
        one.stdin.close()
    assert [one.wait(240) for one in running] == [0] * 8
    assert count.read_text() == "8\n"
    assert not (state / "lock.clearing").exists()


@pytest.mark.parametrize("before", ["", WITHOUT_FLOCK], ids=["flock", "link"])
def test_one_that_gets_no_lock_names_the_process_that_holds_it(command: list[str], before: str, tmp_path: Path) -> None:
    held = tmp_path / "held"
    hold = program(tmp_path, f"take_lock\necho yes >{held}\nsleep 20", before)
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    try:
        assert holder.stdin
        holder.stdin.write(hold)
        holder.stdin.close()
        while not held.exists():
            time.sleep(0.02)
        waits = program(tmp_path, "sleep() { :; }\ntake_lock\necho went-on", before)
        done = run(command, waits)
    finally:
        holder.kill()
        holder.wait()
    assert "ringfence:refused=busy" in done.stdout
    assert f"(process {holder.pid})" in done.stdout
    assert "went-on" not in done.stdout


@pytest.mark.parametrize("before", ["", WITHOUT_FLOCK], ids=["flock", "link"])
def test_who_has_loaded_emergencies_and_goes_on_keeps_no_other_command_out(
    command: list[str], before: str, tmp_path: Path
) -> None:
    after = program(tmp_path, "take_lock\necho went-on\nfinish 0", before)
    (tmp_path / "after.sh").write_text(after)
    words = " ".join([*command[:-1], str(tmp_path / "after.sh")])
    done = run(command, program(tmp_path, f"lock_emergency\nleave_emergency\nrf_locked= {words}\nfinish 0", before))
    assert done.stdout == "went-on\n"


@pytest.mark.parametrize("spoil", ["mode", "owner", "link"])
def test_a_state_directory_that_others_could_have_written_is_refused(
    command: list[str], spoil: str, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir(0o700)
    if spoil == "mode":
        state.chmod(0o755)
    elif spoil == "owner":
        os.chown(state, 65534, 65534)
    else:
        state.rename(tmp_path / "real")
        state.symlink_to(tmp_path / "real")
    done = run(command, program(state, "check_state\necho went-on"))
    assert "ringfence:refused=state" in done.stdout
    assert "went-on" not in done.stdout


def test_the_head_of_a_ruleset_is_read_back_and_nothing_behind_it(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "confirmed.nft").write_text(
        "#ringfence format=1\n#ringfence sequence=7\n#ringfence plan=$(reboot)\n#ringfence ruleset=abc\n"
        "#ringfence process unit a\\x2db.service units_in goto in_u0\ntable inet ringfence {}\n#ringfence sequence=9\n"
    )
    body = (
        'read_confirmed\nprintf "%s|%s|%s|" "$confirmed_sequence" "$confirmed_plan" "$confirmed_ruleset"\n'
        'printf "%s" "$confirmed_processes"'
    )
    done = run(command, program(tmp_path, body))
    assert done.stdout == "7||abc|unit a\\x2db.service units_in goto in_u0\n"


@pytest.mark.parametrize(
    ("slice_name", "path"),
    [
        ("system.slice", "system.slice/"),
        ("-.slice", ""),
        ("a-b-c.slice", "a.slice/a-b.slice/a-b-c.slice/"),
        ("system-late\\x2don.slice", "system.slice/system-late\\x2don.slice/"),
    ],
)
def test_a_slice_lies_in_the_slices_that_its_name_tells(
    command: list[str], slice_name: str, path: str, tmp_path: Path
) -> None:
    assert run(command, program(tmp_path, f"slice_path {shlex.quote(slice_name)}")).stdout == path


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [
        ("0A000000", "0A000000", True),
        ("0A000000", "0A0000FF", True),
        ("0A0000FF", "0A000000", False),
        ("FFFFFFFE", "FFFFFFFF", True),
        ("80000000", "7FFFFFFF", False),
        ("FD52" + "0" * 28, "FD52" + "F" * 28, True),
        ("FD53" + "0" * 28, "FD52" + "F" * 28, False),
    ],
)
def test_addresses_compare_by_their_digits(
    command: list[str], low: str, high: str, holds: bool, tmp_path: Path
) -> None:
    done = run(command, program(tmp_path, f"if at_most {low} {high}; then echo yes; else echo no; fi"))
    assert done.stdout == ("yes\n" if holds else "no\n")


def test_the_history_is_bounded_and_keeps_what_came_last(command: list[str], tmp_path: Path) -> None:
    body = (
        'mkdir "$state/new"\nnow=then\nn=0\n'
        'while [ $n -lt 200 ]; do n=$((n + 1)); pending_token=$((n % 10)); remember "event-$n" plan 1 ruleset; done'
    )
    run(command, program(tmp_path, body))
    lines = (tmp_path / "history").read_text().splitlines()
    assert len(lines) == 50
    assert lines[0] == "then event-151 plan 1 ruleset"
    assert lines[-1] == "then event-200 plan 1 ruleset"


def test_a_wait_is_read_back_with_what_was_added_to_it(command: list[str], tmp_path: Path) -> None:
    body = (
        "pending_token=ab12 pending_boot=b pending_deadline=7 pending_way=systemd\n"
        'pending_text >"$state/pending"\necho way=4321 >>"$state/pending"\necho swapped=99 >>"$state/pending"\n'
        'read_pending\necho "$pending_token $pending_boot $pending_deadline $pending_swapped $pending_way"\n'
        'true >"$state/pending"\nread_pending || echo nothing'
    )
    assert run(command, program(tmp_path, body)).stdout == "ab12 b 7 99 4321\nnothing\n"

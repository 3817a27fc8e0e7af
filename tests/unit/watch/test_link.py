"""One connection to a host, with a process that plays the reader."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.watch_script import watch_script
from ringfence.watch import link
from ringfence.watch.link import Link, Look
from ringfence.watch.told import FlowTold, Hello, Missed
from ringfence.watch.ways import Way

# A reader that tells what its script says at each look.
READER = "echo 'a banner'; echo 'H 2 1 proc 1'; while read -r n; do {look}; echo \"T $n 1\"; done"
SECRET = "s3cret word"


async def listened(way: Way, looks: int = 2, silences: int = 1) -> tuple[list[Look], list[str]]:
    """Return what a host told until it told so many looks, or was silent so often."""
    heard: list[Look] = []
    why: list[str] = []
    enough = asyncio.Event()

    def looked(look: Look) -> None:
        heard.append(look)
        if len(heard) >= looks:
            enough.set()

    def stood(hello: Hello | None, reason: str) -> None:
        if hello is None:
            why.append(reason)
            if len(why) >= silences:
                enough.set()

    task = asyncio.create_task(Link(way, looked, stood, every=0.01).run())
    async with asyncio.timeout(240):
        await enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return heard, why


def shell(script: str, **fields: str | None) -> Way:
    """Return a way to a shell of this machine that takes no notice of the script that it is sent."""
    return Way("db", ("/bin/sh", "-c", script), "", **fields)  # type: ignore[arg-type]


def test_each_look_has_what_was_told_in_it() -> None:
    looks, why = asyncio.run(listened(shell(READER.format(look="echo 'F 6 10.0.0.1 10.0.0.2 80 a'; echo 'M 3'"))))
    assert why == []
    assert [look.first for look in looks] == [True, False]
    assert [type(one) for one in looks[1].told] == [FlowTold, Missed]


@pytest.mark.parametrize(
    ("look", "why"),
    [
        ("seq 1 3000 | sed 's/.*/F 6 10.0.0.1 10.0.0.2 & a/'", "more than a reader does"),
        ("seq 1 100", "what no reader does"),
        ("head -c 200000 /dev/zero", "a line without end"),
        ("echo 'T 77 1'", "what it was not asked"),
        ("echo gone >&2; exit 1", "gone"),
        ("printf '\\033[2Jgone\\n' >&2; exit 1", "\\x1b[2Jgone"),
        ("yes x >&2", "errors without end"),
    ],
)
def test_a_host_that_does_otherwise_loses_its_connection(look: str, why: str) -> None:
    looks, reasons = asyncio.run(listened(shell(READER.format(look=look))))
    assert looks == []
    assert why in reasons[0]


def test_a_host_that_floods_before_it_begins_is_not_listened_to() -> None:
    _, why = asyncio.run(listened(shell("yes x")))
    assert "without end" in why[0]


def test_a_lost_connection_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_WAIT", 0.01)
    script = f"if mkdir {tmp_path}/tried 2>/dev/null; then exit 1; fi; {READER.format(look=':')}"
    looks, why = asyncio.run(listened(shell(script), silences=9))
    assert len(why) == 1
    assert len(looks) == 2


def test_root_is_given_its_password_where_it_asks_and_nowhere_else(tmp_path: Path) -> None:
    asks = f"printf 'password: ' >&2; read -r word; echo \"$word\" >{tmp_path}/told; echo SUCCESS; "
    way = shell(asks + READER.format(look=":"), prompt="password:", success="SUCCESS", become=SECRET)
    looks, _ = asyncio.run(listened(way))
    assert len(looks) == 2
    assert (tmp_path / "told").read_text() == f"{SECRET}\n"
    silent = shell("echo SUCCESS; " + READER.format(look=":"), prompt="password:", success="SUCCESS", become=SECRET)
    looks, why = asyncio.run(listened(silent))
    assert (len(looks), why) == (2, [])
    assert SECRET not in repr(way)


def test_a_wrong_password_of_root_is_said_and_given_once(tmp_path: Path) -> None:
    asks = f"while printf 'password: ' >&2; read -r word; do echo x >>{tmp_path}/told; done"
    _, why = asyncio.run(listened(shell(asks, prompt="password:", success="SUCCESS", become=SECRET)))
    assert "password is not right" in why[0]
    assert (tmp_path / "told").read_text() == "x\n"


def test_ssh_gets_its_password_by_a_program_that_it_asks() -> None:
    asks = 'test "$("$SSH_ASKPASS")" = "s3cret word" || exit 1; ! env | grep -q "s3cret" || exit 1; '
    looks, why = asyncio.run(listened(shell(asks + READER.format(look=":"), password=SECRET)))
    assert (len(looks), why) == (2, [])


def test_a_jump_host_and_a_question_about_a_key_do_not_get_the_password(tmp_path: Path) -> None:
    program = tmp_path / "ssh"
    program.symlink_to("/bin/sh")
    script = tmp_path / "script"
    script.write_text(
        f'sh -c \'"$SSH_ASKPASS" "ops@jump password:"; true\' >{tmp_path}/jump; true\n'
        f'"$SSH_ASKPASS" "Are you sure (yes/no/[fingerprint])?" >{tmp_path}/key\n'
        f'"$SSH_ASKPASS" "ops@db password:" >{tmp_path}/own\n' + READER.format(look=":")
    )
    _, why = asyncio.run(listened(Way("db", (str(program), str(script)), "", password=SECRET)))
    assert why == []
    assert [(tmp_path / name).read_text() for name in ("jump", "key", "own")] == ["", "no\n", f"{SECRET}\n"]


def test_the_real_reader_tells_of_this_machine_and_ends_with_its_input() -> None:
    way = Way("db", ("/bin/sh", "-s"), watch_script("nftables"))
    looks, why = asyncio.run(listened(way, looks=2))
    assert why == []
    assert [look.wrong for look in looks] == [0, 0]
    assert looks[0].told == []
    processes = subprocess.run(["ps", "ax", "-o", "ppid,args"], capture_output=True, text=True).stdout
    assert not [line for line in processes.splitlines() if line.split()[:1] == [str(os.getpid())] and "awk" in line]


def test_the_real_reader_knows_a_new_connection_with_any_awk(tmp_path: Path) -> None:
    found = [path for path in ("/usr/bin/mawk", "/usr/bin/gawk", "/usr/bin/busybox") if Path(path).exists()]
    if not found:
        pytest.skip("no awk")
    for program in found:
        (tmp_path / "awk").unlink(missing_ok=True)
        (tmp_path / "awk").symlink_to(program)
        way = Way(
            "db", ("/usr/bin/env", f"PATH={tmp_path}:{os.environ['PATH']}", "/bin/sh", "-s"), watch_script("iptables")
        )
        looks, why = asyncio.run(listened(way, looks=2))
        assert (len(looks), why) == (2, [])
        assert looks[1].wrong == 0

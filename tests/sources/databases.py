"""PostgreSQL and Redis of our own, which applications need: in a directory, over sockets of the file system only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.sources.inventory_run import wait_for

DATABASE_USER = "ringfence"
_BRISK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")


def missing():
    """Return what this machine lacks to run both, or None."""
    if _postgresql() is None:
        return "needs PostgreSQL: apt-get install postgresql"
    if shutil.which("redis-server") is None:
        return "needs Redis: apt-get install redis-server"
    if os.geteuid() == 0 and _account() is None:
        return "needs the account postgres, because PostgreSQL does not run as root: apt-get install postgresql"
    return None


@contextmanager
def databases():
    """Yield the directory in which PostgreSQL listens and Redis has its socket, `redis.sock`; end both afterwards."""
    account = _account() if os.geteuid() == 0 else None
    # The path of a socket may have 107 bytes, and the account must come through.
    where = Path(tempfile.mkdtemp(prefix="ringfence-db-"))
    programs = _postgresql()
    running = []
    try:
        if account:
            os.chown(where, account.pw_uid, account.pw_gid)
        given = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": where}
        initial = [programs / "initdb", "-D", where / "data", "-A", "trust", "-U", DATABASE_USER, "-E", "UTF8"]
        subprocess.run([*initial, "--locale=C.UTF-8", "--no-sync"], check=True, **quiet, **given)
        options = [word for option in _BRISK for word in ("-c", option)]
        listen = [programs / "postgres", "-D", where / "data", "-k", where, *options]
        running.append(subprocess.Popen(listen, **quiet, **given))
        silent = ["redis-server", "--port", "0", "--save", "", "--unixsocket", where / "redis.sock"]
        running.append(subprocess.Popen(silent, **quiet))
        for process, socket in zip(running, (".s.PGSQL.5432", "redis.sock"), strict=True):
            wait_for(where / socket, process, 60)
        yield where
    finally:
        for process in running:
            process.send_signal(2)
            process.wait(timeout=30)
        shutil.rmtree(where)


def make_database(where, name, *statements):
    """Make a database and run statements in it."""
    programs = _postgresql()
    reached = ("-h", where, "-U", DATABASE_USER)
    subprocess.run([programs / "createdb", *reached, name], check=True)
    for statement in statements:
        words = [programs / "psql", "-q", "-v", "ON_ERROR_STOP=1", *reached, "-c", statement, name]
        subprocess.run(words, check=True)


def _postgresql():
    """Return where Debian keeps the programs of its newest PostgreSQL, else where PATH has them; or None."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("initdb")
    return Path(found).parent if found else None


def _account():
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None

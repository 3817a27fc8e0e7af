"""A real Nautobot or NetBox from PyPI on loopback: installed once into an environment of its own, then started empty.

Their tables are made from their models at once; hundreds of migrations would take minutes and end in the same tables.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from ringfence.lab.rootfs import cache_directory

from tests.sources.databases import DATABASE_USER, make_database
from tests.sources.inventory_run import free_port, wait_for

TOKEN = "0123456789abcdef0123456789abcdef01234567"
_FROM_MODELS = """
class _FromModels(dict):
    def __contains__(self, app):
        return True

    def __getitem__(self, app):
        return None

MIGRATION_MODULES = _FromModels()
"""
_SERVE = """
import sys
from django.core.management import call_command
from django.contrib.auth import get_user_model
from {users} import Token
call_command("migrate", run_syncdb=True, interactive=False, verbosity=0)
user = get_user_model().objects.create_superuser("admin", "admin@example.com", "admin")
for token in {tokens}:
    Token.objects.create(user=user, **token)
call_command("runserver", "127.0.0.1:" + sys.argv[1], use_reloader=False, skip_checks=True)
"""
_NAUTOBOT = """
from nautobot.core.settings import *

SECRET_KEY = "x" * 50
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES["default"] |= {{"NAME": "nautobot", "USER": "{user}", "HOST": "{where}"}}
CACHES["default"]["LOCATION"] = "unix://{where}/redis.sock?db=1"
CELERY_BROKER_URL = "redis+socket://{where}/redis.sock?virtual_host=0"
INSTALLATION_METRICS_ENABLED = False
"""
_NETBOX = """
SECRET_KEY = "x" * 50
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {{"default": {{"NAME": "netbox", "USER": "{user}", "HOST": "{where}"}}}}
REDIS = {{
    "tasks": {{"URL": "unix://{where}/redis.sock?db=2"}},
    "caching": {{"URL": "unix://{where}/redis.sock?db=3"}},
}}
API_TOKEN_PEPPERS = {{1: "p" * 50}}
CENSUS_REPORTING_ENABLED = False
"""


@dataclass(frozen=True)
class Application:
    """One of the two: the release, the least Python, its settings, how it begins, and what its database needs first."""

    release: str
    python: tuple[int, int]
    settings: str
    begin: str
    users: str
    tokens: str
    statements: tuple[str, ...] = ()

    @property
    def name(self):
        return self.release.partition("==")[0]


NAUTOBOT = Application(
    "nautobot==3.2.7",
    (3, 10),
    _NAUTOBOT,
    "import nautobot, os; nautobot.setup(os.path.join(os.path.dirname(__file__), 'settings.py'))",
    "nautobot.users.models",
    f"[{{'key': '{TOKEN}'}}]",
)
NETBOX = Application(
    "netbox==4.7.3",
    (3, 12),
    _NETBOX,
    "import django, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'from_models'; django.setup()",
    "users.models",
    f"[{{'version': 1, 'token': '{TOKEN}'}}, {{'version': 2, 'key': 'abcdefabcdef', 'token': '{TOKEN}'}}]",
    ("CREATE EXTENSION ltree", "CREATE COLLATION natural_sort (provider = icu, locale = 'und-u-kn-true')"),
)
# NetBox's second kind of token: what is in its database is a digest.
NETBOX_NEW_TOKEN = f"nbt_abcdefabcdef.{TOKEN}"


class Interface:
    """The REST interface as the administrator has it."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self._port = port

    def add(self, path, **row):
        """Add a row and return its id."""
        return self._ask("POST", f"/api/{path}/", row)["id"]

    def change(self, path, identity, **row):
        self._ask("PATCH", f"/api/{path}/{identity}/", row)

    def remove(self, path, identity):
        self._ask("DELETE", f"/api/{path}/{identity}/", None)

    def _ask(self, method, path, row):
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json", "Accept": "application/json"}
        connection.request(method, path, None if row is None else json.dumps(row), headers)
        response = connection.getresponse()
        content = response.read().decode()
        connection.close()
        assert response.status < 300, f"{method} {path} {row}: {response.status} {content[:2000]}"
        return json.loads(content) if content else {}


def missing(application):
    """Return what this machine lacks to install an application, or None."""
    if _python(application) is None:
        return f"{application.name} needs Python {'.'.join(map(str, application.python))} or newer"
    return None


def installed(application):
    """Return the Python of an environment with the application, which is made where it is not there.

    Raises RuntimeError with the installer's last words where it cannot be made.
    """
    kept = cache_directory() / "applications" / application.release.replace("==", "-")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with (kept.parent / f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (kept / "complete").exists():
            shutil.rmtree(kept, ignore_errors=True)
            subprocess.run([_python(application), "-m", "venv", kept], check=True, capture_output=True)
            words = [kept / "bin/pip", "install", "-q", "--disable-pip-version-check", application.release]
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=900)
            if done.returncode:
                raise RuntimeError(f"{application.release} cannot be installed: {done.stderr.strip()[-300:]}")
            (kept / "complete").touch()
    return kept / "bin/python"


@contextmanager
def served(application, python, where, directory):
    """Run an application with an empty database and yield its interface; `where` is what databases() yields."""
    make_database(where, application.name, *application.statements)
    root = directory / application.name
    (root / "conf").mkdir(parents=True)
    settings = application.settings.format(user=DATABASE_USER, where=where) + _FROM_MODELS
    (root / "settings.py").write_text(settings)
    (root / "conf/configuration.py").write_text(settings)
    (root / "from_models.py").write_text("from netbox.settings import *\n" + _FROM_MODELS)
    serve = _SERVE.format(users=application.users, tokens=application.tokens)
    (root / "serve.py").write_text(f"{application.begin}\n{serve}")
    port = free_port()
    environment = {**os.environ, "NETBOX_ROOT": str(root), "NAUTOBOT_ROOT": str(root), "PYTHONPATH": str(root)}
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            [python, root / "serve.py", str(port)], stdout=log, stderr=log, env=environment, cwd=root
        )
        try:
            wait_for(port, process, 300)
            yield Interface(port)
        except AssertionError as error:
            error.add_note((root / "log").read_text(errors="replace")[-2000:])
            raise
        finally:
            process.terminate()
            process.wait(timeout=30)


def _python(application):
    """Return a Python that is new enough: ours, one of PATH, or one of pyenv's."""
    if sys.version_info >= application.python:
        return sys.executable
    newer = [f"python3.{minor}" for minor in range(14, application.python[1] - 1, -1)]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = [
        str(path) for name in newer for path in sorted(versions.glob(f"{name.removeprefix('python')}.*/bin/python"))
    ]
    for candidate in [*filter(None, map(shutil.which, newer)), *kept]:
        done = subprocess.run([candidate, "-c", "import ensurepip, venv"], capture_output=True, check=False)
        if done.returncode == 0:
            return candidate
    return None

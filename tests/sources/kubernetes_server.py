"""A real API server of Kubernetes on loopback with its etcd, built once from Debian's source package into the cache.

No kubelet runs and no controller: what a cluster would do for its pods, the administrator writes over the API.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path

from ringfence.lab.rootfs import KEYRING, cache_directory, mirror

from tests.sources.inventory_run import free_port, wait_for
from tests.sources.replay_server import certificate

ADMINISTRATOR, READER = "administrator-t0k3n", "reader-t0k3n"
ISSUER = "https://kubernetes.default.svc"
TOOLS = ("go", "make", "jq", "rsync", "openssl", "apt-get", "dpkg-deb")
RELEASE = "bookworm"
_SOURCES = """Types: deb deb-src
URIs: {mirror}
Suites: {release}
Components: main
Signed-By: {keyring}
"""
# What `git` would tell the build, which is not in a source package.
_VERSION = """KUBE_GIT_COMMIT='none'
KUBE_GIT_TREE_STATE='archive'
KUBE_GIT_VERSION='v1.20.2'
KUBE_GIT_MAJOR='1'
KUBE_GIT_MINOR='20'
"""


def missing():
    """Return what this machine lacks to build a server, or None."""
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"needs {', '.join(lacking)}: apt-get install golang-go make jq rsync openssl"
    if mirror() is None:
        return "needs a Debian mirror: RINGFENCE_LAB_MIRROR names one"
    return None if KEYRING.exists() else "needs Debian's keys: apt-get install debian-archive-keyring"


def kept():
    """Return the directory with the programs `kube-apiserver` and `etcd`, or None where they were never built."""
    where = _where()
    return where if all((where / name).exists() for name in ("kube-apiserver", "etcd")) else None


def built():
    """Build or fetch both programs, and return the directory that has them."""
    where = _where()
    where.mkdir(parents=True, exist_ok=True)
    with (where / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept() is None:
            with tempfile.TemporaryDirectory(dir=where, prefix="build-") as directory:
                _build(Path(directory), where)
    return where


def _where():
    return cache_directory() / "applications" / f"kubernetes-{RELEASE}"


def _build(directory, where):
    """Fetch two packages with lists of our own, so that the machine's are not changed, and build one of them."""
    (directory / "lists/partial").mkdir(parents=True)
    (directory / "sources.list.d").mkdir()
    text = _SOURCES.format(mirror=mirror(), release=RELEASE, keyring=KEYRING)
    (directory / "sources.list.d/debian.sources").write_text(text)
    given = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": directory / "sources.list.d",
        "Dir::State::lists": directory / "lists",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in given.items() for word in ("-o", f"{name}={value}")]

    def run(*words, **more):
        done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False, **more)
        if done.returncode:
            raise RuntimeError(f"{words[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")

    run("apt-get", *options, "update", "-q")
    run("apt-get", *options, "download", "-q", "etcd-server")
    (package,) = directory.glob("etcd-server_*.deb")
    run("dpkg-deb", "-x", package, directory / "etcd")
    run("apt-get", *options, "source", "-q", "--download-only", "kubernetes")
    (archive,) = directory.glob("kubernetes_*.orig.tar.gz")
    run("tar", "xf", archive)
    (source,) = directory.glob("kubernetes-*")
    (directory / "version").write_text(_VERSION)
    settings = {"KUBE_GIT_VERSION_FILE": str(directory / "version"), "GOCACHE": str(directory / "cache")}
    run("make", "-C", source, "kube-apiserver", env={**os.environ, **settings})
    shutil.copy(directory / "etcd/usr/bin/etcd", where)
    shutil.copy((source / "_output/bin/kube-apiserver").resolve(), where)


class Cluster:
    """The API as the administrator has it, and what a kubeconfig says of it."""

    def __init__(self, directory, port):
        self.url = f"https://127.0.0.1:{port}"
        self.authority = directory / "tls.pem"
        self._key = directory / "tls.key"
        self._port = port

    def add(self, path, **content):
        """Add an object and give it the status that it brings along, which the API takes apart from the rest."""
        found = self._ask("POST", path, content)
        if "status" in content:
            where = f"{path}/{content['metadata']['name']}"
            found = self._ask("PUT", f"{where}/status", {**found, "status": content["status"]})
        return found

    def remove(self, path):
        self._ask("DELETE", path, {"gracePeriodSeconds": 0})

    def account_token(self, namespace, name, seconds):
        """Return a token of a service account that ends so many seconds from now; signed as the server would."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        given = self._ask("POST", path, {"spec": {"audiences": [ISSUER], "expirationSeconds": 3600}})["status"]["token"]
        head, claims, _ = given.split(".")
        said = json.loads(base64.urlsafe_b64decode(claims + "=="))
        said |= {"exp": said["iat"] + seconds, "nbf": said["iat"] - 7200, "iat": said["iat"] - 7200}
        text = f"{head}.{_encoded(json.dumps(said).encode())}"
        sign = ["openssl", "dgst", "-sha256", "-sign", self._key]
        return f"{text}.{_encoded(subprocess.run(sign, input=text.encode(), capture_output=True, check=True).stdout)}"

    def is_ready(self):
        """Return whether all that the server starts with is there: roles, priorities, namespaces."""
        try:
            self._ask("GET", "/readyz", None)
            self._ask("GET", "/api/v1/namespaces/kube-system", None)
        except (AssertionError, OSError):
            return False
        return True

    def _ask(self, method, path, content):
        trusted = ssl.create_default_context(cafile=str(self.authority))
        connection = HTTPSConnection("127.0.0.1", self._port, context=trusted, timeout=60)
        headers = {"Authorization": f"Bearer {ADMINISTRATOR}", "Content-Type": "application/json"}
        connection.request(method, path, None if content is None else json.dumps(content), headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        assert response.status < 300, f"{method} {path}: {response.status} {text[:1000]}"
        return json.loads(text) if text.startswith("{") else {}


@contextmanager
def cluster(programs, directory):
    """Run etcd and an API server with roles, and yield the cluster."""
    certificate(directory)
    (directory / "tokens").write_text(f"{ADMINISTRATOR},admin,1,system:masters\n{READER},reader,2\n")
    store, peers, port = free_port(), free_port(), free_port()
    etcd = {
        "data-dir": directory / "etcd",
        "listen-client-urls": f"http://127.0.0.1:{store}",
        "advertise-client-urls": f"http://127.0.0.1:{store}",
        "listen-peer-urls": f"http://127.0.0.1:{peers}",
        "unsafe-no-fsync": "true",
    }
    server = {
        "etcd-servers": f"http://127.0.0.1:{store}",
        "bind-address": "127.0.0.1",
        "advertise-address": "192.0.2.1",
        "endpoint-reconciler-type": "none",
        "secure-port": port,
        "cert-dir": directory,
        "tls-cert-file": directory / "tls.pem",
        "tls-private-key-file": directory / "tls.key",
        "token-auth-file": directory / "tokens",
        "authorization-mode": "RBAC",
        "service-account-issuer": ISSUER,
        "service-account-key-file": directory / "tls.key",
        "service-account-signing-key-file": directory / "tls.key",
        "service-cluster-ip-range": "10.96.0.0/16",
        # No controller makes the account that a pod would wait for.
        "disable-admission-plugins": "ServiceAccount",
    }
    running = []
    with (directory / "log").open("wb") as log:
        try:
            for name, options, listens in (("etcd", etcd, store), ("kube-apiserver", server, port)):
                words = [programs / name, *(f"--{key}={value}" for key, value in options.items())]
                running.append(subprocess.Popen(words, stdout=log, stderr=log))
                wait_for(listens, running[-1], 120)
            found = Cluster(directory, port)
            end = time.monotonic() + 120
            while not found.is_ready():
                assert time.monotonic() < end, "the API server is not ready within 120 s"
                time.sleep(0.2)
            yield found
        except AssertionError as error:
            error.add_note((directory / "log").read_text(errors="replace")[-2000:])
            raise
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait(timeout=60)


def _encoded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

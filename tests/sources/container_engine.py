"""A real Podman or Docker in namespaces of its own, with real containers of busybox."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from pathlib import Path

from tests.sources.inventory_run import wait_for

ENGINES = {
    "podman": ("podman", "crun", "conmon"),
    "docker": ("dockerd", "containerd", "runc"),
}
TOOLS = ("unshare", "busybox", "ip", "iptables")
START = """set -e
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/lock
mount -t tmpfs none /dev/shm
if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
"""
RUN = {
    "podman": """exec podman --root {directory}/root --runroot {directory}/runroot --storage-driver vfs \
  --cgroup-manager cgroupfs --events-backend file --log-level error \
  system service -t 0 unix://{directory}/engine.sock
""",
    "docker": """exec dockerd --data-root {directory}/root --exec-root {directory}/exec --storage-driver vfs \
  --pidfile {directory}/engine.pid --default-ulimit nofile=1024:1024 --log-level fatal -H unix://{directory}/engine.sock
""",
}
# Podman 5 knows this one alone; Debian 12's Podman 4 comes with CNI's plug-ins.
NETAVARK = Path("/usr/lib/podman/netavark")
# For Podman, without cgroups and rights that a container of a test machine may not have.
CONFIGURATION = """[network]
network_backend = "{backend}"
network_config_dir = "{directory}/networks"
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
"""


def missing_tools(engine):
    missing = [tool for tool in (*TOOLS, *ENGINES[engine]) if shutil.which(tool) is None]
    return missing if missing or os.geteuid() == 0 else ["root"]


class ContainerEngine:
    """A running service; its socket's path is short enough for the kernel."""

    def __init__(self, engine: str, directory: Path, restarts: bool = False):
        """Start it; with `restarts` another service follows on one that is ended (`end_service`)."""
        self.directory = directory
        self.engine = engine
        run = RUN[engine].format(directory=directory)
        if restarts:
            run = f"while :; do\n{run.removeprefix('exec ')}done\n"
        self.socket = directory / "engine.sock"
        (directory / "networks").mkdir()
        backend = "netavark" if NETAVARK.exists() else "cni"
        (directory / "containers.conf").write_text(CONFIGURATION.format(directory=directory, backend=backend))
        (directory / "start.sh").write_text(START + run)
        apart = ["unshare", "-n", "-m", "-p", "--fork", "--mount-proc", "--kill-child", "--propagation", "private"]
        self.process = subprocess.Popen(
            [*apart, "sh", directory / "start.sh"],
            env={**os.environ, "CONTAINERS_CONF": str(directory / "containers.conf")},
            stderr=subprocess.DEVNULL,
        )
        wait_for(self.socket, self.process)

    def end(self):
        self.process.kill()
        self.process.wait(timeout=20)

    def end_service(self):
        """End the service, which stops Docker's containers, and return when it has gone."""
        (first,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in Path(f"/proc/{first}/task/{first}/children").read_text().split():
            if f"({ENGINES[self.engine][0]})" in _status(child):
                os.kill(int(child), signal.SIGTERM)
                until = time.monotonic() + 20
                while _status(child).partition(") ")[2][:1] not in ("", "Z") and time.monotonic() < until:
                    time.sleep(0.05)

    def call(self, method, path, body=None, kind="application/json"):
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.socket))
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        connection.request(method, path, content, {"Content-Type": kind})
        response = connection.getresponse()
        said = response.read().decode()
        connection.close()
        assert response.status < 400, f"{path}: {said}"
        return said

    def image(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(shutil.which("busybox"), "bin/busybox")
        self.call("POST", "/images/create?fromSrc=-&repo=tiny", packed.getvalue(), "application/x-tar")

    def run(self, name, network, start=True, **options):
        command = ["/bin/busybox", "sleep", "1000"]
        body = {"Image": "tiny", "Cmd": command, "HostConfig": {"NetworkMode": network}, **options}
        self.call("POST", f"/containers/create?name={name}", body)
        if start:
            self.call("POST", f"/containers/{name}/start")


def _status(process):
    """Return what the kernel tells of a process, empty where it has gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""

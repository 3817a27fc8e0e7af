"""A real libvirt host in namespaces of its own: the machine's own libvirt, networks and firewall are not touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

NETWORK = """<network><name>inside</name><forward mode='open'/><bridge name='virbr7' stp='off' delay='0'/>
<ip address='192.168.77.1' netmask='255.255.255.0'><dhcp><range start='192.168.77.10' end='192.168.77.99'/></dhcp></ip>
</network>"""


def missing():
    """Return what this machine lacks for a host with a network, or None."""
    for tool, package in (("libvirtd", "libvirt-daemon"), ("dnsmasq", "dnsmasq-base")):
        if shutil.which(tool) is None:
            return f"needs {tool}: apt-get install {package}"
    if os.geteuid() != 0:
        return "needs root for a network namespace with a bridge"
    return None


@contextmanager
def host(directory):
    """Run libvirtd and yield the path of its socket, which a URI of any of its drivers takes as `socket`."""
    sockets = directory / "sockets"
    sockets.mkdir()
    settings = directory / "etc"
    (settings / "qemu").mkdir(parents=True)
    (settings / "libvirtd.conf").write_text(
        f'unix_sock_dir = "{sockets}"\nauth_unix_ro = "none"\nauth_unix_rw = "none"\nlog_level = 3\n'
    )
    (settings / "qemu.conf").write_text(
        'security_driver = "none"\nuser = "root"\ngroup = "root"\nnamespaces = []\ncgroup_controllers = []\n'
        'remember_owner = 0\nstdio_handler = "file"\n'
    )
    # A hybrid of both cgroup hierarchies is more than the driver of containers understands; the old one alone is not.
    # The shell stays: what libvirt leaves behind must be reaped, or it waits 40 s for each that does not go away.
    inside = (
        "set -e; mount --make-rprivate /; for at in /run /var/lib/libvirt /var/cache/libvirt /var/log; do "
        'mount -t tmpfs none $at; done; mount --bind "$0" /etc/libvirt; ip link set lo up; '
        "umount /sys/fs/cgroup/unified 2>&- || :; "
        'libvirtd --config "$0/libvirtd.conf" & wait $!'
    )
    before = _cgroups()
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", inside]
    with (directory / "libvirtd.log").open("wb") as log:
        server = subprocess.Popen([*words, settings], stdout=log, stderr=log)
        try:
            wait(lambda: (sockets / "libvirt-sock").exists() or server.poll() is not None, 60)
            assert server.poll() is None, (directory / "libvirtd.log").read_text()
            yield sockets / "libvirt-sock"
        finally:
            server.kill()
            server.wait()
            # Deepest first, and each once nothing is in it any more: all that was dies with the namespace, a bit later.
            for group in sorted(_cgroups() - before, reverse=True):
                wait(lambda group=group: _removed(group), 20)


def _cgroups():
    """Return what libvirt makes in the machine's cgroups for its containers, in one hierarchy or in each of several."""
    top = Path("/sys/fs/cgroup")
    parents = [path for pattern in ("machine", "*/machine") for path in top.glob(pattern)]
    return {path for parent in parents for path in (parent, *parent.rglob("*")) if path.is_dir()}


def _removed(group):
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def wait(holds, seconds, story=lambda: ""):
    """Wait until something holds; fail with a story where it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"nothing within {seconds} s: {story()}"
        time.sleep(0.2)

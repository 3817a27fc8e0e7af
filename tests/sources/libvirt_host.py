"""A real libvirt host in namespaces of its own, and a guest that boots Debian's cloud kernel and takes a lease.

Software emulation, no disk: the kernel and an initrd with busybox and the modules of a virtio network card. Nothing of
the machine's own libvirt, networks or firewall is touched.
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
MODULES = (
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
)
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
for module in {modules}; do /bin/busybox insmod /$module.ko; done
/bin/busybox ip link set lo up
/bin/busybox ip link set eth0 up
/bin/busybox udhcpc -i eth0 -s /lease -n -q -t 20
while :; do /bin/busybox sleep 3600; done
"""
LEASE = '#!/bin/busybox sh\n[ "$1" = bound ] && /bin/busybox ip address add "$ip/$mask" dev eth0\nexit 0\n'
NETWORK = """<network><name>inside</name><forward mode='open'/><bridge name='virbr7' stp='off' delay='0'/>
<ip address='192.168.77.1' netmask='255.255.255.0'><dhcp><range start='192.168.77.10' end='192.168.77.99'/></dhcp></ip>
</network>"""
DOMAIN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>192</memory><vcpu>1</vcpu>
<title>{title}</title>
<os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel><initrd>{initrd}</initrd>
<cmdline>console=ttyS0 quiet panic=-1</cmdline></os><features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<interface type='network'><mac address='52:54:00:00:77:01'/><source network='inside'/><model type='virtio'/></interface>
<serial type='file'><source path='{console}'/></serial></devices></domain>"""


def missing():
    """Return what this machine lacks for a host with a guest, or None."""
    for tool, package in (
        ("libvirtd", "libvirt-daemon"),
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("dnsmasq", "dnsmasq-base"),
        ("apt-get", "apt"),
    ):
        if shutil.which(tool) is None:
            return f"needs {tool}: apt-get install {package}"
    if not BUSYBOX.exists():
        return "needs busybox: apt-get install busybox-static"
    if os.geteuid() != 0:
        return "needs root for a network namespace with a bridge"
    return None


@contextmanager
def host(directory):
    """Run libvirtd with the network `inside`, and yield the URI under which it is reached."""
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
    # The shell stays: what libvirt leaves behind must be reaped, or it waits 40 s for each that does not go away.
    inside = (
        "set -e; mount --make-rprivate /; for at in /run /var/lib/libvirt /var/cache/libvirt /var/log; do "
        'mount -t tmpfs none $at; done; mount --bind "$0" /etc/libvirt; ip link set lo up; '
        'libvirtd --config "$0/libvirtd.conf" & wait $!'
    )
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", inside]
    with (directory / "libvirtd.log").open("wb") as log:
        server = subprocess.Popen([*words, settings], stdout=log, stderr=log)
        try:
            _wait(lambda: (sockets / "libvirt-sock").exists() or server.poll() is not None, 60)
            assert server.poll() is None, (directory / "libvirtd.log").read_text()
            yield f"qemu:///system?socket={sockets}/libvirt-sock"
        finally:
            server.kill()
            server.wait()


def guest(connection, directory, name="guest-1", title="Shop web server", seconds=90):
    """Start the network and a guest, and return the guest once its host knows a lease of it."""
    kernel, initrd = _kernel(directory)
    network = connection.networkCreateXML(NETWORK)
    console = directory / f"{name}.console"
    told = {"name": name, "title": title, "kernel": kernel, "initrd": initrd, "console": console}
    domain = connection.createXML(DOMAIN.format(**told))
    _wait(network.DHCPLeases, seconds, lambda: console.read_text(errors="replace")[-2000:] if console.exists() else "")
    return domain


def fetch_kernel(directory):
    """Download and unpack Debian's cloud kernel; return what went wrong, or None."""
    names = subprocess.run(
        ["apt-cache", "depends", "linux-image-cloud-amd64"], capture_output=True, text=True, check=False
    ).stdout.split()
    package = next((name for name in names if name.startswith("linux-image-") and name[12].isdigit()), None)
    if package is None:
        return "needs Debian's linux-image-cloud-amd64 from apt: apt-get update"
    done = subprocess.run(
        ["apt-get", "download", "-q", package], cwd=directory, capture_output=True, text=True, check=False, timeout=120
    )
    archives = list(directory.glob("linux-image-*.deb"))
    if done.returncode or not archives:
        return f"needs {package} from apt: {done.stderr[-200:]}"
    subprocess.run(["dpkg-deb", "-x", archives[0], directory / "kernel"], check=True)
    return None


def _kernel(directory):
    """Return the files of the kernel and of an initrd that takes a lease and then waits."""
    (kernel,) = (directory / "kernel/boot").glob("vmlinuz-*")
    modules = _modules(directory / "kernel")
    root = directory / "root"
    for name in ("bin", "proc", "sys", "dev"):
        (root / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    for name, content in modules.items():
        (root / f"{name}.ko").write_bytes(content)
    _script(root / "init", INIT.format(modules=" ".join(modules)))
    _script(root / "lease", LEASE)
    listing = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*"))) + "\n"
    initrd = directory / "initrd"
    with initrd.open("wb") as out:
        words = [BUSYBOX, "cpio", "-o", "-H", "newc", "-R", "0:0"]
        subprocess.run(words, cwd=root, input=listing.encode(), stdout=out, stderr=subprocess.DEVNULL, check=True)
    return kernel, initrd


def _modules(package):
    """Return the modules of MODULES by name, in order, that an unpacked kernel has not built in."""
    # Debian 13 keeps them below /usr, and compressed.
    (index,) = package.glob("**/lib/modules/*/modules.builtin")
    builtin = index.read_text().split()
    found = {}
    for module in MODULES:
        if f"kernel/{module}.ko" in builtin:
            continue
        plain = index.parent / f"kernel/{module}.ko"
        packed = plain.with_name(f"{plain.name}.xz")
        found[plain.stem] = lzma.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
    return found


def _script(path, text):
    path.write_text(text)
    path.chmod(0o755)


def _wait(holds, seconds, story=lambda: ""):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"nothing within {seconds} s: {story()}"
        time.sleep(0.2)

"""What runs on the libvirt host of the tests: guests that boot Debian's cloud kernel and take a lease, and a container.

Software emulation, no disk: the kernel, and an initrd with busybox, the modules of a virtio network card and channel,
and the guest agent of QEMU, which starts where the domain has a channel for it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import libvirt

from tests.sources.libvirt_host import wait

BUSYBOX = Path("/bin/busybox")
AGENT = Path("/usr/sbin/qemu-ga")
CONTAINERS = Path("/usr/lib/libvirt/libvirt_lxc")
MODULES = (
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
    "drivers/char/virtio_console",
)
LEASE = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE
AGENT_TELLS = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT
# What only the agent knows of: addresses that no lease gave.
OWN_ADDRESSES = ("192.168.77.200", "2001:db8:77::5")
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /$module.ko; done
/bin/busybox hostname web-inside
/bin/busybox ip link set lo up
/bin/busybox ip link set eth0 up
/bin/busybox udhcpc -i eth0 -s /lease -n -q -t 20
/bin/busybox ping -c 1 192.168.77.1
if [ -e /dev/vport0p1 ] || [ -e /dev/vport1p1 ]; then
  for address in {own}; do /bin/busybox ip address add "$address" dev eth0; done
  /usr/sbin/qemu-ga -m virtio-serial -p /dev/vport*p1 -t /tmp &
fi
while :; do /bin/busybox sleep 3600; done
"""
CONTAINER_INIT = """#!/bin/busybox sh
/bin/busybox ip link set lo up
/bin/busybox ip link set eth0 up
/bin/busybox udhcpc -i eth0 -s /lease -n -q -t 20
/bin/busybox ping -c 1 192.168.77.1
while :; do /bin/busybox sleep 3600; done
"""
LEASE_SCRIPT = '#!/bin/busybox sh\n[ "$1" = bound ] && /bin/busybox ip address add "$ip/$mask" dev eth0\nexit 0\n'
SYSTEM = 'NAME="Shop Linux"\nID=shoplinux\nVERSION_ID="1"\nPRETTY_NAME="Shop Linux 1"\n'
DOMAIN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>256</memory><vcpu>1</vcpu>
<title>{title}</title>
<os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel><initrd>{initrd}</initrd>
<cmdline>console=ttyS0 quiet panic=-1</cmdline></os><features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<interface type='network'><mac address='{mac}'/><source network='inside'/><model type='virtio'/></interface>
{channel}<serial type='file'><source path='{console}'/></serial></devices></domain>"""
CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>\n"
CONTAINER = """<domain type='lxc'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>exe</type><init>/init</init></os>
<devices><emulator>{emulator}</emulator>
<filesystem type='mount'><source dir='{root}'/><target dir='/'/></filesystem>
<interface type='network'><mac address='{mac}'/><source network='inside'/></interface>
<console type='pty'/></devices></domain>"""


def missing():
    """Return what this machine lacks to boot a guest, or None."""
    for tool, package in (("qemu-system-x86_64", "qemu-system-x86"), ("apt-get", "apt")):
        if shutil.which(tool) is None:
            return f"needs {tool}: apt-get install {package}"
    for path, package in ((BUSYBOX, "busybox-static"), (AGENT, "qemu-guest-agent")):
        if not path.exists():
            return f"needs {path.name}: apt-get install {package}"
    return None


def guests(connection, directory, *wanted, seconds=120):
    """Start guests, each a name, a title and whether an agent is in it; return once there is a lease of every guest and
    the agents answer."""
    kernel, initrd = _kernel(directory)
    consoles = []
    domains = []
    for number, (name, title, agent) in enumerate(wanted, 1):
        consoles.append(directory / f"{name}.console")
        told = {"name": name, "title": title, "kernel": kernel, "initrd": initrd, "console": consoles[-1]}
        mac = f"52:54:00:00:77:{number:02x}"
        text = DOMAIN.format(**told, mac=mac, channel=CHANNEL if agent else "")
        domains.append((connection.createXML(text), agent))

    def story():
        return "".join(console.read_text(errors="replace")[-2000:] for console in consoles if console.exists())

    for domain, agent in domains:
        for source in (LEASE, AGENT_TELLS) if agent else (LEASE,):
            wait(lambda domain=domain, source=source: _tells(domain, source), seconds, story)


def container(connection, directory, name, mac, seconds=60):
    """Start a container with a shell of busybox as its init; return once the host has a lease of it."""
    root = directory / name
    for folder in ("bin", "proc", "sys", "dev", "etc", "tmp"):
        (root / folder).mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin/busybox")
    _script(root / "init", CONTAINER_INIT)
    _script(root / "lease", LEASE_SCRIPT)
    domain = connection.createXML(CONTAINER.format(name=name, emulator=CONTAINERS, root=root, mac=mac))
    wait(lambda: _tells(domain, LEASE), seconds)


def _tells(domain, source):
    try:
        return bool(domain.interfaceAddresses(source))
    except libvirt.libvirtError:
        return False


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
    """Return the files of the kernel and of an initrd that takes a lease, starts the agent and then waits."""
    (kernel,) = (directory / "kernel/boot").glob("vmlinuz-*")
    (modules,) = (directory / "kernel/lib/modules").glob("*/kernel")
    root = directory / "root"
    for name in ("bin", "proc", "sys", "dev", "etc", "tmp"):
        (root / name).mkdir(parents=True)
    for program in (BUSYBOX, AGENT, *_libraries(AGENT)):
        copy = root / program.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, copy)
    for module in MODULES:
        shutil.copy(modules / f"{module}.ko", root)
    (root / "etc/os-release").write_text(SYSTEM)
    names = " ".join(Path(module).name for module in MODULES)
    own = " ".join(f"{address}/{64 if ':' in address else 24}" for address in OWN_ADDRESSES)
    _script(root / "init", INIT.format(modules=names, own=own))
    _script(root / "lease", LEASE_SCRIPT)
    listing = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*"))) + "\n"
    initrd = directory / "initrd"
    with initrd.open("wb") as out:
        words = [BUSYBOX, "cpio", "-o", "-H", "newc", "-R", "0:0"]
        subprocess.run(words, cwd=root, input=listing.encode(), stdout=out, stderr=subprocess.DEVNULL, check=True)
    return kernel, initrd


def _libraries(program):
    """Return the shared libraries that a program needs, and the loader, under the paths that it asks for."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", told)]


def _script(path, text):
    path.write_text(text)
    path.chmod(0o755)

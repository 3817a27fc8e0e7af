"""What many machines have alike, so that it identifies none: one list, each entry with where it is from.

MACs and UUIDs are beginnings in small hex digits without separators; texts are in small letters with one blank between
words. `identifying.py` normalises what sources say and looks it up here; nothing else reads these lists.

GLPI: the blacklists of GLPI and of FusionInventory for GLPI. OCS: `blacklist_macaddresses` and `blacklist_serials` of
OCS Inventory. FreeBSD: the list in its rc.d/hostid, of UUIDs that many boards have.
"""

from __future__ import annotations

from collections.abc import Mapping

# Hardware addresses that engines, drivers and protocols give to every machine.
MACS: Mapping[str, str] = {
    "00005e0001": "RFC 9568 7.3: VRRP for IPv4; CARP uses it too",
    "00005e0002": "RFC 9568 7.3: VRRP for IPv6",
    "00000c07ac": "RFC 2281 5.1: Cisco HSRP version 1",
    "00000c9ff": "Cisco HSRP version 2 for IPv4, 0000.0c9f.fxxx",
    "000573a0": "Cisco HSRP version 2 for IPv6, 0005.73a0.0xxx",
    "0007b4": "Cisco GLBP, 0007.b4xx.xxyy",
    "0010dbff": "Juniper SRX chassis cluster and NetScreen NSRP, 00:10:db:ff:xx:yy",
    "00090f09": "Fortinet FGCP cluster, 00:09:0f:09:xx:yy",
    "00000000fe": "Check Point ClusterXL, source MAC of cluster packets (sk25977)",
    "02bf": "Microsoft network load balancing, unicast: 02-bf and the cluster's address",
    "02004c4f4f50": "Microsoft KM-TEST loopback adapter: 'LOOP' (nmap/nmap#1679)",
    "02004e435049": "GLPI: NCP secure client's adapter",
    "204153594eff": "GLPI: RAS asynchronous adapter, ' ASYN'",
    "505054503030": "GLPI: WAN miniport (PPTP), 'PPTP00'",
    "33506f453030": "GLPI: WAN miniport (PPPoE), '3PoE00'",
    "24b620524153": "GLPI: WAN miniport, 'RAS'",
    "88e220524153": "WAN miniport (IP), 'RAS'",
    "444553540000": "OCS: AOL and dial-up adapters, 'DEST'",
    "444553540001": "OCS: AOL and dial-up adapters, 'DEST'",
    "44455354616f": "OCS: AOL adapter",
    "e2e616200a35": "GLPI: FireWire",
    "d20a2da004be": "GLPI: FireWire",
    "d26b252f2ce7": "GLPI: FireWire",
    "00a0c6000000": "GLPI: Qualcomm Gobi 2000 mobile broadband",
    "028037ec0200": "GLPI: Dell Wireless 5530 mobile broadband",
    "000bcafe0000": "GLPI: placeholder",
    "101111111111": "OCS: placeholder",
    "0001027d9b1c": "OCS",
    "0008a1460635": "OCS",
    "0008a166e21a": "OCS",
    "0009dd103768": "OCS",
    "000fea9ae2f0": "OCS",
    "00105a7271f3": "OCS",
    "00111185088b": "OCS",
    "00059a3c7a00": "Cisco AnyConnect and VPN client's adapter",
    "00059a3c7800": "Cisco VPN client's adapter",
    "020000000000": "Android 6: what it tells applications for every device",
    "eeeeeeeeeeee": "Calico: every cali* interface of every host (projectcalico/calico#1394)",
    "feffffffffff": "Xen: the host's end of every vif (xenproject.org, XenNetworking); GLPI",
    "525400123456": "QEMU: -nic and -net nic without mac= (QEMU manual)",
    "525400123457": "QEMU: the second one without mac=",
    "525400123458": "QEMU: the third one without mac=",
    "0242": "Docker: made of the container's IPv4 address (libnetwork, netutils)",
    "0a58": "OVN-Kubernetes and CNI: made of the pod's IPv4 address (ovn-org, util.IPAddrToHWAddr)",
    "0a002700": "VirtualBox: host-only adapters of the host; GLPI",
    "005056c0": "VMware Workstation: VMnet adapters of the host; GLPI",
    "be3af2b6059f": "AMI BMC, LAN over USB: one end alike on all (openshift/assisted-installer-agent#461)",
    "acde48001122": "Apple: bridge to the T2, on every such machine",
    "aabbccddeeff": "Antrea: global virtual MAC; placeholder",
    "aabbccddee": "placeholder",
    "001122334455": "placeholder",
    "112233445566": "placeholder",
    "0123456789ab": "placeholder",
    "123456789abc": "placeholder",
    "123456789012": "placeholder",
    "000102030405": "placeholder",
    "deadbeef": "placeholder",
}

# UUIDs that firmware tells where nobody set one; other byte orders are looked up too. DSP0134 7.2.1 has all zeros and
# all ones; `identifying.py` refuses whatever is made of few digits or is counted up.
UUIDS: Mapping[str, str] = {
    "03000200040005000006000700080009": "FreeBSD, GLPI: firmware of AMI (Gigabyte, ASRock, ECS, …)",
    "00020003000400050006000700080009": "FreeBSD: the same, its fields in the other order",
    "07090201010303010807060504030201": "FreeBSD",
    "890e2d14cacd45d1ae66bc80e8bfeb0f": "FreeBSD",
    "8e275844178f44a8aceba7d7e5178c63": "FreeBSD",
    "dc698397fa544cf282c8b1b5307a6a7f": "FreeBSD",
    "6ab5b300538d10149fb5b0684d007b53": "GLPI",
    "11111111222233334444555555555555": "FreeBSD: placeholder",
    "12345678": "placeholder: 12345678-1234-…, 12345678-1234-5678-90ab-cddeefaabbcc (Insyde)",
    "0123456789ab": "placeholder",
    "000102030405060708090a0b0c0d0e0f": "counted up",
    "0102030405060708090a0b0c0d0e0f10": "counted up",
    "00112233445566778899aabbccddeeff": "counted up",
    "4c4c4544000020108020": "Dell without a service tag, blanks: 4c4c4544-0000-2010-8020-80c04f202020 (FreeBSD)",
    "4c4c45440000": "Dell without a service tag, zeros",
    "4c4c4544ffff": "Dell without a service tag, ones",
    "deadbeef": "placeholder",
}

# Serials, asset tags and other texts that vendors write where they have none: GLPI, OCS, and the words of dmidecode.
TEXTS = frozenset(
    {
        *(
            "n/a",
            "na",
            "none",
            "null",
            "nil",
            "nan",
            "not applicable",
            "not available",
            "unavailable",
            "empty",
            "blank",
        ),
        *("unknown", "unknow", "undefined", "unspecified", "unset", "invalid", "default", "default string", "string"),
        *("null string", "not specified", "not set", "not settable", "not present", "not provided", "no enclosure"),
        *(
            "no asset tag",
            "no asset information",
            "no serial",
            "no serial number",
            "not defined",
            "to be defined",
            "tbd",
        ),
        *(
            "to be filled by o.e.m",
            "to be filled by oem",
            "to be filled by o.e.m. by more string",
            "filled by oem",
            "oem",
        ),
        *("o.e.m", "other", "out of spec", "fill by oem", "oem_serial", "systemserialnumb", "serialnumber", "serial"),
        *("system serial number", "system name", "system product name", "product name", "system manufacturer"),
        *(
            "system version",
            "chassis serial number",
            "base board serial number",
            "board serial number",
            "serial number",
        ),
        *(
            "chassis asset tag",
            "asset tag",
            "baseboard serial number",
            "system uuid",
            "all series",
            "evaluation",
            "eval",
        ),
        *("iatpass", "tulip computers", "nnnnnnn", "dell", "sn", "mb-1234567890", "sys-1234567890", "sys-9876543210"),
        *("sn-12345", "sn-1234567890", "sn-123456fvgv3i0b8o5n6n7k", "ssn12345678901234567", "bssn-0123456789"),
        *("atn12345678901234567", "asset-1234567890", "asset-0123456789", "assettagnum0", "sernum0", "sernum01"),
        *("123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "0123456789"),
        *(
            "012345678",
            "123456789000",
            "12345678901234567",
            "123456789012345678",
            "0123456789abcdef",
            "123456789abcdef",
        ),
        *("type2 - board serial number", "type3 - chassis serial number", "no asset tag specified", "sample", "dummy"),
        *("virtual machine", "amazon ec2", "google compute engine", "openstack nova", "openstack foundation", "bochs"),
    }
)

# Names that distributions and images give to every machine that nobody named, as the first part of a name.
# RFC 6761 6.3 (localhost); the others from the images' own documentation.
HOST_NAMES = frozenset(
    {
        *(
            "localhost",
            "localhost4",
            "localhost6",
            "localhost-live",
            "ip6-localhost",
            "ip6-loopback",
            "bogon",
            "amnesiac",
        ),
        *(
            "ubuntu",
            "debian",
            "raspberrypi",
            "dietpi",
            "kali",
            "fedora",
            "centos",
            "rocky",
            "almalinux",
            "rhel",
            "arch",
        ),
        *(
            "archlinux",
            "archiso",
            "opensuse",
            "linux",
            "alpine",
            "gentoo",
            "livecd",
            "nixos",
            "void",
            "manjaro",
            "mint",
        ),
        *("freebsd", "openbsd", "netbsd", "openwrt", "photon", "photon-machine", "flatcar", "coreos", "minikube"),
        *(
            "vagrant",
            "template",
            "vm-template",
            "golden-image",
            "packer",
            "cloudimg",
            "changeme",
            "hostname",
            "unnamed",
        ),
        *("noname", "unassigned", "none", "null", "unknown", "new-host", "docker-desktop", "buildroot", "oraclelinux"),
    }
)
# What a name says nothing with: RFC 6762 (mDNS, one link), defaults of resolvers and home routers.
ONE_LINK_DOMAINS = frozenset({"local", "lan", "home", "home.arpa", "fritz.box", "workgroup"})
# RFC 6761 6.3, RFC 1035 (reverse), resolver defaults, the names that every Kubernetes cluster has inside.
EVERYBODYS_DOMAINS = frozenset(
    {"localdomain", "localdomain4", "localdomain6", "localhost", "in-addr.arpa", "ip6.arpa", "cluster.local"}
)

# Addresses that machines have for themselves or that all have alike.
ADDRESSES: Mapping[str, str] = {
    "127.0.0.0/8": "RFC 1122 3.2.1.3: loopback",
    "::1": "RFC 4291 2.5.3: loopback",
    "169.254.0.0/16": "RFC 3927: link-local; also node-local DNS, cloud metadata, LAN over USB of BMCs",
    "fe80::/10": "RFC 4291 2.5.6: link-local",
    "0.0.0.0/8": "RFC 1122 3.2.1.3: this network",
    "255.255.255.255": "RFC 919: broadcast",
    "::": "RFC 4291 2.5.2: unspecified",
    "224.0.0.0/4": "RFC 5771: multicast",
    "ff00::/8": "RFC 4291 2.7: multicast",
    "192.0.0.0/29": "RFC 7335: inside of every DS-Lite and 464XLAT client",
    "fd00:ec2::254": "Amazon EC2: instance metadata over IPv6",
    "168.63.129.16": "Azure: the platform's address in every network",
}

# What engines give to a bridge or service on every host unless told otherwise. A host's own word for these does not
# count; an inventory may give them.
BRIDGE_ADDRESSES: Mapping[str, str] = {
    "172.17.0.1": "Docker: docker0",
    "172.18.0.1": "Docker: docker_gwbridge, the first network",
    "10.88.0.1": "Podman: cni-podman0, podman0",
    "192.168.122.1": "libvirt: virbr0",
    "10.0.3.1": "LXC: lxcbr0",
    "192.168.56.1": "VirtualBox: vboxnet0",
    "10.96.0.1": "kubeadm: service of the API",
    "10.96.0.10": "kubeadm: service of DNS",
    "10.43.0.1": "k3s: service of the API",
    "10.43.0.10": "k3s: service of DNS",
    "172.30.0.1": "OpenShift: service of the API",
    "172.30.0.10": "OpenShift: service of DNS",
}

# Interfaces whose addresses and hardware addresses are a host's own affair: patterns of whole names.
INNER_INTERFACES: Mapping[str, str] = {
    r"lo\d*": "loopback",
    r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}": "Docker",
    r"podman\d*|cni\d*|cni-podman\d*|nerdctl\d*": "Podman, the bridge plug-in of CNI, nerdctl",
    r"veth.*|vnet\d+|macvtap\d*|vif\d.*|fw(?:br|ln|pr)\d.*|tap.*|tun\d*": "a guest's end, a tunnel of a process",
    r"virbr\d+(?:-nic)?|lxcbr\d+|lxdbr\d+|incusbr\d+|vboxnet\d+|vmnet\d+": "libvirt, LXC, Incus, VirtualBox, VMware",
    r"cali.*|tunl\d+|vxlan[.-]calico.*|wireguard[.]cali|wg-v6[.]cali": "Calico",
    r"flannel.*|cbr\d+|kube-.*|nodelocaldns|weave|vethwe.*": "Flannel, kubenet, kube-proxy, node-local DNS, Weave",
    r"cilium_.*|lxc.*|antrea-.*|ovn-k8s-.*|genev_sys.*|vxlan_sys.*": "Cilium, Antrea, OVN-Kubernetes",
    r"ovs-.*|br-int|br-tun|qbr.*|qvb.*|qvo.*": "Open vSwitch, OpenStack",
    r"sit\d*|gre\d*|gretap\d*|erspan\d*|ip6tnl\d*|ip6gre\d*|ip_vti\d*|ip6_vti\d*|teql\d*|ifb\d*": "the kernel's own",
    r"usb\d+|idrac|bmc\d*": "LAN over USB of a BMC",
    r"vEthernet \((?:Default Switch|nat|WSL.*|DockerNAT)\)|Loopback Pseudo-Interface.*": "Hyper-V, Windows",
}

"""The same small estate for a real NetBox and a real Nautobot, each filled over its own REST interface."""

from __future__ import annotations

from dataclasses import dataclass

SECRET = "hunter2"
FIELDS = {"environment": "prod", "bmc_password": SECRET}
MAC, SECOND_MAC = "00:11:22:33:44:55", "00:11:22:33:44:66"


@dataclass(frozen=True)
class Estate:
    """What tests change afterwards: the id of the device that goes away."""

    retired: object


def fill_netbox(interface):
    """Add a server in a VRF, a switch, a device without a name, one with Windows, and a virtual machine."""
    add = interface.add
    site = add("dcim/sites", name="Frankfurt", slug="fra")
    kind = add("dcim/device-types", manufacturer=add("dcim/manufacturers", name="M", slug="m"), model="R", slug="r")
    server, switch = (add("dcim/device-roles", name=name, slug=name) for name in ("server", "switch"))
    windows = add("dcim/platforms", name="Windows 2022", slug="windows-2022")
    tag = add("extras/tags", name="PCI", slug="pci")
    for name in FIELDS:
        add("extras/custom-fields", name=name, type="text", object_types=["dcim.device"])
    blue = add("ipam/vrfs", name="blue")
    add("extras/config-contexts", name="all", data={"ntp_key": SECRET})

    def device(name, role=server, **more):
        return add("dcim/devices", name=name, site=site, device_type=kind, role=role, **more)

    web = device(
        "web-1", tags=[tag], serial="S1", custom_fields=FIELDS, tenant=add("tenancy/tenants", name="Shop", slug="shop")
    )
    card = add("dcim/interfaces", device=web, name="eth0", type="1000base-t")
    for mac in (MAC, SECOND_MAC):
        add("dcim/mac-addresses", mac_address=mac, assigned_object_type="dcim.interface", assigned_object_id=card)
    held = {"assigned_object_type": "dcim.interface", "assigned_object_id": card, "vrf": blue}
    add("ipam/ip-addresses", address="10.0.0.5/24", **held)
    primary = add("ipam/ip-addresses", address="2001:db8::5/64", dns_name="web-1.example.com", **held)
    add("ipam/ip-addresses", address="10.0.0.99/24", status="deprecated", **held)
    interface.change("dcim/devices", web, primary_ip6=primary)
    device("sw-1", role=switch)
    device(None, platform=windows)
    cluster = add("virtualization/clusters", name="pve", type=add("virtualization/cluster-types", name="p", slug="p"))
    machine = add("virtualization/virtual-machines", name="vm-1", cluster=cluster)
    inner = add("virtualization/interfaces", virtual_machine=machine, name="eth0")
    kinds = {"assigned_object_type": "virtualization.vminterface", "assigned_object_id": inner}
    add("ipam/ip-addresses", address="10.0.0.6/24", **kinds)
    return Estate(device("old-1"))


def fill_nautobot(interface):
    """Add the same, with a namespace for the VRF, and an address that two interfaces share."""
    add = interface.add
    machines = ["dcim.device", "virtualization.virtualmachine"]
    interfaces = ["dcim.interface", "virtualization.vminterface"]
    networks = ["dcim.location", "ipam.prefix", "ipam.ipaddress"]
    status = add("extras/statuses", name="Active", content_types=[*machines, *interfaces, *networks])
    deprecated = add("extras/statuses", name="Deprecated", content_types=["ipam.ipaddress"])
    server, switch = (add("extras/roles", name=name, content_types=machines) for name in ("server", "switch"))
    site = add("dcim/location-types", name="Site", content_types=["dcim.device", "virtualization.cluster"])
    location = add("dcim/locations", name="fra", location_type=site, status=status)
    kind = add("dcim/device-types", manufacturer=add("dcim/manufacturers", name="M"), model="R")
    windows = add("dcim/platforms", name="Windows 2022")
    tag = add("extras/tags", name="pci", content_types=["dcim.device"])
    for name in FIELDS:
        add("extras/custom-fields", label=name, key=name, type="text", content_types=["dcim.device"])
    blue, usual = (add("ipam/namespaces", name=name) for name in ("blue", "Global"))
    for space in (blue, usual):
        for prefix in ("10.0.0.0/24", "2001:db8::/64"):
            add("ipam/prefixes", prefix=prefix, namespace=space, status=status)

    def device(name, role=server, **more):
        return add("dcim/devices", name=name, location=location, device_type=kind, role=role, status=status, **more)

    def card(holder, **more):
        return add("dcim/interfaces", device=holder, name="eth0", type="1000base-t", status=status, **more)

    def address(text, space, *holders, status=status, **more):
        identity = add("ipam/ip-addresses", address=text, namespace=space, status=status, **more)
        for holder in holders:
            add("ipam/ip-address-to-interface", ip_address=identity, **holder)
        return identity

    web = device("web-1", tags=[tag], serial="S1", custom_fields=FIELDS, tenant=add("tenancy/tenants", name="shop"))
    eth = {"interface": card(web, mac_address=MAC)}
    address("10.0.0.5/24", blue, eth)
    primary = address("2001:db8::5/64", blue, eth, dns_name="web-1.example.com")
    address("10.0.0.99/24", blue, eth, status=deprecated)
    interface.change("dcim/devices", web, primary_ip6=primary)
    device("sw-1", role=switch)
    device(None, platform=windows)
    cluster = add("virtualization/clusters", name="pve", cluster_type=add("virtualization/cluster-types", name="p"))
    machine = add("virtualization/virtual-machines", name="vm-1", cluster=cluster, status=status)
    inner = add("virtualization/interfaces", virtual_machine=machine, name="eth0", status=status)
    address("10.0.0.6/24", usual, {"vm_interface": inner})
    twins = [device(f"lb-{number}") for number in (1, 2)]
    address("10.0.0.80/24", usual, *({"interface": card(twin)} for twin in twins))
    return Estate(device("old-1"))

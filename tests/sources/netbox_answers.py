"""Answers in the form that NetBox 4 and Nautobot 2 document, with their pages."""

from __future__ import annotations

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}"


def named(number, slug, **more):
    return {"id": number, "url": f"/{number}/", "display": slug.title(), "name": slug.title(), "slug": slug, **more}


def device(number, name, role="server", **more):
    return {
        "id": number,
        "name": name,
        "display": name,
        "device_type": {"id": 1, "model": "R640", "slug": "r640", "manufacturer": named(1, "dell")},
        "role": named(1, role),
        "tenant": named(1, "shop"),
        "platform": named(1, "debian-12"),
        "serial": f"S{number}",
        "asset_tag": None,
        "site": named(1, "fra"),
        "location": None,
        "rack": named(1, "r7"),
        "status": {"value": "active", "label": "Active"},
        "primary_ip": None,
        "cluster": None,
        "tags": [named(1, "pci")],
        "custom_fields": {"environment": "prod", "bmc_password": "hunter2", "note": HOSTILE},
        **more,
    }


def address(number, text, vrf=None, status="active", **holder):
    (kind, (identity, name)) = next(iter(holder.items())) if holder else (None, (None, None))
    assigned = {"id": number + 900, "name": "eth0", kind: {"id": identity, "name": name}} if kind else None
    return {
        "id": number,
        "address": text,
        "vrf": {"id": 1, "name": vrf} if vrf else None,
        "status": {"value": status, "label": status.title()},
        "dns_name": f"a{number}.example.com",
        "assigned_object_type": "dcim.interface" if kind == "device" else "virtualization.vminterface",
        "assigned_object": assigned,
    }


def pages(rows, wrong_host=True):
    """Return a function that answers pages, whose next one is said to be on another server, as behind a proxy."""

    def answer(query):
        limit, offset = int(query.get("limit", 50)), int(query.get("offset", 0))
        more = offset + limit < len(rows)
        base = "https://internal.invalid/api/x/" if wrong_host else "/"
        following = f"{base}?limit={limit}&offset={offset + limit}" if more else None
        return {"count": len(rows), "next": following, "previous": None, "results": rows[offset : offset + limit]}

    return answer


def netbox():
    devices = [
        device(1, "web-1", primary_ip={"id": 1, "address": "10.0.0.5/24", "family": {"value": 4}}),
        device(2, "sw-1", role="switch"),
        device(3, None, platform=named(2, "windows-2022")),
    ]
    machines = [{"id": 1, "name": "vm-1", "cluster": named(1, "pve"), "status": {"value": "active"}, "tags": []}]
    addresses = [
        address(1, "10.0.0.5/24", device=(1, "web-1"), vrf="blue"),
        address(2, "2001:db8::5/64", device=(1, "web-1"), vrf="blue"),
        address(3, "10.0.0.99/24", device=(1, "web-1"), vrf="blue", status="deprecated"),
        address(4, "10.0.0.6/24", virtual_machine=(1, "vm-1")),
        address(5, "10.0.0.7/24", vrf="blue", device=(2, "sw-1")),
        address(6, "10.0.0.8/24", device=(2, "sw-1")),
        address(7, "10.0.0.10/24"),
    ]
    several = [{"mac_address": f"00:11:22:33:44:{last}"} for last in (66, 77)]
    interfaces = [
        {"id": 901, "name": "eth0", "mac_address": "00:11:22:33:44:55", "device": {"id": 1}},
        {"id": 902, "name": "eth1", "mac_address": None, "mac_addresses": several, "device": {"id": 1}},
    ]
    return {
        "/api/dcim/devices/": pages(devices),
        "/api/virtualization/virtual-machines/": pages(machines),
        "/api/ipam/ip-addresses/": pages(addresses),
        "/api/dcim/interfaces/": pages(interfaces),
        "/api/virtualization/interfaces/": pages([]),
    }


def nautobot():
    """Nautobot 2: identities are UUIDs, an address may be on several interfaces, and says so in a table of its own."""
    one, two, link, held, space = ("0a" * 16, "0b" * 16, "0c" * 16, "0d" * 16, "0e" * 16)
    address = {
        "id": held,
        "address": "10.0.0.5/24",
        "parent": {"namespace": {"id": space}},
        "status": {"name": "Active"},
    }
    row = {"id": one, "name": "web-1", "role": {"id": two, "name": "server"}, "status": {"id": two, "name": "Active"}}
    return {
        "/api/dcim/devices/": pages([row]),
        "/api/virtualization/virtual-machines/": pages([]),
        "/api/ipam/ip-addresses/": pages([address]),
        "/api/ipam/namespaces/": pages([{"id": two, "name": "Global"}, {"id": space, "name": "blue"}]),
        "/api/ipam/ip-address-to-interface/": pages([{"ip_address": {"id": held}, "interface": {"id": link}}]),
        "/api/dcim/interfaces/": pages([{"id": link, "device": {"id": one}, "mac_address": "00:11:22:33:44:55"}]),
        "/api/virtualization/interfaces/": pages([]),
    }

"""A small estate for the simulated vCenter, and the tags and custom attributes that a person would give it."""

from __future__ import annotations

import json
import ssl
from base64 import b64encode
from http.client import HTTPSConnection

from pyVim.connect import Disconnect, SmartConnect

from tests.simulated_vcenter import guest, nic

HOSTILE = "{{ lookup('pipe', 'touch pwned') }}\n[all]"
# The names are what the simulator calls its machines; `Name` what they are then called.
MACHINES = {
    "DC0_C0_RP0_VM0": {"Name": "web-1", "Guest": guest(11)},
    "DC0_C0_RP0_VM1": {
        "Name": "win%2f1",
        "Guest": guest(12, GuestFamily="windowsGuest", HostName="win1.example.org"),
    },
    "DC0_C0_RP0_VM2": {
        "Name": "docker-1",
        "Guest": guest(
            13,
            Net=[
                nic("00:50:56:00:00:0d", {"10.0.0.13": 24, "fe80::d": 64}),
                nic("02:42:0a:00:00:01", {"172.17.0.1": 16}, card=-1),
            ],
        ),
    },
    "DC0_H0_VM0": {
        "Name": "no-tools",
        "GuestID": "windows2019srv_64Guest",
        "Guest": {"ToolsRunningStatus": "guestToolsNotRunning"},
    },
    "DC0_H0_VM1": {"Name": HOSTILE, "Guest": guest(14)},
    "DC0_H0_VM2": {"Name": "golden", "Template": True, "Off": True, "Guest": {}},
    "DC1_C0_RP0_VM0": {"Name": "web-1", "Guest": guest(21)},
    "DC1_C0_RP0_VM1": {"Name": "off-1", "Off": True, "Guest": {}},
}
TAGS = {
    "Environment": {"production": ["web-1"], "development": ["docker-1"]},
    "Application": {"shop": ["web-1", "win%2f1"]},
}
ATTRIBUTES = {"owner": "shop team", "root-password": "never-shown"}


def furnish(vcenter):
    """Give the machines their tags, over REST, and `docker-1` its custom attributes."""
    context = ssl.create_default_context(cafile=str(vcenter.certificate))
    service = SmartConnect(
        host=vcenter.host, port=vcenter.port, user=vcenter.username, pwd=vcenter.password, sslContext=context
    )
    content = service.RetrieveContent()
    view = content.viewManager.CreateContainerView(content.rootFolder, [type(_machine(content))], True)
    machines = [(machine.name, machine) for machine in view.view]
    docker = next(machine for name, machine in machines if name == "docker-1")
    for name, value in ATTRIBUTES.items():
        field = content.customFieldsManager.AddFieldDefinition(name=name, moType=type(docker))
        content.customFieldsManager.SetField(entity=docker, key=field.key, value=value)
    rest = HTTPSConnection(vcenter.host, vcenter.port, context=context)
    basic = b64encode(f"{vcenter.username}:{vcenter.password}".encode()).decode()
    session = {"vmware-api-session-id": _asked(rest, "/session", {}, {"Authorization": f"Basic {basic}"})}
    for category, tags in TAGS.items():
        spec = {"name": category, "description": "", "cardinality": "MULTIPLE", "associable_types": []}
        held = _asked(rest, "/tagging/category", {"create_spec": spec}, session)
        for tag, names in tags.items():
            spec = {"name": tag, "description": "", "category_id": held}
            made = _asked(rest, "/tagging/tag", {"create_spec": spec}, session)
            for machine in (machine for name, machine in machines if name in names):
                target = {"object_id": {"type": "VirtualMachine", "id": machine._moId}}
                _asked(rest, f"/tagging/tag-association/id:{made}?~action=attach", target, session)
    rest.close()
    Disconnect(service)


def _machine(content):
    return content.searchIndex.FindByInventoryPath("DC0/vm/DC0_C0_RP0_VM3")


def _asked(rest, path, body, headers):
    rest.request("POST", f"/rest/com/vmware/cis{path}", json.dumps(body), headers)
    response = rest.getresponse()
    text = response.read()
    assert response.status == 200, (path, response.status, text)
    return json.loads(text)["value"] if text else None

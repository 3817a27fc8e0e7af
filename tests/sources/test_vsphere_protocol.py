"""What the simulated vCenter does not do: tags in today's REST form, a REST interface that fails, answers in pages."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere import api as vsphere_api
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.answers import page
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.tags import MachineTags, read_tags
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.transform import Shape, assets, tagged

from tests.simulated_vcenter import certificate_at

TAG = "urn:vmomi:InventoryServiceTag:1:GLOBAL"
CATEGORY = "urn:vmomi:InventoryServiceCategory:2:GLOBAL"
ASSOCIATION = "/api/cis/tagging/tag-association?action=list-attached-objects-on-tags"
# vSphere Automation API reference, 8.0: cis/session, cis/tagging/tag, …/category, …/tag-association.
ANSWERS = {
    ("POST", "/api/session"): (201, "session-1"),
    ("GET", "/api/cis/tagging/tag"): (200, [TAG]),
    ("GET", f"/api/cis/tagging/tag/{TAG}"): (200, {"id": TAG, "name": "prod", "category_id": CATEGORY}),
    ("GET", f"/api/cis/tagging/category/{CATEGORY}"): (200, {"id": CATEGORY, "name": "Environment"}),
    ("POST", ASSOCIATION): (
        200,
        [{"tag_id": TAG, "object_ids": [{"id": "vm-1", "type": "VirtualMachine"}, {"id": "h", "type": "HostSystem"}]}],
    ),
    ("DELETE", "/api/session"): (204, None),
}


@pytest.fixture
def login(tmp_path):
    """Give a function that starts a server with some answers and returns the login for it."""
    certificate, key = certificate_at(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    servers = []

    def start(answers):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = answers.get((self.command, self.path), (404, None))
                if not self.path.endswith("session") and self.headers.get("vmware-api-session-id") != "session-1":
                    status, body = 401, None
                text = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 the names that http.server calls

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        port = server.server_address[1]
        return vsphere_api.Login("127.0.0.1", "reader", "secret", port, ca_path=str(certificate), seconds=5)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_tags_are_read_in_the_form_of_today(login):
    assert read_tags(login(ANSWERS)) == MachineTags({"vm-1": {"Environment": ["prod"]}})


@pytest.mark.parametrize("status", [401, 500, 503])
def test_a_rest_interface_that_fails_is_told_and_ends_no_inventory(login, status):
    tags = read_tags(login({("POST", "/api/session"): (status, None)}))
    assert tags.failure == f"tags cannot be read: the login answers status {status}"
    found = assets(vsphere_api.VsphereAnswer({}, {}, ()), tags, Shape("vc"))
    assert found.warnings == [tags.failure]
    assert found.unreached == {"vsphere vc tags": tags.failure}
    with pytest.raises(SourceRefused, match="'tagged' cannot be applied"):
        tagged(tags, {"Environment": ["prod"]})


def test_an_answer_that_is_no_tag_is_told(login):
    tags = read_tags(login({**ANSWERS, ("GET", f"/api/cis/tagging/tag/{TAG}"): (200, {"odd": 1})}))
    assert tags.failure == "tags cannot be read: an answer lacks 'category_id'"


# vSphere Web Services API: RetrieveResult, ObjectContent, MissingProperty.
PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><RetrievePropertiesExResponse xmlns="urn:vim25">
<returnval><token>1</token><objects><obj type="VirtualMachine">vm-7</obj>
<propSet><name>config.template</name><val xsi:type="xsd:boolean">false</val></propSet>
<propSet><name>runtime.host</name><val type="HostSystem" xsi:type="ManagedObjectReference">host-3</val></propSet>
<propSet><name>guest.net</name><val xsi:type="ArrayOfGuestNicInfo"><GuestNicInfo xsi:type="GuestNicInfo">
<network>n&amp;m</network><ipAddress>10.0.0.7</ipAddress><ipAddress>fe80::7</ipAddress><macAddress>00:50:56:00:00:07</macAddress>
<connected>true</connected><deviceConfigId>-1</deviceConfigId><ipConfig><ipAddress><ipAddress>10.0.0.7</ipAddress>
</ipAddress></ipConfig></GuestNicInfo></val></propSet>
<missingSet><path>config.uuid</path><fault><fault xsi:type="NoPermission"><privilegeId>System.Read</privilegeId></fault>
<localizedMessage>Permission was denied.</localizedMessage></fault></missingSet></objects></returnval>
</RetrievePropertiesExResponse></soapenv:Body></soapenv:Envelope>"""


def test_a_page_has_properties_and_what_may_not_be_read():
    answer = page(PAGE.encode())
    (thing,) = answer.objects
    assert (thing.id, thing.kind, answer.token) == ("vm-7", "VirtualMachine", "1")
    assert thing.missing == [("config.uuid", "NoPermission")]
    assert thing.properties == {
        "config.template": False,
        "runtime.host": "host-3",
        "guest.net": [
            {"mac": "00:50:56:00:00:07", "network": "n&m", "addresses": ["10.0.0.7", "fe80::7"], "inner": True}
        ],
    }


def test_a_malformed_property_costs_its_machine_its_networks_and_no_other_a_thing():
    second = PAGE.replace("vm-7", "vm-8").partition("<objects>")[2].partition("</objects>")[0]
    broken = PAGE.replace("<deviceConfigId>-1<", "<deviceConfigId>odd<")
    content = broken.replace("</objects>", f"</objects><objects>{second}</objects><objects/>")
    one, other = page(content.encode()).objects
    assert one.missing == [("guest.net", "its answer is malformed"), ("config.uuid", "NoPermission")]
    assert other.properties["guest.net"][0]["addresses"] == ["10.0.0.7", "fe80::7"]
    found = assets(vsphere_api.VsphereAnswer({"vm-7": one, "vm-8": other}, {}, []), MachineTags(), Shape("vc"))
    incomplete = {name: host.get("ringfence_incomplete") for name, host in found.hosts}
    assert incomplete == {"vm-7": "its networks were not read: its answer is malformed", "vm-8": None}


@pytest.mark.parametrize("content", [b"", b"<html>Bad gateway</html>", b"<a><b></a>"])
def test_what_is_no_answer_of_the_collector_is_told(content):
    with pytest.raises(ValueError, match="the answer is no"):
        page(content)


def test_all_pages_of_an_answer_are_read():
    class Collector:
        def __init__(self):
            self.pages = [(["a", "b"], "next"), (["c"], None)]

        def RetrievePropertiesEx(self, specSet, options):  # noqa: N802, N803 pyvmomi's names
            assert options.maxObjects
            return self.page()

        def ContinueRetrievePropertiesEx(self, token):  # noqa: N802 pyvmomi's name
            assert token == "next"
            return self.page()

        def page(self):
            objects, token = self.pages.pop(0)
            return SimpleNamespace(objects=objects, token=token)

    assert list(vsphere_api.pages(Collector(), None)) == ["a", "b", "c"]

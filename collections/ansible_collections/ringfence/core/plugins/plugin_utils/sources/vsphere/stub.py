"""A stub for pyvmomi's objects that asks over an open session and hands the XML of an answer on, unread."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.answers import Page, page

try:
    from pyVmomi.SoapAdapter import SoapResponseDeserializer
except ImportError:
    SoapResponseDeserializer = None  # type: ignore[assignment, misc]


class PageStub:
    """Invokes the methods of a PropertyCollector, which answer pages, with the connection and session of another stub.

    pyvmomi serializes the request, and reads what is no page: faults.
    """

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    def InvokeMethod(self, mo: Any, info: Any, args: Sequence[Any]) -> Page:  # noqa: N802 pyvmomi calls it so
        """Return a page; raise the fault that came in its place, or OSError where nothing came that can be read."""
        stub = self._stub
        headers = {
            "Cookie": stub.cookie,
            "SOAPAction": stub.versionId,
            "Content-Type": "text/xml; charset=UTF-8",
            "Accept-Encoding": "gzip",
        }
        connection = stub.GetConnection()
        try:
            connection.request("POST", stub.path, stub.SerializeRequest(mo, info, args), headers)
            response = connection.getresponse()
            content = response.read()
            if response.getheader("Content-Encoding", "").lower() == "gzip":
                content = gzip.decompress(content)
        except (OSError, HTTPException, EOFError) as error:
            connection.close()
            stub.DropConnections()
            raise OSError(str(error) or type(error).__name__) from error
        stub.ReturnConnection(connection)
        if response.status == 500:
            raise SoapResponseDeserializer(stub).Deserialize(content, info.result)
        if response.status != 200:
            raise OSError(f"status {response.status} {response.reason}")
        try:
            return page(content)
        except ValueError as error:
            raise OSError(str(error)) from error

"""The least that pyvmomi takes for machines with their addresses: HOST PORT CERTIFICATE, one call; prints how many."""

from __future__ import annotations

import ssl
import sys

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.vsphere.api import MACHINE
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl


def main(host: str, port: str, certificate: str) -> None:
    """Retrieve the same properties of all machines as the plug-in does, and do nothing with them."""
    context = ssl.create_default_context(cafile=certificate)
    service = SmartConnect(host=host, port=int(port), user="reader", pwd="secret", sslContext=context)
    content = service.RetrieveContent()
    query = vmodl.query.PropertyCollector
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    step = query.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
    wanted = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=view, skip=True, selectSet=[step])],
        propSet=[query.PropertySpec(type=vim.VirtualMachine, pathSet=list(MACHINE))],
    )
    print(len(content.propertyCollector.RetrieveContents([wanted])))
    Disconnect(service)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Makes what tests keep in the lab's cache and what is not there yet: `python -m tests.prepare images|applications`.

Images are the file systems of the lab's machines, a minute each; on applications sources are tried.
"""

from __future__ import annotations

import sys

from ringfence.lab import rootfs
from ringfence.lab.probe import probe
from ringfence.lab.spec import RELEASES

from tests.sources import ipam_server

IMAGES = (*RELEASES, "bookworm-furnished")


def images() -> None:
    """Make file systems one after another. Raise OutsideError where one cannot be made."""
    if lacks := probe().lacks("machines"):
        print("no lab of machines:", "; ".join(map(str, lacks)))
        return
    for image in IMAGES:
        print(rootfs.ensure(image, lambda _text, _share: None), flush=True)


def applications() -> None:
    """Install what sources are tried on. One that cannot be installed is told: its tests say so as well, and skip."""
    for application in (ipam_server.NETBOX, ipam_server.NAUTOBOT):
        try:
            print(ipam_server.missing(application) or ipam_server.installed(application), flush=True)
        except RuntimeError as error:
            print(error)


if __name__ == "__main__":
    {"images": images, "applications": applications}[sys.argv[1]]()

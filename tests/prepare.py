"""Makes what tests keep in the lab's cache and what is not there yet: `python -m tests.prepare`.

That are the file systems of the lab's machines, a minute each, and the applications that sources are tried on.
"""

from __future__ import annotations

from ringfence.lab import rootfs
from ringfence.lab.probe import probe
from ringfence.lab.spec import RELEASES

from tests.sources import ipam_server

IMAGES = (*RELEASES, "bookworm-furnished")


def main() -> None:
    """Make one after another. Raise OutsideError where a file system cannot be made.

    An application that cannot be installed is told: its tests say so as well, and skip.
    """
    if lacks := probe().lacks("machines"):
        print("no lab of machines:", "; ".join(map(str, lacks)))
    else:
        for image in IMAGES:
            print(rootfs.ensure(image, lambda _text, _share: None), flush=True)
    for application in (ipam_server.NETBOX, ipam_server.NAUTOBOT):
        try:
            print(ipam_server.missing(application) or ipam_server.installed(application), flush=True)
        except RuntimeError as error:
            print(error)


if __name__ == "__main__":
    main()

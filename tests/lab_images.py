"""Makes the file systems of the lab's machines that are not there yet: `python -m tests.lab_images`."""

from __future__ import annotations

from ringfence.lab import rootfs
from ringfence.lab.probe import probe
from ringfence.lab.spec import RELEASES

IMAGES = (*RELEASES, "bookworm-furnished")


def main() -> None:
    """Make one after another; each takes about a minute. Raise OutsideError where one cannot be made."""
    if lacks := probe().lacks("machines"):
        print("no lab of machines:", "; ".join(map(str, lacks)))
        return
    for image in IMAGES:
        print(rootfs.ensure(image, lambda _text, _share: None), flush=True)


if __name__ == "__main__":
    main()

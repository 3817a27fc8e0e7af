"""The renderer of the map's page, as npm has it: `python -m tests.vendored_renderer` (`make vendor`) fetches it anew.

What is fetched must have the digest that npm's registry and `vendored.json` say. The wheel has the file: who installs
Ringfence needs neither node nor npm. It needs the standard library alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

VENDOR = Path(__file__).parents[1] / "plugins/ringfence/presenting/map/vendor"


def main() -> int:
    """Fetch the renderer and write its files; return 1 where a digest is another, 0 also where there is no npm."""
    known = json.loads((VENDOR / "vendored.json").read_text("utf-8"))
    package = f"{known['name']}@{known['version']}"
    if shutil.which("npm") is None:
        print(f"no npm here: {package} stays as it is")
        return 0
    with TemporaryDirectory() as directory:
        archive = Path(directory) / _npm("pack", package, "--silent", "--pack-destination", directory)
        integrity = _npm("view", package, "dist.integrity")
        own = f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}"
        if not own == integrity == known["integrity"]:
            print(f"{package}: fetched {own}, npm says {integrity}, kept was {known['integrity']}", file=sys.stderr)
            return 1
        with tarfile.open(archive) as files:
            for name, one in known["files"].items():
                content = files.extractfile(one["from"])
                assert content is not None, one["from"]
                text = content.read()
                if hashlib.sha256(text).hexdigest() != one["sha256"]:
                    print(f"{package}: {one['from']} is not {one['sha256']}", file=sys.stderr)
                    return 1
                (VENDOR / name).write_bytes(text)
    print(f"{package}: as npm has it")
    return 0


def _npm(*words: str) -> str:
    """Return the last line that npm prints."""
    return subprocess.run(["npm", *words], check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())

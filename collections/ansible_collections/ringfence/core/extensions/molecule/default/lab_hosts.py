"""Two hosts of Ringfence's lab and a plan for them: `lab_hosts.py up|down DIRECTORY`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ringfence.lab.session import Lab
from ringfence.lab.spec import HostSpec, UnitSpec

HERE = Path(__file__).parent


def main(verb: str, directory: Path) -> None:
    """Bring the hosts up and make their plan below `directory`, or take everything down."""
    lab = Lab("molecule", directory / "lab")
    lab.down()
    shutil.rmtree(directory, ignore_errors=True)
    if verb == "down":
        return
    directory.mkdir(parents=True)
    echo = UnitSpec("echo.service", ("tcp/7000",))
    lab.up([HostSpec(name, units=(echo,)) for name in ("canary", "second")], "namespaces")
    workspace = directory / "workspace"
    shutil.copytree(HERE / "workspace", workspace)
    (workspace / "inventory").mkdir()
    (workspace / "inventory" / "hosts.yml").symlink_to(lab.inventory_path)
    subprocess.run(
        [sys.executable, "-m", "ringfence.cli", "plan", "--no-flows", "--workspace", str(workspace)], check=True
    )
    plan = next(path.parent for path in (workspace / "plans").glob("*/plan.json") if not path.parent.is_symlink())
    (directory / "plan").write_text(str(plan))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

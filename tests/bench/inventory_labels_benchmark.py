"""Benchmark `inventory_labels`: `ansible-inventory --list` with label rules over all hosts, and the same without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ringfence.model.errors import OutsideError

from .measuring import in_turns
from .result import Result, Target

HOSTS, RULES, REPEATS = 50_000, 50, 3
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "ap-south-1")
ROLES = ("web", "api", "db", "cache", "queue", "worker", "proxy", "search")
ENVIRONMENTS = ("production", "staging", "development")
LIMIT = 2.0


def run() -> Result:
    """Measure both inventories in turns."""
    with TemporaryDirectory(prefix="ringfence-bench-") as directory:
        plain, labelled = _workspaces(Path(directory), HOSTS)
        times = in_turns({"without": lambda: _list(plain), "with": lambda: _list(labelled)}, REPEATS)
        groups = _labelled(labelled)
    without, with_labels = times["without"], times["with"]
    return Result(
        name="inventory_labels",
        subject=f"`ansible-inventory --list` of {HOSTS:,} hosts, {RULES} label rules applied to every one.",
        seconds=with_labels.cpu,
        peer=without.cpu,
        unit="CPU seconds",
        table=(
            ("inventory", "CPU seconds", "by the clock"),
            ("without labels", f"{without.cpu:.2f}", f"{without.wall:.2f}"),
            (f"with ringfence.core.labels, {RULES} rules", f"{with_labels.cpu:.2f}", f"{with_labels.wall:.2f}"),
        ),
        targets=(Target("times the same inventory without labels", with_labels.cpu / without.cpu, LIMIT),),
        remarks=(
            "The hosts are one JSON file, the fastest inventory that Ansible reads, so that the comparison is the "
            "hardest; each has tags, a region, an interface list and two groups.",
            f"The labels make {groups} groups; {RULES} rules of all kinds: tags with a map, conditions, patterns on "
            "names (which differ for every host), networks, group membership.",
            f"Median of {REPEATS} runs in turns.",
        ),
    )


def _workspaces(directory: Path, hosts: int) -> tuple[Path, Path]:
    """Write the same hosts twice, once with label rules beside them."""
    text = json.dumps(
        {
            "all": {
                "hosts": {_name(number): _host(number) for number in range(hosts)},
                "children": {
                    f"{kind}_{value}": {"hosts": {_name(n): {} for n in range(hosts) if at(n) == value}}
                    for kind, values, at in (("zone", REGIONS, _region), ("kind", ROLES, _role))
                    for value in values
                },
            }
        }
    )
    found = []
    for name in ("without", "with"):
        inventory = directory / name / "inventory"
        inventory.mkdir(parents=True)
        (inventory / "10-hosts.json").write_text(text, encoding="utf-8")
        (directory / name / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
        found.append(directory / name)
    (found[1] / "inventory/90-labels.yml").write_text("plugin: ringfence.core.labels\n", encoding="utf-8")
    (found[1] / "labels.yml").write_text(_rules(), encoding="utf-8")
    return found[0], found[1]


def _rules() -> str:
    """Return 50 rules of the kinds that people write."""
    rules: list[dict[str, object]] = [
        {"env": "tags.Environment", "map": {"production": "prod", "development": "dev"}},
        {"app": "tags.Application || tags.Service"},
        {"loc": "join('-', ['aws', region])"},
        {"tier": r"match(name, '^[a-z0-9]+-([a-z]+)-\d+', `1`)"},
        {"os": "facts.distribution || platform"},
        {"net": "'dmz'", "when": "in_network(addresses, ['10.0.0.0/18', '10.1.0.0/18'])"},
    ]
    rules += [{"role": role, "when": f"contains(groups, 'kind_{role}')"} for role in ROLES]
    rules += [{f"owner{number}": f"tags.Owner{number}"} for number in range(RULES - len(rules) - 20)]
    rules += [
        {"class": f"c{number}", "when": f"starts_with(name, 'app{number}-')", "priority": 200 + number}
        for number in range(20)
    ]
    return json.dumps({"labels": rules})


def _name(number: int) -> str:
    return f"app{number % 200}-{_role(number)}-{number}"


def _role(number: int) -> str:
    return ROLES[number % len(ROLES)]


def _region(number: int) -> str:
    return REGIONS[number // 7 % len(REGIONS)]


def _host(number: int) -> dict[str, object]:
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return {
        "ansible_host": address,
        "region": _region(number),
        "platform": "linux",
        "tags": {
            "Environment": ENVIRONMENTS[number % 3],
            "Application": f"app{number % 200}",
            f"Owner{number % 16}": f"team{number % 50}",
            "Name": _name(number),
        },
        "interfaces": [{"id": f"eni-{number:08x}", "address": address, "subnet": f"subnet-{number >> 8:04x}"}],
    }


def _list(directory: Path) -> None:
    """Run `ansible-inventory --list` there; raise OutsideError where it fails."""
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "-i", "inventory", "--list"]
    environment = {**os.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", "ANSIBLE_LOCALHOST_WARNING": "0"}
    with (directory / "list.json").open("wb") as output:
        done = subprocess.run(
            command, cwd=directory, env=environment, stdout=output, stderr=subprocess.PIPE, check=False
        )
    if done.returncode:
        raise OutsideError(f"ansible-inventory failed: {done.stderr.decode(errors='replace')[-500:]}")


def _labelled(directory: Path) -> int:
    """Return how many groups labels made, after making sure that every host has its labels."""
    listed = json.loads((directory / "list.json").read_text(encoding="utf-8"))
    hosts = listed["_meta"]["hostvars"]
    missing = [name for name, variables in hosts.items() if "role" not in variables.get("ringfence_label_values", {})]
    if missing or len(hosts) != HOSTS:
        raise OutsideError(f"{len(missing)} of {len(hosts)} hosts have no labels, {missing[:1]} for one")
    return len(listed) - len(ROLES) - len(REGIONS)

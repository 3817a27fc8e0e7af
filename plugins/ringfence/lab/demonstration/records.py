"""What the sources of the demonstration say of the lab's hosts: Ansible's inventory, a CMDB, the operations team."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from ruamel.yaml import YAML

from ringfence.lab.spec import HostSpec

DOMAIN = "shop.example"
SHOP = "shop"
LONG = {"prod": "production", "dev": "development"}
CARDHOLDER = "cardholder"
# The CMDB was never told that this machine went from production to development.
OUTDATED = "dev-db-1"
# A machine that only the CMDB knows: without an address no policy can speak of it, and it is in no wave.
NEVER_INSTALLED = f"reports-1.{DOMAIN}"
OWNERS = {"db": "data team", "payment": "payment team"}
SOURCE = "inventory/10-lab.yml"


def cmdb(hosts: Iterable[HostSpec]) -> str:
    """Return the export of the CMDB as CSV: the shop's machines by full name, what they serve, and one that is not."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("Name", "Serial", "IPv4", "Service", "Environment", "Data"))
    for number, host in _of_the_shop(hosts):
        stage = "prod" if host.name == OUTDATED else host.labels["env"]
        data = CARDHOLDER if host.labels.get("pci") == "true" else ""
        rows.writerow((f"{host.name}.{DOMAIN}", _serial(number), _four(host), SHOP, LONG[stage], data))
    rows.writerow((NEVER_INSTALLED, _serial(99), "", SHOP, LONG["prod"], ""))
    return text.getvalue()


def operations(hosts: Iterable[HostSpec]) -> str:
    """Return the list of the operations team as JSON: the shop's machines by rack number, with role and owner."""
    machines = [
        {
            "Asset": f"rack-{number}",
            "Serial": _serial(number),
            "Address": _four(host),
            "Environment": LONG[host.labels["env"]],
            "Role": host.labels["role"],
            "Site": host.labels["loc"],
            "Owner": OWNERS.get(host.labels["role"], "web team"),
        }
        for number, host in _of_the_shop(hosts)
    ]
    return json.dumps({"machines": machines}, indent=1) + "\n"


def write_inventory(path: Path, lab_inventory: Path, hosts: Sequence[HostSpec]) -> None:
    """Write Ansible's own inventory: how every host is reached, and tags of those that no other source knows."""
    yaml = YAML()
    inventory = yaml.load(lab_inventory.read_text(encoding="utf-8"))
    inventory["all"]["vars"]["ringfence_sources"] = [SOURCE]
    known = {host.name for _, host in _of_the_shop(hosts)}
    for name, variables in inventory["all"]["hosts"].items():
        labels = variables.pop("ringfence_labels", {})
        if name not in known:
            variables["tags"] = _tags(labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(inventory, file)


def _tags(labels: Mapping[str, str]) -> dict[str, str]:
    return {
        "Application": labels["app"],
        "Environment": LONG[labels["env"]],
        "Role": labels["role"],
        "Site": labels["loc"],
    }


def _of_the_shop(hosts: Iterable[HostSpec]) -> Iterator[tuple[int, HostSpec]]:
    return ((number, host) for number, host in enumerate(hosts, 1) if host.labels["app"] == SHOP)


def _serial(number: int) -> str:
    return f"SN-{4700 + number}"


def _four(host: HostSpec) -> str:
    return next(text for text in host.addresses if ip_address(text).version == 4)

"""A throw-away network namespace with iptables and ipset in it: what only a kernel can say about what we load."""

from __future__ import annotations

import pytest

from tests.unit.enforcers.nft_kernel import Kernel

VARIANTS = ("legacy", "nft")
FAMILIES = {"ipv4": "iptables", "ipv6": "ip6tables"}
SECTION = "# section "
EMPTY = "".join(f"*{table}\nCOMMIT\n" for table in ("filter", "mangle"))


class IptablesKernel:
    """Loads what the enforcer renders by one variant of iptables, and lists what verify reads."""

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.kernel = Kernel()

    def load(self, artefact: str) -> str:
        """Load a text in place of all there is, and return the listing."""
        self.clear()
        for name, text in sections(artefact).items():
            if name == "ipset":
                self.kernel.run("ipset", "restore", text=text)
            else:
                self.restore(name, text)
        return self.listing()

    def restore(self, family: str, text: str, variant: str = "") -> None:
        """Load rules beside those there are."""
        command = f"{FAMILIES[family]}-{variant or self.variant}-restore"
        self.kernel.run(command, "--noflush", text=text)

    def run(self, family: str, *arguments: str, variant: str = "") -> str:
        """Run iptables of a family."""
        return self.kernel.run(f"{FAMILIES[family]}-{variant or self.variant}", *arguments)

    def clear(self) -> None:
        """Delete every rule of both variants, and every set."""
        for variant in VARIANTS:
            for command in FAMILIES.values():
                self.kernel.run(f"{command}-{variant}-restore", text=EMPTY)
        self.kernel.run("ipset", "destroy")

    def listing(self) -> str:
        """Return the listing that verify reads."""
        found = [f"{SECTION}ipset\n{self.kernel.run('ipset', 'save')}"]
        for name, command in FAMILIES.items():
            found += [
                f"{SECTION}{name} {variant}\n{self.kernel.run(f'{command}-{variant}-save', '-c')}"
                for variant in VARIANTS
            ]
        return "".join(found)

    def close(self) -> None:
        """End the namespace."""
        self.kernel.close()


def sections(artefact: str) -> dict[str, str]:
    """Return what each program loads, by the name of its section."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in artefact.splitlines(keepends=True):
        if line.startswith(SECTION):
            name = line.removeprefix(SECTION).strip()
        found.setdefault(name, []).append("" if line.startswith(SECTION) else line)
    return {name: "".join(lines) for name, lines in found.items()}


def open_iptables(variant: str) -> IptablesKernel:
    """Return a kernel, or skip the test with the name of what is missing."""
    try:
        kernel = IptablesKernel(variant)
        kernel.clear()
        kernel.listing()
    except (OSError, AssertionError) as error:
        pytest.skip(f"needs iptables of both variants, ipset and a network namespace: {error}")
    return kernel

"""Parses an inventory as every command of Ansible does before its work: PATH; prints how many hosts there are."""

from __future__ import annotations

import sys

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader

if __name__ == "__main__":
    init_plugin_loader()
    print(len(InventoryManager(loader=DataLoader(), sources=[sys.argv[1]]).get_hosts()))

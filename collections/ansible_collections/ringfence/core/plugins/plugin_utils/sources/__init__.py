"""What the inventory plug-ins of all sources share: options, names, addresses, the cache, and what hosts become."""

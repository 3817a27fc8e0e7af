"""iptables and ipset: what a host lists of both, read back into the verdict table that it enforces."""

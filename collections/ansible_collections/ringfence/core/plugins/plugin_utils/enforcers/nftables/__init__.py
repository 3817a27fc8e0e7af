"""nftables: what a kernel lists of `table inet ringfence`, read back into the verdict table that it enforces."""

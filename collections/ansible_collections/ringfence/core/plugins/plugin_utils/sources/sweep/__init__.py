"""The source sweeps with nmap: asked by `api`, its answers turned into assets by `transform`."""

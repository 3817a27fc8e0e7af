"""The source Proxmox VE: asked by `api`, its answers turned into assets by `transform`."""

"""The source libvirt: asked by `api`, its answers turned into assets by `transform`."""

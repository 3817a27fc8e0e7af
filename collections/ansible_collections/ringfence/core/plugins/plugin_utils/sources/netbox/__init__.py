"""The source NetBox and Nautobot: asked by `api`, its answers turned into assets by `transform`."""

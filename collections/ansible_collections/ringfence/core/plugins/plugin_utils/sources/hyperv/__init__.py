"""The source Hyper-V: asked by `api`, its answers turned into assets by `transform`."""

"""The source AWS: asked by `api`, its answers turned into assets by `transform`."""

"""The source vSphere: asked by `api`, its answers turned into assets by `transform`."""

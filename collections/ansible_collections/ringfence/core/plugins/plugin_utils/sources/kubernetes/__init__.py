"""The source Kubernetes: asked by `api`, its answers turned into assets by `transform`."""

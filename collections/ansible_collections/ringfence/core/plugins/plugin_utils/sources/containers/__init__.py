"""The source Docker and Podman: asked by `api`, its answers turned into assets by `transform`."""

"""The source directories (LDAP): asked by `api`, its answers turned into assets by `transform`."""

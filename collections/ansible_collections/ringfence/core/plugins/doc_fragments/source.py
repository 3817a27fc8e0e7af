"""What the documentation of the inventory plugins that ask a source shares."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that they have in common, and by their names those that several of them have."""

    DOCUMENTATION = r"""
options:
  failures:
    description:
      - What to do if part of the inventory cannot be read. With C(warn), a warning names and counts the part, the rest
        is used, and Ringfence keeps what its last snapshot has of that part. With C(fail), the inventory fails.
    type: str
    choices: [warn, fail]
    default: warn
notes:
  - Values of the source are never evaluated as templates. Credentials never become host variables and are never stored
    in the inventory cache.
  - An unknown option is an error that gives its place and the most similar valid option.
"""

    NAMES = r"""
options: {}
notes:
  - If several hosts would have the same name, each gets a distinguishing suffix. Characters other than letters, digits,
    C(_), C(.) and C(-) are replaced by C(_).
"""

    REALM = r"""
options: {}
notes:
  - C(realms) in C(ringfence.yml) says which realms (I(realm)) see each other's addresses.
"""

    TIMEOUT = r"""
options:
  timeout:
    description: Seconds to wait for a response.
    type: int
    default: 60
"""

    PARALLEL = r"""
options:
  parallel:
    description: How many requests run at once, to different accounts, regions, hosts, clusters or machines.
    type: int
    default: 8
"""

    PAGES = r"""
options:
  page_size:
    description: The number of rows per page of the response.
    type: int
    default: 500
"""

    WINDOWS = r"""
options:
  windows_connection:
    description: How Ansible connects to Windows hosts.
    type: str
    choices: [psrp, winrm, ssh]
    default: psrp
"""

    TLS = r"""
options:
  validate_certs:
    description: Whether the certificate of the server must be valid.
    type: bool
    default: true
  ca_certs:
    description: A PEM file with the trusted CA certificates. The default is the system's.
    type: path
"""

"""What the documentation of the inventory plugins that ask a source shares."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that they have in common, and by their names those that several of them have."""

    DOCUMENTATION = r"""
options:
  failures:
    description:
      - What becomes of an inventory of which some part failed. With C(warn) the part is named and counted, the rest
        goes on, and Ringfence keeps what its last snapshot knew of that part.
    type: str
    choices: [warn, fail]
    default: warn
notes:
  - The values of the source are never evaluated as templates, and no credentials become variables of hosts or are kept
    in the inventory cache.
  - An option that there is not is an error, with its place and the nearest one that there is.
"""

    NAMES = r"""
options: {}
notes:
  - Hosts that would share a name all get behind it what tells them apart. Other characters than letters, digits, C(_),
    C(.) and C(-) become C(_).
"""

    REALM = r"""
options: {}
notes:
  - Which realms (I(realm)) see each other's addresses is said by C(realms) in C(ringfence.yml).
"""

    TIMEOUT = r"""
options:
  timeout:
    description: How many seconds to wait for an answer.
    type: int
    default: 60
"""

    PARALLEL = r"""
options:
  parallel:
    description: How many questions are asked at once, of different accounts, regions, hosts, clusters or machines.
    type: int
    default: 8
"""

    PAGES = r"""
options:
  page_size:
    description: How many rows a page of the answer has.
    type: int
    default: 500
"""

    WINDOWS = r"""
options:
  windows_connection:
    description: How Ansible reaches hosts with Windows.
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
    description: A file with the certificates of the authorities to trust, in PEM. By default those of the system.
    type: path
"""

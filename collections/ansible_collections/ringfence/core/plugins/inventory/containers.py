"""The inventory plugin ringfence.core.containers: containers of Docker and Podman hosts."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: containers
short_description: Containers of Docker and Podman hosts
version_added: 0.1.0
description:
  - Reads the containers of many engines in parallel, over their socket, TLS or ssh. No library is needed.
  - Each container becomes a host C(CONTAINER.HOST) with C(ringfence_addresses), C(ringfence_labels) (the host, the
    compose project and service, and container labels of your choice), C(ringfence_sources), and everything else under
    C(ringfence_containers), which I(compose), I(groups) and I(keyed_groups) also see under its short names, C(tags),
    C(image), C(ports).
  - Containers have C(ringfence_workload=false), because their host enforces, unless I(enforce) is set. A container in
    its host's network has no addresses, nor has one of a rootless engine, whose networks nobody outside meets.
  - An engine that cannot be reached is counted and named in a warning; the rest is used.
  - The environment and command of a container, and labels whose names suggest a secret, are never put into the
    inventory.
author:
  - The Ringfence developers
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
  - ringfence.core.source.parallel
  - ringfence.core.source.realm
  - ringfence.core.source.timeout
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.containers]
  engines:
    description: The engines to query.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: The inventory name of the host that the engine runs on.
        type: str
        required: true
      url:
        description:
          - Where the engine listens, such as C(unix:///run/podman/podman.sock), C(tcp://host:2376) or
            C(ssh://user@host). For ssh, append the path of the socket on the host if it is not Docker's.
          - ssh uses the configuration of the user who runs Ansible.
        type: str
        default: unix:///var/run/docker.sock
      ca_certs:
        description: A file with the CA certificates that signed the engine's certificate.
        type: path
      client_cert:
        description: A file with the client certificate for the engine.
        type: path
      client_key:
        description: A file with the key of the client certificate.
        type: path
  filters:
    description: Which containers to read, as the engine's own filters, a mapping of names to a value or a list.
    type: dict
    default: {status: running}
  labels:
    description: Labels from container labels, as a mapping of label keys to container labels.
    type: dict
    default: {}
  label_prefix:
    description: The prefix of the keys of the labels C(host), C(project) and C(service).
    type: str
    default: container_
  realm:
    description:
      - Whose address space a container's addresses are in. With C(host), addresses on bridges are in the realm
        C(containers-HOST), because other hosts use the same ones; addresses on macvlan, ipvlan and overlay networks are
        not.
    type: str
    choices: [host, none]
    default: host
  enforce:
    description:
      - Whether containers on bridges are workloads. The nftables of the host that holds one then enforces on it; the
        host must be a workload, too, under the name that C(engines) gives it. C(ringfence plan) names those that
        cannot be.
    type: bool
    default: false
"""

EXAMPLES = r"""
# inventory/50-containers.yml: what runs on this machine
plugin: ringfence.core.containers
engines:
  - host: build-1
---
# compose projects of two hosts, one over TLS, one over ssh; groups by service
plugin: ringfence.core.containers
engines:
  - host: dock-1
    url: tcp://dock-1.example.com:2376
    ca_certs: /etc/ringfence/docker/ca.pem
    client_cert: /etc/ringfence/docker/cert.pem
    client_key: /etc/ringfence/docker/key.pem
  - host: pod-1
    url: ssh://audit@pod-1.example.com/run/podman/podman.sock
filters:
  status: running
  label: [com.docker.compose.project]
labels:
  app: com.docker.compose.project
  role: com.docker.compose.service
keyed_groups:
  - key: service
    prefix: service
"""

from collections.abc import Mapping

from ansible.errors import AnsibleParserError
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.api import (
    DOCKER_SOCKET,
    Engine,
    ask_engines,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.transform import Shape, hosts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import text_by_name, texts_by_name


class InventoryModule(SourceInventory):
    """Adds the containers of engines to the inventory."""

    NAME = "ringfence.core.containers"
    FACT = "ringfence_containers"

    def ask(self, path: str) -> Found:
        """Return the containers of all engines."""
        engines = [_engine(one) for one in self.get_option("engines")]
        filters = texts_by_name(self.get_option("filters"))
        answers = ask_engines(engines, filters, self.get_option("timeout"), self.get_option("parallel"))
        return hosts(answers, self.from_options(Shape, labels=text_by_name(self.get_option("labels"))))


def _engine(given: Mapping[str, object]) -> Engine:
    if not given.get("host"):
        raise AnsibleParserError("an engine has no 'host': set the host it runs on", obj=given)
    told = text_by_name({key: value for key, value in given.items() if value is not None})
    return Engine(**{"url": f"unix://{DOCKER_SOCKET}", **told})

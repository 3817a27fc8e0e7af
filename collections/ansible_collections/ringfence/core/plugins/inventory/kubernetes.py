"""The inventory plugin ringfence.core.kubernetes: pods, nodes and services of Kubernetes clusters."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: kubernetes
short_description: Pods, nodes and services of Kubernetes clusters
version_added: 0.1.0
description:
  - Reads the clusters of a kubeconfig, several in parallel, page by page. Read-only; no library is needed.
  - Pods are named C(POD.NAMESPACE.CLUSTER), services C(SERVICE.NAMESPACE.svc.CLUSTER), nodes by their own name.
  - Each gets C(ringfence_addresses), C(ringfence_labels) (cluster, namespace, kind, owner, zone, and labels of your
    choice), C(ringfence_sources), and everything else under C(ringfence_kubernetes), which I(compose), I(groups) and
    I(keyed_groups) also see under its short names, C(tags), C(namespace), C(owner).
  - Pods and services have C(ringfence_workload=false); nodes are workloads. A pod in its node's network has no
    addresses. Completed pods are left out.
  - Annotations, environments, commands, and labels whose names suggest a secret are never used.
  - A kind or a cluster that cannot be read is counted and named in a warning; the rest is used.
author:
  - The Ringfence developers
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
  - ringfence.core.source.pages
  - ringfence.core.source.parallel
  - ringfence.core.source.realm
  - ringfence.core.source.timeout
  - ringfence.core.source.windows
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.kubernetes]
  kubeconfig:
    description:
      - The kubeconfig file, or several separated by C(:). If several define the same name, the first one is used.
        Credential commands are run as kubectl runs them.
    type: pathspec
    default: ~/.kube/config
    env:
      - name: KUBECONFIG
  contexts:
    description: The contexts to query, each a cluster. The default is the current context.
    type: list
    elements: str
    default: []
  kinds:
    description: The kinds of objects to read.
    type: list
    elements: str
    choices: [pods, nodes, services]
    default: [pods, nodes, services]
  namespaces:
    description: Only these namespaces, each queried separately. The default is all, which needs permission to list all
      namespaces.
    type: list
    elements: str
    default: []
  label_selector:
    description: Which pods to read, as a label selector of the API, such as C(app=shop,tier!=test).
    type: str
    default: ''
  field_selector:
    description: Which pods to read, as a field selector, such as C(status.phase=Running).
    type: str
    default: ''
  labels:
    description: Labels from Kubernetes labels, as a mapping of label keys to Kubernetes labels.
    type: dict
    default: {}
  label_prefix:
    description: The prefix of the keys of all other labels.
    type: str
    default: kube_
  realm:
    description:
      - The address space of pods and services. With C(cluster) it is C(kube-CLUSTER), because other clusters may use
        the same addresses. With C(none) it is the default one, for clusters whose pods can be reached from outside.
    type: str
    choices: [cluster, none]
    default: cluster
"""

EXAMPLES = r"""
# inventory/60-kubernetes.yml: the current context of ~/.kube/config
plugin: ringfence.core.kubernetes
---
# pods and services of a namespace in two clusters, labels from labels
plugin: ringfence.core.kubernetes
kubeconfig: /etc/ringfence/kubeconfig
contexts: [fra, ber]
kinds: [pods, services]
namespaces: [shop]
label_selector: app.kubernetes.io/part-of=shop
labels:
  app: app.kubernetes.io/part-of
  role: app.kubernetes.io/component
keyed_groups:
  - key: namespace
    prefix: ns
cache: true
"""

import re
from pathlib import Path

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found, SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.access import Kubeconfig
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.api import Wanted, ask_clusters
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.transform import Shape, hosts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import text_by_name

# RFC 1123 names, as Kubernetes has them for namespaces.
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class InventoryModule(SourceInventory):
    """Adds what clusters have to the inventory."""

    NAME = "ringfence.core.kubernetes"
    FACT = "ringfence_kubernetes"

    def ask(self, path: str) -> Found:
        """Return what the clusters have."""
        wrong = [name for name in self.get_option("namespaces") if not _NAMESPACE.fullmatch(name)]
        if wrong:
            raise SourceRefused(f"'{wrong[0]}' is not a valid namespace name")
        kubeconfig = Kubeconfig([Path(path) for path in self.get_option("kubeconfig")])
        wanted = self.from_options(Wanted, contexts=kubeconfig.contexts(self.get_option("contexts")))
        shape = self.from_options(Shape, labels=text_by_name(self.get_option("labels")))
        return hosts(ask_clusters(kubeconfig, wanted), shape)

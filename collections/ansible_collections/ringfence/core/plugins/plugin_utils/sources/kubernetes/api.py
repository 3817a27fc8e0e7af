"""Asks clusters for pods, nodes and services, page by page, over the API of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.json_over_http import JsonClient, NoAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.kubernetes.access import AccessRefused, Kubeconfig

Thing = Mapping[str, object]
NODES = "nodes"
_MOST_PAGES = 100_000


@dataclass(frozen=True)
class Wanted:
    """What to ask of every cluster: kinds, namespaces (none: all), selectors as the API has them."""

    contexts: Sequence[str]
    kinds: Sequence[str] = ("pods", "nodes", "services")
    namespaces: Sequence[str] = ()
    label_selector: str = ""
    field_selector: str = ""
    page_size: int = 500
    timeout: int = 30
    parallel: int = 8


@dataclass
class ClusterAnswer:
    """What a cluster has, by kind, and why a kind or the cluster was not read, or not wholly.

    `namespaces` are those of a kind that failed where each is asked by itself; the others of the kind are whole.
    """

    cluster: str
    things: dict[str, list[Thing]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    namespaces: dict[tuple[str, str], str] = field(default_factory=dict)


def ask_clusters(kubeconfig: Kubeconfig, wanted: Wanted) -> list[ClusterAnswer]:
    """Return the answer of every context, in their order."""
    with ThreadPoolExecutor(max_workers=max(1, wanted.parallel)) as pool:
        return list(pool.map(lambda context: _ask(kubeconfig, context, wanted), wanted.contexts))


def _ask(kubeconfig: Kubeconfig, context: str, wanted: Wanted) -> ClusterAnswer:
    answer = ClusterAnswer(context)
    try:
        with kubeconfig.endpoint(context, wanted.timeout) as endpoint, JsonClient(endpoint) as client:
            for kind in wanted.kinds:
                for namespace, path in _paths(kind, wanted.namespaces):
                    _read(client, kind, namespace, path, wanted, answer)
    except (AccessRefused, SourceRefused) as error:
        answer.failures = dict.fromkeys(wanted.kinds, str(error))
        answer.namespaces = {}
    return answer


def _paths(kind: str, namespaces: Sequence[str]) -> list[tuple[str, str]]:
    """Return the namespaces that are asked for a kind, each with its path; nodes belong to none, which is ''."""
    if kind == NODES or not namespaces:
        return [("", f"api/v1/{kind}")]
    return [(namespace, f"api/v1/namespaces/{namespace}/{kind}") for namespace in namespaces]


def _read(client: JsonClient, kind: str, namespace: str, path: str, wanted: Wanted, answer: ClusterAnswer) -> None:
    kept = answer.things.setdefault(kind, [])
    try:
        for thing in _things(client, kind, path, wanted):
            kept.append(thing)
    except NoAnswer as error:
        if namespace:
            answer.namespaces[kind, namespace] = str(error)
        # Of several namespaces each says for itself why it may not be read.
        answer.failures[kind] = "; ".join(filter(None, (answer.failures.get(kind), str(error))))


def _things(client: JsonClient, kind: str, path: str, wanted: Wanted) -> Iterator[Thing]:
    query = [("limit", str(wanted.page_size))]
    if kind == "pods":
        # Selectors are for pods: a node or a service has other labels and fields.
        query += [("labelSelector", wanted.label_selector)] if wanted.label_selector else []
        query += [("fieldSelector", wanted.field_selector)] if wanted.field_selector else []
    following = ""
    for _ in range(_MOST_PAGES):
        page = client.get(path, [*query, ("continue", following)] if following else query)
        items = page.get("items")
        if not isinstance(items, list):
            raise NoAnswer(f"{path}: the answer has no items")
        yield from (item for item in items if isinstance(item, dict))
        metadata = page.get("metadata")
        before, following = following, str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
        if not following:
            return
        if following == before:
            raise NoAnswer(f"{path}: its pages do not end")

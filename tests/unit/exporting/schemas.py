"""The shapes that an API server takes, of ClusterNetworkPolicy (its CRD, v0.1.7, standard) and NetworkPolicy.

Written down from both documents, with `additionalProperties` off, since a server drops or refuses what is unknown.
"""

from __future__ import annotations

from typing import Any


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def _list(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


TEXT = {"type": "string"}
FEW = {"minItems": 1, "maxItems": 25}
ONE = {"minProperties": 1, "maxProperties": 1}
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
TEXTS = {"type": "object", "additionalProperties": TEXT}
NAME = {"type": "string", "maxLength": 253, "pattern": r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"}
META = _object(("name", "labels"), name=NAME, labels=TEXTS, annotations=TEXTS)
EXPRESSION = _object(
    ("key", "operator"),
    key=TEXT,
    operator={"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
    values=_list(TEXT, minItems=1),
)
SELECTOR = _object((), matchLabels=TEXTS, matchExpressions=_list(EXPRESSION))
PODS = _object(("podSelector",), namespaceSelector=SELECTOR, podSelector=SELECTOR)
RANGE = _object(("start", "end"), start=PORT, end=PORT)
PROTOCOL = _object(("destinationPort",), destinationPort={**_object((), number=PORT, range=RANGE), **ONE})
PROTOCOLS = _list({**_object((), tcp=PROTOCOL, udp=PROTOCOL, sctp=PROTOCOL), **ONE}, **FEW)


def _entry(word: str, peer: dict[str, Any]) -> dict[str, Any]:
    named = {"type": "string", "maxLength": 100}
    action = {"enum": ["Accept", "Deny", "Pass"]}
    return _object(("action", word), name=named, action=action, protocols=PROTOCOLS, **{word: _list(peer, **FEW)})


NETWORKS = _list({"type": "string", "maxLength": 43, "pattern": "/"}, uniqueItems=True, **FEW)
CLUSTER_POLICY = _object(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "policy.networking.k8s.io/v1alpha2"},
    kind={"const": "ClusterNetworkPolicy"},
    metadata=META,
    spec=_object(
        ("tier", "priority", "subject"),
        tier={"enum": ["Admin", "Baseline"]},
        priority={"type": "integer", "minimum": 0, "maximum": 1000},
        subject={**_object((), namespaces=SELECTOR, pods=PODS), **ONE},
        ingress=_list(_entry("from", {**_object((), namespaces=SELECTOR, pods=PODS), **ONE}), maxItems=25),
        egress=_list(
            _entry("to", {**_object((), namespaces=SELECTOR, pods=PODS, networks=NETWORKS), **ONE}), maxItems=25
        ),
    ),
)
NETWORK_PORT = _object((), protocol={"enum": ["TCP", "UDP", "SCTP"]}, port=PORT, endPort=PORT)
BLOCK = _object(("cidr",), cidr={"type": "string", "pattern": "/"}, **{"except": _list(TEXT)})
NETWORK_PEER = _object((), podSelector=SELECTOR, namespaceSelector=SELECTOR, ipBlock=BLOCK)
NETWORK_POLICY = _object(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "networking.k8s.io/v1"},
    kind={"const": "NetworkPolicy"},
    metadata={**META, "required": ["name", "namespace"], "properties": {**META["properties"], "namespace": NAME}},
    spec=_object(
        ("podSelector",),
        podSelector=SELECTOR,
        policyTypes=_list({"enum": ["Ingress", "Egress"]}),
        ingress=_list(_object((), ports=_list(NETWORK_PORT), **{"from": _list(NETWORK_PEER)})),
        egress=_list(_object((), ports=_list(NETWORK_PORT), to=_list(NETWORK_PEER))),
    ),
)
BY_KIND = {"ClusterNetworkPolicy": CLUSTER_POLICY, "NetworkPolicy": NETWORK_POLICY}

"""Reads the two large answers of EC2 faster: the same values as botocore's parser gives, but only the members we use.

botocore walks every element of an answer in Python and looks up its shape anew each time; for thousands of instances
that costs more than everything else. The event `before-parse` hands the body over first: what is wanted is picked by
the shapes of botocore's own service model, and botocore is left an answer without the long list. Errors, and all other
operations, are botocore's as ever; where a version does not emit the event, it parses the whole answer itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

Pick = Callable[[ElementTree.Element], Any]

_ADDRESSES: dict[str, Any] = {
    "PrivateIpAddresses": {"PrivateIpAddress": {}, "Association": {"PublicIp": {}, "CarrierIp": {}}},
    "Ipv6Addresses": {"Ipv6Address": {}},
    "Ipv4Prefixes": {"Ipv4Prefix": {}},
    "Ipv6Prefixes": {"Ipv6Prefix": {}},
    "Groups": {"GroupId": {}, "GroupName": {}},
    "MacAddress": {},
    "NetworkInterfaceId": {},
    "Description": {},
    "InterfaceType": {},
    "SubnetId": {},
    "VpcId": {},
}
_INSTANCE: dict[str, Any] = {
    "InstanceId": {},
    "ImageId": {},
    "InstanceType": {},
    "Platform": {},
    "State": {"Name": {}},
    "Placement": {"AvailabilityZone": {}},
    "IamInstanceProfile": {"Arn": {}},
    "NetworkInterfaces": _ADDRESSES,
    "SecurityGroups": {"GroupId": {}, "GroupName": {}},
    "Tags": {"Key": {}, "Value": {}},
    "PrivateIpAddress": {},
    "PublicIpAddress": {},
    "Ipv6Address": {},
    "PrivateDnsName": {},
    "PublicDnsName": {},
    "SubnetId": {},
    "VpcId": {},
}
_INTERFACE: dict[str, Any] = {
    **_ADDRESSES,
    "Attachment": {"InstanceId": {}, "InstanceOwnerId": {}},
    "AvailabilityZone": {},
    "RequesterId": {},
    "RequesterManaged": {},
    "Status": {},
    "TagSet": {"Key": {}, "Value": {}},
}
# For each operation: the members of its answer that are wanted; an empty mapping wants a whole value.
WANTED: dict[str, dict[str, Any]] = {
    "DescribeInstances": {"NextToken": {}, "Reservations": {"OwnerId": {}, "Instances": _INSTANCE}},
    "DescribeNetworkInterfaces": {"NextToken": {}, "NetworkInterfaces": _INTERFACE},
}
_EMPTY = b"<answer/>"


def quicken(client: Any) -> None:
    """Let an EC2 client of boto3 read the operations of `WANTED` in this way."""
    picks: dict[tuple[str, str], Pick] = {}

    def read(operation_model: Any, response_dict: dict, customized_response_dict: dict, **_: Any) -> None:
        if response_dict["status_code"] >= 300:
            return
        root = ElementTree.fromstring(response_dict["body"])  # noqa: S314 - expat as botocore uses it, without entities
        namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        key = (operation_model.name, namespace)
        _leave_out_attached(root, namespace)
        if key not in picks:
            picks[key] = picker(operation_model.output_shape, WANTED[operation_model.name], namespace)
        customized_response_dict.update(picks[key](root))
        response_dict["body"] = _EMPTY

    for operation in WANTED:
        client.meta.events.register(f"before-parse.ec2.{operation}", read)


def _leave_out_attached(root: ElementTree.Element, namespace: str) -> None:
    """Take interfaces of instances off an answer: DescribeInstances has told them already."""
    listed = root.find(f"{namespace}networkInterfaceSet")
    if listed is not None:
        path = f"{namespace}attachment/{namespace}instanceId"
        listed[:] = [item for item in listed if item.find(path) is None]


def picker(shape: Any, wanted: Mapping[str, Any], namespace: str) -> Pick:
    """Return what turns an element into the value of a shape of botocore, with the wanted members only."""
    if shape.type_name == "list":
        item = picker(shape.member, wanted, namespace)
        return lambda node: [item(child) for child in node]
    if shape.type_name != "structure":
        return _SCALARS.get(shape.type_name, _text)
    steps = {}
    for name, inner in wanted.items():
        member = shape.members.get(name)
        if member is not None:
            tag = namespace + member.serialization.get("name", name)
            steps[tag] = (name, picker(member, inner, namespace))

    def structure(node: ElementTree.Element) -> dict[str, Any]:
        found = {}
        for child in node:
            step = steps.get(child.tag)
            if step is not None:
                found[step[0]] = step[1](child)
        return found

    return structure


def _text(node: ElementTree.Element) -> str:
    return node.text or ""


_SCALARS: dict[str, Pick] = {
    "boolean": lambda node: node.text == "true",
    "integer": lambda node: int(node.text or 0),
}

"""The fields of flow logs of AWS VPCs and transit gateways, and the format that a header or a user names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from ringfence.flows.records import clean_text
from ringfence.model.errors import InputError, Place

# https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html, by the version that brought them.
VERSION_2 = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets"),
    *("bytes", "start", "end", "action", "log-status"),
)
ECS = (
    *("ecs-cluster-arn", "ecs-cluster-name", "ecs-container-instance-arn", "ecs-container-instance-id"),
    *("ecs-container-id", "ecs-second-container-id", "ecs-service-name", "ecs-task-definition-arn", "ecs-task-arn"),
    "ecs-task-id",
)
LOST = ("packets-lost-no-route", "packets-lost-blackhole", "packets-lost-mtu-exceeded", "packets-lost-ttl-expired")
FIELDS = (
    *VERSION_2,
    *("vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"),
    *("region", "az-id", "sublocation-type", "sublocation-id"),
    *("pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"),
    *ECS,
    *("reject-reason", "resource-id", "encryption-status"),
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html
    *("resource-type", "tgw-id", "tgw-attachment-id", "tgw-src-vpc-account-id", "tgw-dst-vpc-account-id"),
    *("tgw-src-vpc-id", "tgw-dst-vpc-id", "tgw-src-subnet-id", "tgw-dst-subnet-id", "tgw-src-eni", "tgw-dst-eni"),
    *("tgw-src-az-id", "tgw-dst-az-id", "tgw-pair-attachment-id", *LOST),
)
ATTRIBUTES = (*ECS, "reject-reason")


def format_of(text: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of fields in a header, in `--fields`, or as AWS writes a format: `${srcaddr} ${dstaddr}`.

    Parquet files and some programs write `_` for `-`, Terraform `$$` for `$`, and CSV has quotes.
    """
    words = re.split(r"[\s,\"]+", text.strip(' \t\r\n,"')) if isinstance(text, str) else text
    return tuple(clean_text(word.lstrip("$").strip("{}").lower().replace("_", "-")) for word in words)


def check_fields(fields: Sequence[str], place: Place | None = None) -> list[str]:
    """Return what to say of unknown fields. Raise InputError where no flow can be made of the known ones."""
    twice = sorted({name for name in fields if fields.count(name) > 1})
    if twice:
        raise InputError(f"the fields name {', '.join(twice)} more than once", place)
    missing = [name for name in ("srcport", "dstport", "protocol") if name not in fields]
    missing += [name for name in ("srcaddr", "dstaddr") if name not in fields and f"pkt-{name}" not in fields]
    if missing:
        raise InputError(
            f"the fields lack {', '.join(missing)}: without them no row tells of a flow",
            place,
            "add them to the flow log's format; a file without header takes --fields",
        )
    return [
        f"the field '{name}' is not known and is not read"
        + (f": did you mean '{near[0]}'?" if (near := get_close_matches(name, FIELDS, 1)) else "")
        for name in fields
        if name not in FIELDS
    ]

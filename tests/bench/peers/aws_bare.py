"""What bare boto3 takes to read instances and interfaces: the arguments are the address of the server and regions."""

from __future__ import annotations

import sys

import boto3

PAGE = {"PageSize": 1000}


def main(url: str, regions: list[str]) -> None:
    """Read everything and print how many there are."""
    instances = interfaces = 0
    for region in regions:
        client = boto3.client("ec2", region_name=region, endpoint_url=url)
        for page in client.get_paginator("describe_instances").paginate(PaginationConfig=PAGE):
            instances += sum(len(reservation["Instances"]) for reservation in page["Reservations"])
        for page in client.get_paginator("describe_network_interfaces").paginate(PaginationConfig=PAGE):
            interfaces += len(page["NetworkInterfaces"])
    print(instances, interfaces)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""Small good answers of every source as its reader hands them over, two objects of each kind at least."""

from __future__ import annotations

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.netbox import api as netbox_api

AWS = {
    "instances": [
        {
            "OwnerId": "1",
            "Instances": [
                {
                    "InstanceId": f"i-0000000{n}",
                    "State": {"Name": "running"},
                    "Placement": {"AvailabilityZone": "eu-west-1a"},
                    "IamInstanceProfile": {"Arn": "arn:aws:iam::1:x"},
                    "PrivateIpAddress": f"10.0.0.{n}",
                    "SubnetId": "s-1",
                    "VpcId": "vpc-1",
                    "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "web"}],
                    "Tags": [{"Key": "Name", "Value": f"web-{n}"}],
                    "NetworkInterfaces": [
                        {
                            "NetworkInterfaceId": f"eni-{n}",
                            "MacAddress": "02:00:00:00:00:01",
                            "PrivateIpAddresses": [
                                {"PrivateIpAddress": f"10.0.0.{n}", "Association": {"PublicIp": f"198.51.100.{n}"}}
                            ],
                            "Ipv6Addresses": [{"Ipv6Address": f"2001:db8::{n}"}],
                            "Ipv4Prefixes": [{"Ipv4Prefix": "10.7.0.0/28"}],
                        }
                    ],
                }
            ],
        }
        for n in (1, 2)
    ],
    "interfaces": [
        {
            "NetworkInterfaceId": f"eni-{n}",
            "Description": text,
            "RequesterManaged": True,
            "InterfaceType": "interface",
            "RequesterId": "amazon-elb",
            "PrivateIpAddresses": [{"PrivateIpAddress": f"10.0.1.{n}", "Association": {"PublicIp": f"203.0.113.{n}"}}],
            "Groups": [{"GroupId": "sg-1", "GroupName": "web"}],
            "TagSet": [{"Key": "a", "Value": "b"}],
            "VpcId": "vpc-1",
            "SubnetId": "s-1",
            "AvailabilityZone": "eu-west-1a",
            "Status": "in-use",
        }
        for n, text in ((11, "ELB app/shop/0123456789abcdef"), (12, "ELB app/front/0123456789abcdef"))
    ],
    "nat_gateways": [{"NatGatewayId": "nat-1", "NatGatewayAddresses": [{"NetworkInterfaceId": "eni-77"}], "Tags": []}],
    "endpoints": [{"VpcEndpointId": "vpce-1", "NetworkInterfaceIds": ["eni-78"], "ServiceName": "s3", "Tags": []}],
    "databases": [
        {
            "DBInstanceIdentifier": "shop",
            "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}],
            "DBSubnetGroup": {"VpcId": "vpc-1"},
            "AvailabilityZone": "eu-west-1a",
        }
    ],
    "vpcs": [{"VpcId": f"vpc-{n}", "CidrBlock": f"10.{n}.0.0/16", "Tags": [{"Key": "a"}]} for n in (1, 2)],
    "subnets": [{"SubnetId": "s-1", "VpcId": "vpc-1", "CidrBlock": "10.1.0.0/24"}],
    "peerings": [
        {
            "VpcPeeringConnectionId": "pcx-1",
            "RequesterVpcInfo": {"VpcId": "vpc-1"},
            "AccepterVpcInfo": {"VpcId": "vpc-2"},
            "Status": {"Code": "active"},
        }
    ],
}
KUBERNETES = {
    "pods": [
        {
            "metadata": {
                "name": f"web-{n}",
                "namespace": "shop",
                "uid": f"u-{n}",
                "labels": {"app": "shop", "pod-template-hash": "5d4"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d4", "controller": True}],
            },
            "spec": {"nodeName": "node-1", "containers": [{"ports": [{"containerPort": 80, "protocol": "TCP"}]}]},
            "status": {"phase": "Running", "podIP": f"10.244.0.{n}", "podIPs": [{"ip": f"10.244.0.{n}"}]},
        }
        for n in (1, 2)
    ],
    "nodes": [
        {
            "metadata": {"name": f"node-{n}", "uid": f"n-{n}", "labels": {"topology.kubernetes.io/zone": "a"}},
            "spec": {"providerID": "aws:///eu-west-1a/i-0123456789abcdef0", "podCIDRs": ["10.244.0.0/24"]},
            "status": {
                "addresses": [{"type": "InternalIP", "address": f"10.0.0.{n}"}, {"type": "Hostname", "address": "x"}],
                "nodeInfo": {"systemUUID": "EC2", "osImage": "Debian", "operatingSystem": "linux"},
            },
        }
        for n in (1, 2)
    ],
    "services": [
        {
            "metadata": {"name": f"web-{n}", "namespace": "shop", "uid": f"s-{n}"},
            "spec": {
                "type": "LoadBalancer",
                "selector": {"app": "shop"},
                "clusterIPs": [f"10.96.0.{n}"],
                "externalIPs": [],
                "ports": [{"port": 443, "protocol": "TCP", "targetPort": "https", "nodePort": 30443}],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": f"192.0.2.{n}", "hostname": "lb.example"}]}},
        }
        for n in (1, 2)
    ],
}
NETBOX = {
    netbox_api.DEVICES: [
        {
            "id": 100 + n,
            "name": f"db-{n}",
            "role": {"slug": "server"},
            "site": {"slug": "fra"},
            "platform": {"slug": "debian"},
            "status": {"value": "active"},
            "device_type": {"model": "R640", "manufacturer": {"slug": "dell"}},
            "primary_ip": {"address": f"10.0.0.{n}/24"},
            "oob_ip": {"address": f"10.200.0.{n}/24"},
            "tags": [{"slug": "pci"}],
            "custom_fields": {"pci": True},
            "serial": "S1",
        }
        for n in (1, 2)
    ],
    netbox_api.MACHINES: [{"id": 100 + n, "name": f"vm-{n}", "cluster": {"slug": "pve"}} for n in (1, 2)],
    netbox_api.ADDRESSES: [
        {
            "id": 1,
            "address": "10.0.0.9/24",
            "status": {"value": "active"},
            "vrf": {"name": "10-blue"},
            "dns_name": "a.example.com",
            "assigned_object": {"id": 900, "name": "eth0", "device": {"id": 101}},
        }
    ],
    netbox_api.INTERFACES: [
        {
            "id": 900,
            "name": "eth0",
            "mac_address": "00:11:22:33:44:55",
            "mac_addresses": [{"mac_address": "00:11:22:33:44:66"}],
            "mgmt_only": False,
            "device": {"id": 101},
        }
    ],
}
PROXMOX = {
    "guests": [
        {
            "row": {
                "vmid": 100 + n,
                "name": f"web-{n}",
                "type": "qemu",
                "node": "pve1",
                "status": "running",
                "tags": "a;b",
            },
            "configuration": {
                "ostype": "l26",
                "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=12",
                "smbios1": "uuid=x",
            },
            "interfaces": [
                {
                    "name": "eth0",
                    "hardware-address": "bc:24:11:00:00:01",
                    "ip-addresses": [{"ip-address": f"10.0.0.{n}"}],
                }
            ],
        }
        for n in (1, 2)
    ],
    "nodes": [{"type": "node", "name": f"pve{n}", "ip": f"10.9.0.{n}", "online": 1} for n in (1, 2)],
}
CONTAINERS = {
    "containers": [
        {
            "Id": f"{n}" * 64,
            "Names": [f"/web-{n}"],
            "Image": "nginx",
            "State": "running",
            "Labels": {"com.docker.compose.project": "shop"},
            "Ports": [{"PrivatePort": 80, "Type": "tcp", "PublicPort": 8080, "IP": "0.0.0.0"}],
            "NetworkSettings": {
                "Networks": {"shop": {"IPAddress": f"172.20.0.{n}", "MacAddress": "02:42:ac:14:00:02"}}
            },
        }
        for n in (1, 2)
    ],
}
HYPERV = {
    "machines": [
        {
            "name": f"web-{n}",
            "id": f"ID-{n}",
            "bios": "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}",
            "state": "Running",
            "generation": 2,
            "groups": ["shop"],
            "guest": ['<I><PROPERTY NAME="Name"><VALUE>OSName</VALUE></PROPERTY></I>'],
            "adapters": [{"name": "n", "mac": "00155D010203", "switch": "s", "vlan": 1, "addresses": [f"10.0.0.{n}"]}],
        }
        for n in (1, 2)
    ],
}
VSPHERE = {
    "things": [
        {
            "id": f"vm-{n}",
            "properties": {
                "name": f"web-{n}",
                "parent": "group-1",
                "resourcePool": "pool-1",
                "runtime.host": "host-1",
                "runtime.powerState": "poweredOn",
                "config.uuid": "u",
                "config.guestId": "debian12_64Guest",
                "guest.hostName": "web",
                "guest.ipAddress": f"10.0.0.{n}",
                "guest.net": [
                    {"mac": "00:50:56:00:00:01", "network": "n", "addresses": [f"10.0.0.{n}"], "inner": None}
                ],
                "customValue": {1: "x"},
                "config.hardware.device": ["00:50:56:00:00:01"],
            },
        }
        for n in (1, 2)
    ],
}

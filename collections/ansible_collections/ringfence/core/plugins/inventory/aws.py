"""The inventory plugin ringfence.core.aws: instances and everything else with an address in AWS."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: aws
short_description: Instances and every other network interface of AWS accounts
version_added: 0.1.0
description:
  - Reads EC2 instances of many accounts and regions in parallel. Load balancers, databases, functions, EKS control
    planes, endpoints, NAT gateways and everything else with a network interface become separate assets.
  - Each host gets C(ringfence_addresses) (private and public, IPv4 and IPv6), C(ringfence_labels) (account, region,
    zone, VPC, subnet, autoscaling group, CloudFormation stack, EKS cluster), C(ringfence_sources), and everything else
    under C(ringfence_aws), which I(compose), I(groups) and I(keyed_groups) also see as C(tags), C(region) and so on.
  - Everything except instances has C(ringfence_workload=false). Windows instances have C(ringfence_enforcer=windows).
  - The group C(ringfence_aws_networks) has no hosts. Its variable of the same name has the VPCs, subnets, security
    groups, peerings and managed prefix lists, and the C(realms) suggested by peerings.
  - A region, an account or a call that fails is counted and named in a warning; the rest is used.
author:
  - The Ringfence developers
requirements:
  - The Python package C(boto3), 1.34 or newer, in the Python that runs Ansible (C(pip install 'ringfence[aws]')).
notes:
  - Credentials are found as by the AWS CLI and boto3, in the environment, a profile, or the role of the machine.
  - It calls C(sts:GetCallerIdentity), C(sts:AssumeRole), C(organizations:ListAccounts), and of EC2 C(DescribeRegions),
    C(DescribeInstances), C(DescribeNetworkInterfaces), C(DescribeVpcs), C(DescribeSubnets), C(DescribeSecurityGroups),
    C(DescribeVpcPeeringConnections), C(DescribeManagedPrefixLists), C(GetManagedPrefixListEntries),
    C(DescribeVpcEndpoints) and C(DescribeNatGateways), and, if there are databases, C(rds:DescribeDBInstances). None of
    these calls changes anything.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
  - ringfence.core.source
  - ringfence.core.source.names
  - ringfence.core.source.realm
  - ringfence.core.source.parallel
  - ringfence.core.source.timeout
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.aws]
  profile:
    description: The profile of the AWS configuration that provides the credentials.
    type: str
  endpoint_url:
    description: The URL for all calls, instead of AWS's own endpoints.
    type: str
  regions:
    description: The regions to read. The default is all regions enabled in the account.
    type: list
    elements: str
    default: []
  accounts:
    description:
      - The accounts to read, each by its 12 digits (in quotes), or by the ARN of the role to assume there.
      - The default is the account of the credentials, which is read without a role.
    type: list
    elements: str
    default: []
  organization:
    description: Whether to read all active accounts of the AWS Organization.
    type: bool
    default: false
  exclude_accounts:
    description: Accounts to leave out, by their 12 digits (in quotes).
    type: list
    elements: str
    default: []
  role:
    description: The role to assume in accounts given by number, including its path if it has one.
    type: str
    default: OrganizationAccountAccessRole
  external_id:
    description: The external ID that the roles require.
    type: str
  filters:
    description:
      - Filters of C(DescribeInstances), as a mapping of names to a value or a list; AWS applies them.
      - Terminated instances, which AWS still returns for an hour, are always left out.
    type: dict
    default: {}
  interface_filters:
    description: Filters of C(DescribeNetworkInterfaces) for interfaces that do not belong to instances.
    type: dict
    default: {}
  interfaces:
    description: Whether network interfaces that do not belong to instances become assets.
    type: bool
    default: true
  networks:
    description: Whether to read VPCs, subnets, security groups, peerings and prefix lists.
    type: bool
    default: true
  names:
    description:
      - The sources of an instance's name; the first available one is used. C(tag:KEY) is the value of a tag; others are
        C(id), C(private_dns), C(public_dns), C(private) and C(public).
    type: list
    elements: str
    default: ['tag:Name', id]
  realm:
    description:
      - The address space of the addresses. With C(vpc) each VPC is a separate realm, so that two VPCs may have the same
        addresses.
    type: str
    choices: [none, vpc]
    default: none
  label_prefix:
    description: The prefix of the label keys.
    type: str
    default: aws_
  reach_by:
    description: The sources of an instance's C(ansible_host); the first available one is used.
    type: list
    elements: str
    choices: [private, public, ipv6, private_dns, public_dns]
    default: [private, public, ipv6]
  connection:
    description: How Ansible connects to Linux instances. C(ssm) sets the variables of C(amazon.aws.aws_ssm).
    type: str
    choices: [ssh, ssm]
    default: ssh
  windows_connection:
    description: How Ansible connects to Windows instances.
    type: str
    choices: [psrp, winrm, ssh, ssm]
    default: psrp
  ssm_bucket:
    description: The S3 bucket through which C(amazon.aws.aws_ssm) sends files.
    type: str
  retries:
    description: How often to retry a call that was throttled or failed in transit, in botocore's adaptive mode.
    type: int
    default: 8
"""

EXAMPLES = r"""
# inventory/10-aws.yml, as short as it can be: every enabled region of the account of the credentials
plugin: ringfence.core.aws
---
# all accounts of the Organization, two regions, production only; groups by tag
plugin: ringfence.core.aws
organization: true
role: ringfence-reader
regions: [eu-central-1, eu-west-1]
filters:
  tag:Environment: [production, prod]
  instance-state-name: running
keyed_groups:
  - key: tags.Application
    prefix: app
groups:
  from_autoscaling: ringfence_aws.asg is defined
compose:
  ansible_user: "'ec2-user' if ringfence_aws.platform == 'linux' else 'Administrator'"
---
# networks that overlap, each VPC a realm; nothing listens, so Ansible comes through Systems Manager
plugin: ringfence.core.aws
accounts: ["111122223333", "arn:aws:iam::444455556666:role/audit/ringfence"]
realm: vpc
connection: ssm
windows_connection: ssm
ssm_bucket: ansible-transfer
cache: true
"""

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.api import BOTO3_MISSING, Wanted, ask_aws
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.transform import Shape, hosts
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import Found
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.inventory import SourceInventory
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.library_needed import Library
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.option_texts import texts, texts_by_name


class InventoryModule(SourceInventory):
    """Adds what has addresses in AWS to the inventory."""

    NAME = "ringfence.core.aws"
    FACT = "ringfence_aws"
    LIBRARY = Library(BOTO3_MISSING, "aws")

    def ask(self, path: str) -> Found:
        """Return what the accounts and regions have."""
        wanted = self.from_options(
            Wanted,
            **{name: tuple(texts(self.get_option(name))) for name in ("regions", "accounts", "exclude_accounts")},
            **{name: texts_by_name(self.get_option(name)) for name in ("filters", "interface_filters")},
        )
        answers, failures = ask_aws(wanted)
        return hosts(answers, failures, self.from_options(Shape))

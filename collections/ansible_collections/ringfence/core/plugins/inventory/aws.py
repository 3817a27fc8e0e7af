"""The inventory plugin ringfence.core.aws: instances and everything else with an address in AWS."""

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: aws
short_description: Instances and every other network interface of AWS accounts
description:
  - Reads EC2 instances, and as assets of their own the load balancers, databases, functions, EKS control planes,
    endpoints, NAT gateways and whatever else has a network interface, of many accounts and regions in parallel.
  - Each host gets C(ringfence_addresses) (private and public, IPv4 and IPv6), C(ringfence_labels) (account, region,
    zone, VPC, subnet, autoscaling group, CloudFormation stack, EKS cluster), C(ringfence_sources), and everything else
    under C(ringfence_aws), which I(compose), I(groups) and I(keyed_groups) also see as C(tags), C(region) and so on.
  - What is no instance has C(ringfence_workload=false). Windows instances have C(ringfence_enforcer=windows).
  - The group C(ringfence_aws_networks) has no hosts. Its variable of the same name has the VPCs, subnets, security
    groups, peerings and managed prefix lists, and the C(realms) that peerings suggest.
  - A region, an account or a call that fails is named in a warning and counted; the rest goes on.
  - The values of AWS are never evaluated as templates, and no credentials become variables of hosts.
author:
  - The Ringfence developers
requirements:
  - The Python package C(boto3), 1.34 or newer, in the Python that runs Ansible (C(pip install 'ringfence[aws]')).
notes:
  - Credentials are those of the AWS CLI and boto3, from the environment, a profile, or the role of the machine.
  - It calls C(sts:GetCallerIdentity), C(sts:AssumeRole), C(organizations:ListAccounts), and of EC2 C(DescribeRegions),
    C(DescribeInstances), C(DescribeNetworkInterfaces), C(DescribeVpcs), C(DescribeSubnets), C(DescribeSecurityGroups),
    C(DescribeVpcPeeringConnections), C(DescribeManagedPrefixLists), C(GetManagedPrefixListEntries),
    C(DescribeVpcEndpoints) and C(DescribeNatGateways), and where there are databases C(rds:DescribeDBInstances); none
    of them changes anything.
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Marks a file as configuration of this plugin.
    type: str
    required: true
    choices: [ringfence.core.aws]
  profile:
    description: The profile of the AWS configuration whose credentials are used.
    type: str
  endpoint_url:
    description: Where all calls go, in place of AWS's own endpoints.
    type: str
  regions:
    description: The regions to read. By default all that the account has enabled.
    type: list
    elements: str
    default: []
  accounts:
    description:
      - The accounts to read, each by its 12 digits (in quotes), or by the ARN of the role to assume there.
      - By default the account of the credentials. That account is read without a role.
    type: list
    elements: str
    default: []
  organization:
    description: Whether all active accounts of the AWS Organization are read.
    type: bool
    default: false
  exclude_accounts:
    description: Accounts to leave out, by their 12 digits (in quotes).
    type: list
    elements: str
    default: []
  role:
    description: The role to assume in accounts that are given by number, with its path where it has one.
    type: str
    default: OrganizationAccountAccessRole
  external_id:
    description: The external id that the roles ask for.
    type: str
  filters:
    description:
      - Filters of C(DescribeInstances), as a mapping of names to a value or a list; AWS applies them.
      - Terminated instances, which AWS still tells of for an hour, are always left out.
    type: dict
    default: {}
  interface_filters:
    description: Filters of C(DescribeNetworkInterfaces) for what is no instance.
    type: dict
    default: {}
  interfaces:
    description: Whether network interfaces of what is no instance become assets.
    type: bool
    default: true
  networks:
    description: Whether VPCs, subnets, security groups, peerings and prefix lists are read.
    type: bool
    default: true
  names:
    description:
      - What names an instance, the first that it has. C(tag:KEY) is the value of a tag; others are C(id),
        C(private_dns), C(public_dns), C(private) and C(public).
      - Instances that share a name all get their id behind it. Other characters than letters, digits, C(_), C(.) and
        C(-) become C(_).
    type: list
    elements: str
    default: ['tag:Name', id]
  realm:
    description:
      - Whose address space the addresses are in. With C(vpc) each VPC is a realm of its own, so that two VPCs may have
        the same addresses; C(realms) in C(ringfence.yml) then says which see each other.
    type: str
    choices: [none, vpc]
    default: none
  label_prefix:
    description: What the keys of the labels begin with.
    type: str
    default: aws_
  reach_by:
    description: What C(ansible_host) of an instance is, the first that it has.
    type: list
    elements: str
    choices: [private, public, ipv6, private_dns, public_dns]
    default: [private, public, ipv6]
  connection:
    description: How Ansible reaches Linux instances. C(ssm) sets the variables of C(amazon.aws.aws_ssm).
    type: str
    choices: [ssh, ssm]
    default: ssh
  windows_connection:
    description: How Ansible reaches Windows instances.
    type: str
    choices: [psrp, winrm, ssh, ssm]
    default: psrp
  ssm_bucket:
    description: The S3 bucket through which C(amazon.aws.aws_ssm) sends files.
    type: str
  failures:
    description: What becomes of an inventory of which some account, region or call failed.
    type: str
    choices: [warn, fail]
    default: warn
  retries:
    description: How often a call that was throttled or failed on the way is repeated, with botocore's adaptive mode.
    type: int
    default: 8
  timeout:
    description: How many seconds a call may wait for more of its answer.
    type: int
    default: 60
  parallel:
    description: How many accounts and regions are asked at once.
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

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_api import (
    BOTO3_MISSING,
    AwsRefused,
    Wanted,
    ask_aws,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_networks import networks, overlaps
from ansible_collections.ringfence.core.plugins.plugin_utils.aws_transform import Shape, assets
from ansible_collections.ringfence.core.plugins.plugin_utils.harmless import as_variable
from ansible_collections.ringfence.core.plugins.plugin_utils.library_needed import library_missing
from ansible_collections.ringfence.core.plugins.plugin_utils.many_objects import many_objects

NETWORKS_GROUP = "ringfence_aws_networks"
_CONSTRUCTED = ("compose", "groups", "keyed_groups")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Adds what has addresses in AWS to the inventory."""

    NAME = "ringfence.core.aws"

    def verify_file(self, path: str) -> bool:
        """Return whether a file may be a configuration of this plugin; its content is checked when it is parsed."""
        return super().verify_file(path) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: object, loader: object, path: str, cache: bool = True) -> None:
        """Add hosts, variables and groups; raise AnsibleParserError where nothing at all could be read."""
        super().parse(inventory, loader, path, cache)
        if BOTO3_MISSING is not None:
            raise library_missing(self.NAME, BOTO3_MISSING, "aws")
        self._read_config_data(path)
        with many_objects():
            self._fill(path, cache)

    def _fill(self, path: str, cache: bool) -> None:
        found = self._cached(path, cache)
        for warning in found["warnings"]:
            self.display.warning(warning)
        source = _shown(Path(path))
        for name, variables in found["assets"]:
            self._add(name, variables, source)
        if found["networks"]:
            self.inventory.add_group(NETWORKS_GROUP)
            self.inventory.set_variable(NETWORKS_GROUP, NETWORKS_GROUP, as_variable(found["networks"]))

    def _cached(self, path: str, cache: bool) -> Mapping[str, object]:
        """Return assets, networks and warnings, from the inventory cache where it is on and has them for these options.

        What is not whole is not kept: the next run asks again for what has failed.
        """
        key = self.get_cache_key(path)
        use = self.get_option("cache")
        options = sha256(repr([self._wanted(), self._shape()]).encode()).hexdigest()
        if use and cache:
            known = self._cache.get(key)
            if known and known.get("options") == options:
                return known
        found, whole = self._read(path)
        if use and whole:
            self._cache[key] = {**found, "options": options}
        return found

    def _read(self, path: str) -> tuple[dict[str, object], bool]:
        shape = self._shape()
        try:
            answers, failures = ask_aws(self._wanted())
        except AwsRefused as error:
            raise AnsibleParserError(f"{path}: {error}") from None  # Ansible repeats what causes say
        warnings = [f"{path}: AWS {failure}" for failure in failures]
        if failures:
            warnings.append(f"{path}: {len(failures)} calls to AWS failed; {len(answers)} regions answered")
            if self.get_option("failures") == "fail" or not answers:
                raise AnsibleParserError("\n".join(warnings))
        found = assets(answers, shape)
        known = networks(answers) if self.get_option("networks") else {}
        if known and shape.realm == "none":
            used = [variables["ringfence_aws"].get("vpc", "") for _, variables in found]
            warnings += [
                f"{path}: {line}; set 'realm: vpc' to keep their addresses apart" for line in overlaps(known, used)
            ]
        self.display.vv(f"{path}: {len(found)} assets in {len(answers)} regions of AWS")
        return {"assets": found, "networks": known, "warnings": warnings}, not failures

    def _add(self, name: str, variables: Mapping[str, object], source: str) -> None:
        self.inventory.add_host(name)
        fact = variables["ringfence_aws"]
        sources = [f"{source} {fact['account']} {fact['region']}"]
        for key, value in (*variables.items(), ("ringfence_sources", sources)):
            self.inventory.set_variable(name, key, as_variable(value))
        if not any(self.get_option(option) for option in _CONSTRUCTED):
            return
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), self._known(name), name, strict=strict)
        known = self._known(name)
        self._add_host_to_composed_groups(self.get_option("groups"), known, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, name, strict=strict)

    def _known(self, name: str) -> dict[str, object]:
        """Return what expressions may look at: the fact's fields by their short names, then the host's variables."""
        variables = self.inventory.get_host(name).get_vars()
        return {"tags": {}, **variables["ringfence_aws"], **variables}

    def _wanted(self) -> Wanted:
        same = (
            "profile",
            "endpoint_url",
            "organization",
            "external_id",
            "interfaces",
            "networks",
            "retries",
            "role",
            "timeout",
        )
        lists = ("regions", "accounts", "exclude_accounts")
        return Wanted(
            **{name: self.get_option(name) for name in same},
            **{name: tuple(str(item) for item in self.get_option(name)) for name in lists},
            filters=_texts(self.get_option("filters")),
            interface_filters=_texts(self.get_option("interface_filters")),
            parallel=max(1, self.get_option("parallel")),
        )

    def _shape(self) -> Shape:
        same = ("realm", "label_prefix", "connection", "windows_connection", "ssm_bucket", "profile")
        return Shape(
            **{name: self.get_option(name) for name in same},
            names=tuple(self.get_option("names")),
            reach_by=tuple(self.get_option("reach_by")),
        )


def _texts(filters: Mapping[str, object]) -> dict[str, list[str]]:
    """Return filters as AWS takes them: texts, and true and false in its spelling."""
    return {
        str(name): [
            str(value).lower() if isinstance(value, bool) else str(value)
            for value in (values if isinstance(values, list) else [values])
        ]
        for name, values in filters.items()
    }


def _shown(path: Path) -> str:
    """Return a path as people know it: from the directory they are in, where it lies below."""
    whole = path.resolve()
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else str(path)

"""Talks to AWS: whose accounts and regions there are, and what each of them answers, all of them in parallel."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.aws.answers import quicken
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError as missing:
    BOTO3_MISSING: ImportError | None = missing
else:
    BOTO3_MISSING = None

_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/[\w+=,.@/-]+")
_FIRST_REGION = "us-east-1"
# What EC2 gives at most in one page of these operations (EC2 API reference).
_LARGEST_PAGE = 1000

# name of the answer: operation, key of the answer that holds the list
ESTATE = {
    "instances": ("describe_instances", "Reservations"),
    "interfaces": ("describe_network_interfaces", "NetworkInterfaces"),
}
NETWORKS = {
    "vpcs": ("describe_vpcs", "Vpcs"),
    "subnets": ("describe_subnets", "Subnets"),
    "security_groups": ("describe_security_groups", "SecurityGroups"),
    "peerings": ("describe_vpc_peering_connections", "VpcPeeringConnections"),
    "prefix_lists": ("describe_managed_prefix_lists", "PrefixLists"),
}
OWNERS = {
    "endpoints": ("describe_vpc_endpoints", "VpcEndpoints"),
    "nat_gateways": ("describe_nat_gateways", "NatGateways"),
}
# The description of every interface of RDS; it does not tell which database it is.
RDS_DESCRIPTION = "RDSNetworkInterface"


@dataclass(frozen=True)
class Wanted:
    """What to ask: which accounts and regions, filtered how, with which answers."""

    profile: str | None = None
    endpoint_url: str | None = None
    regions: Sequence[str] = ()
    accounts: Sequence[str] = ()
    organization: bool = False
    exclude_accounts: Sequence[str] = ()
    role: str = "OrganizationAccountAccessRole"
    external_id: str | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    interface_filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    interfaces: bool = True
    networks: bool = True
    retries: int = 8
    timeout: int = 60
    parallel: int = 8


@dataclass(frozen=True)
class Account:
    """An account and the arguments of a client that acts in it: its credentials, none for the caller's own."""

    id: str
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Failure:
    """What could not be asked, and where; `region` is empty where it is the account as a whole.

    `loses` is whether assets may be missing for it, or be without the names that they had.
    """

    account: str
    region: str
    what: str
    reason: str
    loses: bool = True


@dataclass(frozen=True)
class RegionAnswer:
    """What one region of one account answered: lists of AWS's own structures by the names of the tables above."""

    account: str
    region: str
    lists: Mapping[str, Sequence[Mapping[str, Any]]]


def ask_aws(wanted: Wanted) -> tuple[list[RegionAnswer], list[Failure]]:
    """Return the answers of all regions of all accounts, sorted, and what failed.

    Raise SourceRefused where there are no credentials, a role is none, or the Organization cannot be listed.
    """
    clients = _Clients(wanted)
    failures: list[Failure] = []
    own = _own_account(clients)
    with ThreadPoolExecutor(max(1, wanted.parallel)) as pool:
        accounts = _kept(pool.map(lambda role: _assume(clients, *role), _roles(wanted, clients, own)), failures)
        if not wanted.accounts and not wanted.organization:
            accounts = [own]
        listed = _kept(pool.map(lambda account: _regions(clients, account), accounts), failures)
        places = [(account, region) for account, regions in listed for region in regions]
        found = list(pool.map(lambda place: _region(clients, *place), places))
    for _, more in found:
        failures += more
    answers = [answer for answer, _ in found if answer.lists]
    return sorted(answers, key=lambda one: (one.account, one.region)), failures


class _Clients:
    """Makes clients: one session for all, because each would read the service models anew; it is not thread-safe."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._lock = threading.Lock()
        try:
            self._session = boto3.Session(profile_name=wanted.profile)
        except BotoCoreError as error:
            raise SourceRefused(str(error)) from error
        self.first_region = next(iter(wanted.regions), self._session.region_name or _FIRST_REGION)
        self._config = Config(
            retries={"mode": "adaptive", "total_max_attempts": wanted.retries + 1},
            max_pool_connections=max(1, wanted.parallel),
            connect_timeout=10,
            read_timeout=wanted.timeout,
        )

    def client(self, service: str, region: str, account: Account | None = None) -> Any:
        with self._lock:
            client = self._session.client(
                service,
                region_name=region,
                endpoint_url=self.wanted.endpoint_url,
                config=self._config,
                **(account.credentials if account else {}),
            )
        if service == "ec2":
            quicken(client)
        return client


def _own_account(clients: _Clients) -> Account:
    try:
        return Account(clients.client("sts", clients.first_region).get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise SourceRefused(
            f"AWS does not accept the credentials: {_reason(error)}. Provide them as for the AWS CLI: a profile, "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role of the machine"
        ) from error


def _roles(wanted: Wanted, clients: _Clients, own: Account) -> list[tuple[str, str | None]]:
    """Return account ids with the role to assume there, none for the caller's own; each account once."""
    found: dict[str, str | None] = {}
    wrong = next((one for one in wanted.exclude_accounts if not re.fullmatch(r"\d{12}", one)), None)
    if wrong is not None:
        raise SourceRefused(
            f"'exclude_accounts' has '{wrong}', which is not a valid account: write its 12 digits in quotes"
        )
    partition = "aws-cn" if clients.first_region.startswith("cn-") else "aws"
    partition = "aws-us-gov" if clients.first_region.startswith("us-gov-") else partition
    for given in [*wanted.accounts, *(_organization(clients) if wanted.organization else ())]:
        arn = _ROLE_ARN.fullmatch(given)
        if arn:
            found[arn[1]] = given
        elif re.fullmatch(r"\d{12}", given):
            role = f"arn:{partition}:iam::{given}:role/{wanted.role.lstrip('/')}"
            found.setdefault(given, None if given == own.id else role)
        else:
            raise SourceRefused(
                f"'{given}' is not a valid account: write its 12 digits in quotes, or the ARN of a role in it"
            )
    return [(account, role) for account, role in found.items() if account not in wanted.exclude_accounts]


def _organization(clients: _Clients) -> list[str]:
    try:
        pages = clients.client("organizations", clients.first_region).get_paginator("list_accounts").paginate()
        accounts = [account for page in pages for account in page["Accounts"]]
    except (BotoCoreError, ClientError) as error:
        raise SourceRefused(
            f"the accounts of the Organization cannot be listed: {_reason(error)}. Use credentials of its management "
            "account or of a delegated administrator, or name the accounts"
        ) from error
    return [account["Id"] for account in accounts if account.get("State", account.get("Status")) == "ACTIVE"]


def _assume(clients: _Clients, account: str, role: str | None) -> Account | Failure:
    if role is None:
        return Account(account)
    more = {"ExternalId": clients.wanted.external_id} if clients.wanted.external_id else {}
    try:
        sts = clients.client("sts", clients.first_region)
        given = sts.assume_role(RoleArn=role, RoleSessionName="ringfence-inventory", **more)["Credentials"]
    except (BotoCoreError, ClientError) as error:
        return Failure(account, "", f"role {role.rpartition('/')[2]}", _reason(error))
    return Account(
        account,
        {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        },
    )


def _regions(clients: _Clients, account: Account) -> tuple[Account, list[str]] | Failure:
    if clients.wanted.regions:
        return account, list(dict.fromkeys(clients.wanted.regions))
    try:
        answer = clients.client("ec2", clients.first_region, account).describe_regions()
    except (BotoCoreError, ClientError) as error:
        return Failure(
            account.id, "", "describe_regions", f"{_reason(error)}; list the regions in 'regions' to avoid this call"
        )
    return account, sorted(region["RegionName"] for region in answer["Regions"])


def _region(clients: _Clients, account: Account, region: str) -> tuple[RegionAnswer, list[Failure]]:
    wanted = clients.wanted
    lists: dict[str, Sequence[Mapping[str, Any]]] = {}
    failures: list[Failure] = []
    asked = dict(ESTATE) | (NETWORKS if wanted.networks else {}) | (OWNERS if wanted.interfaces else {})
    if not wanted.interfaces:
        del asked["interfaces"]
    try:
        client = clients.client("ec2", region, account)
    except (BotoCoreError, ValueError) as error:
        return RegionAnswer(account.id, region, {}), [Failure(account.id, region, "ec2", str(error))]
    filters = {"instances": wanted.filters, "interfaces": wanted.interface_filters}
    for name, (operation, key) in asked.items():
        try:
            lists[name] = list(_pages(client, operation, key, filters.get(name, {})))
            if name == "prefix_lists":
                lists[name] = [_with_entries(client, one) for one in lists[name] if one.get("OwnerId") != "AWS"]
        except (BotoCoreError, ClientError) as error:
            failures.append(Failure(account.id, region, operation, _reason(error), loses=name in ESTATE))
            if _hopeless(error):
                break
    if any(one.get("Description") == RDS_DESCRIPTION for one in lists.get("interfaces", ())):
        try:
            rds = clients.client("rds", region, account)
            lists["databases"] = list(_pages(rds, "describe_db_instances", "DBInstances", {}))
        except (BotoCoreError, ClientError) as error:
            failures.append(Failure(account.id, region, "describe_db_instances", _reason(error)))
    return RegionAnswer(account.id, region, lists), failures


def _pages(client: Any, operation: str, key: str, filters: Mapping[str, Sequence[str]]) -> Iterator[Mapping[str, Any]]:
    arguments = {"Filters": [{"Name": name, "Values": list(values)} for name, values in filters.items()]}
    size = {"PageSize": _LARGEST_PAGE} if operation in ("describe_instances", "describe_network_interfaces") else {}
    for page in client.get_paginator(operation).paginate(PaginationConfig=size, **(arguments if filters else {})):
        yield from page.get(key, ())


def _with_entries(client: Any, prefix_list: Mapping[str, Any]) -> Mapping[str, Any]:
    pages = client.get_paginator("get_managed_prefix_list_entries").paginate(PrefixListId=prefix_list["PrefixListId"])
    return {**prefix_list, "Entries": [entry for page in pages for entry in page["Entries"]]}


def _kept(results: Iterator[Any], failures: list[Failure]) -> list[Any]:
    """Return the results that are no failures, and keep the failures."""
    found: list[Any] = []
    for result in results:
        (failures if isinstance(result, Failure) else found).append(result)
    return found


def _hopeless(error: Exception) -> bool:
    """Return whether no later call can do better: nobody answers, or the credentials are not good here at all."""
    if not isinstance(error, ClientError):
        return True
    return error.response["Error"]["Code"] in ("AuthFailure", "ExpiredToken", "RequestExpired", "OptInRequired")


def _reason(error: Exception) -> str:
    """Return why a call failed, in one line and without the encoded authorisation message of AWS."""
    if isinstance(error, ClientError):
        details = error.response["Error"]
        text = f"{details.get('Code', 'error')}: {details.get('Message', '')}"
    else:
        text = str(error)
    return re.sub(r"\s*Encoded authorization failure message: \S+", "", " ".join(text.split())).rstrip(" :")

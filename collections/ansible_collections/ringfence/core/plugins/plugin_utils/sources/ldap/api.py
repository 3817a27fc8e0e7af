"""Asks directories for computers and groups: the talk with LDAP servers, and what they answered as plain text."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import SourceRefused

try:
    import ldap3
    from ldap3.core.exceptions import LDAPException, LDAPOperationResult
except ImportError as missing:
    LDAP3_MISSING: ImportError | None = missing
else:
    LDAP3_MISSING = None

ATTRIBUTES = (
    *("cn", "dNSHostName", "sAMAccountName", "description", "location", "managedBy", "memberOf"),
    *("operatingSystem", "operatingSystemVersion", "servicePrincipalName", "userAccountControl"),
    *("objectGUID", "entryUUID", "ipHostNumber", "macAddress", "lastLogonTimestamp", "whenCreated"),
)
GROUP_ATTRIBUTES = ("cn", "memberOf", "member", "uniqueMember")
# Local administrators' passwords (LAPS), and passwords of accounts and their hashes.
SECRET_ATTRIBUTES = frozenset(
    {"ms-mcs-admpwd", "mslaps-password", "mslaps-encryptedpassword", "mslaps-encryptedpasswordhistory"}
    | {"mslaps-encrypteddsrmpassword", "unicodepwd", "dbcspwd", "userpassword", "supplementalcredentials"}
    | {"msds-managedpassword", "lmpwdhistory", "ntpwdhistory", "msfve-recoverypassword", "sambantpassword"}
)


@dataclass(frozen=True)
class Wanted:
    """Whom to ask, as whom, and for what; `servers` are tried in their order, the first that answers is asked."""

    servers: Sequence[str]
    base: Sequence[str]
    bind_dn: str | None = None
    password: str | None = None
    start_tls: bool = False
    validate_certs: bool = True
    ca_certs: str | None = None
    plain_password: bool = False
    filter: str = "(objectClass=computer)"
    group_filter: str = "(|(objectClass=group)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"
    attributes: Sequence[str] = ()
    page_size: int = 500
    timeout: int = 30


@dataclass(frozen=True)
class Entry:
    """An entry: its name in the directory, and the values of its attributes by their names in small letters."""

    dn: str
    values: Mapping[str, Sequence[str]]

    def first(self, attribute: str) -> str:
        """Return the first value of an attribute, empty where there is none."""
        values = self.values.get(attribute.lower())
        return values[0] if values else ""


@dataclass
class Answer:
    """What a directory has: computers and groups, and why a base was not read, or not wholly."""

    server: str = ""
    computers: list[tuple[str, Entry]] = field(default_factory=list)
    groups: list[Entry] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def ask_ldap(wanted: Wanted) -> Answer:
    """Return computers, each with the base it is below, and groups; raise SourceRefused where no server answers."""
    refuse_secrets(wanted)
    connection, answer = _connected(wanted)
    try:
        for base in wanted.base:
            try:
                attributes = [*ATTRIBUTES, *wanted.attributes]
                for entry in _search(connection, base, wanted.filter, attributes, wanted):
                    answer.computers.append((base, entry))
                answer.groups += _search(connection, base, wanted.group_filter, GROUP_ATTRIBUTES, wanted)
            except LDAPException as error:
                answer.failures[base] = _words(error)
    finally:
        try:
            connection.unbind()
        except (LDAPException, OSError) as error:
            answer.warnings.append(f"the connection to {answer.server} could not be closed: {error}")
    return answer


def refuse_secrets(wanted: Wanted) -> None:
    """Raise SourceRefused where an attribute that holds passwords is asked for."""
    secret = [name for name in wanted.attributes if name.partition(";")[0].lower() in SECRET_ATTRIBUTES]
    if secret:
        raise SourceRefused(f"'attributes' has {secret[0]}, which contains secrets and must not be in an inventory")


def _connected(wanted: Wanted) -> tuple[ldap3.Connection, Answer]:
    refused: list[str] = []
    for uri in wanted.servers:
        safe = wanted.start_tls or uri.startswith(("ldaps:", "ldapi:"))
        if wanted.password and not safe and not wanted.plain_password:
            raise SourceRefused(
                f"the password would be sent to {uri} in clear text: use ldaps://, or set 'start_tls: true' "
                "('plain_password: true' if the network is trusted)"
            )
        try:
            return _connection(uri, wanted), Answer(uri, warnings=refused)
        except (LDAPException, OSError, ValueError) as error:
            refused.append(f"{uri} was not queried: {_words(error)}")
    raise SourceRefused("no directory server responds: " + "; ".join(refused or ["'server' is empty"]))


def _connection(uri: str, wanted: Wanted) -> ldap3.Connection:
    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED if wanted.validate_certs else ssl.CERT_NONE,
        ca_certs_file=wanted.ca_certs,
        valid_names=None,
    )
    server = ldap3.Server(uri, get_info=ldap3.NONE, tls=tls, connect_timeout=wanted.timeout)
    connection = ldap3.Connection(
        server,
        user=wanted.bind_dn,
        password=wanted.password,
        authentication=ldap3.SIMPLE if wanted.bind_dn else ldap3.ANONYMOUS,
        # Names are the server's: it alone knows its schema. A referral is another server that nobody named.
        check_names=False,
        auto_referrals=False,
        raise_exceptions=True,
        receive_timeout=wanted.timeout,
        read_only=True,
    )
    connection.open()
    if wanted.start_tls and not uri.startswith("ldaps:"):
        connection.start_tls()
    connection.bind()
    return connection


def _search(
    connection: ldap3.Connection, base: str, chosen: str, attributes: Sequence[str], wanted: Wanted
) -> Iterator[Entry]:
    pages = connection.extend.standard.paged_search(
        base,
        chosen,
        search_scope=ldap3.SUBTREE,
        attributes=list(attributes),
        paged_size=wanted.page_size,
        generator=True,
    )
    for found in pages:
        if found["type"] == "searchResEntry":
            yield Entry(found["dn"], _values(found["raw_attributes"]))


def _values(raw: Mapping[str, Sequence[bytes]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, values in raw.items():
        texts = [text for value in values if (text := _text(name.lower(), value)) is not None]
        found.setdefault(name.partition(";")[0].lower(), []).extend(texts)
    return found


def _text(name: str, value: bytes) -> str | None:
    if name == "objectguid":
        return str(uuid.UUID(bytes_le=value)) if len(value) == 16 else None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _words(error: Exception) -> str:
    if isinstance(error, LDAPOperationResult):
        return " ".join(filter(None, (error.description, error.message))) or "it refused"
    return str(error) or type(error).__name__

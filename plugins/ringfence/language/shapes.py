"""What people may write, as pydantic models: the keys of every file, and the source of the published JSON schemas.

Selectors and services have a grammar of their own (`selectors.py`, `values.py`); here they are values of any kind with
a schema beside them. The entries of a document's lists are checked one by one, so they stand as such values too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from ringfence.model.spans import SPAN

# A schema's definition by name; `schema.py` makes a `$ref` of it, which pydantic lets nobody else define.
REFERENCE = "x-ringfence-definition"
SelectorText = Annotated[object, WithJsonSchema({REFERENCE: "selector"})]
PeersText = Annotated[object, WithJsonSchema({REFERENCE: "peers"})]
ServicesText = Annotated[object, WithJsonSchema({REFERENCE: "services"})]
NetworksText = Annotated[object, WithJsonSchema({REFERENCE: "networks"})]
RuleText = Annotated[object, WithJsonSchema({REFERENCE: "rule"})]
EnforceText = Annotated[object, WithJsonSchema({REFERENCE: "enforce"})]
TestText = Annotated[object, WithJsonSchema({REFERENCE: "test"})]
InvariantText = Annotated[object, WithJsonSchema({REFERENCE: "invariant"})]
ModeText = Annotated[object, WithJsonSchema({REFERENCE: "mode"})]
ControlText = Annotated[object, WithJsonSchema({REFERENCE: "control"})]
RealmText = Annotated[object, WithJsonSchema({REFERENCE: "realm"})]
IdentityText = Annotated[object, WithJsonSchema({REFERENCE: "identity"})]
WatchText = Annotated[object, WithJsonSchema({REFERENCE: "watch"})]
SinkText = Annotated[object, WithJsonSchema({REFERENCE: "watch_sink"})]
FlowsText = Annotated[object, WithJsonSchema({REFERENCE: "flows"})]
InventoryText = Annotated[object, WithJsonSchema({REFERENCE: "inventory"})]
TrustText = Annotated[object, WithJsonSchema({REFERENCE: "trust"})]
ApprovalText = Annotated[object, WithJsonSchema({REFERENCE: "approval"})]
EmergenciesText = Annotated[object, WithJsonSchema({REFERENCE: "emergencies"})]
IdentityKeyText = Annotated[object, WithJsonSchema({REFERENCE: "identity_key"})]
LabelRuleText = Annotated[object, WithJsonSchema({REFERENCE: "label_rule"})]
ENGINE = r"^(duckdb|spark://[^,/\s]+:[0-9]{1,5}(,[^,/\s]+:[0-9]{1,5})*)$"
EngineText = Annotated[object, WithJsonSchema({"type": "string", "pattern": ENGINE})]
ModeWord = Literal["observe", "selective", "full"]
Verdict = Literal["allow", "deny"]
WavesText = Annotated[object, WithJsonSchema({REFERENCE: "waves"})]
WEBHOOK = r"^(https://[^\s]+|http://(localhost|127\.0\.0\.1|\[::1\])[:/][^\s]*)$"
SYSLOG = r"^((udp|tcp)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?|unix:///[^\s]+)$"
Sizes = list[Annotated[int, Field(ge=1)]]
Priority = Annotated[int, Field(ge=0, le=1_000_000)]


class Written(BaseModel):
    """A mapping somebody wrote: no key that is not named here, no value turned into another type."""

    model_config = ConfigDict(defer_build=True, extra="forbid", strict=True, frozen=True, populate_by_name=False)


class RuleEntry(Written):
    """One rule of a ruleset: who may, or may not, reach whom on what."""

    name: str | None = Field(None, min_length=1, description="What people call it; unique names keep its id stable.")
    from_: PeersText = Field(alias="from", description="The clients: a selector or a list of alternatives.")
    to: PeersText = Field(description="The servers: a selector or a list of alternatives.")
    allow: ServicesText = Field(None, description="Let these services pass.")
    deny: ServicesText = Field(None, description="Refuse these services; beats `pass` and `allow` of equal priority.")
    pass_: ServicesText = Field(None, alias="pass", description="Leave these services to the later tiers.")
    at: Literal["both", "from", "to"] = Field("both", description="Which side the rule speaks for.")
    priority: Priority | None = Field(None, description="The smaller decides before the larger; else the ruleset's.")
    log: bool = Field(False, description="Log what this rule decides.")


class EnforceEntry(Written):
    """How the workloads that `where` chooses are enforced; the first entry that matches a workload counts."""

    where: SelectorText = Field(description="The workloads; `any` for all.")
    mode: ModeText = Field(description="One mode for both directions, or one for each; one left out observes.")
    cut: bool = Field(False, description="End established connections that a new table denies.")


class ModeEntry(Written):
    """A mode for each direction."""

    inbound: ModeWord = "observe"
    outbound: ModeWord = "observe"


class TestEntry(Written):
    """A policy test: every connection from here to there on these services has this verdict."""

    name: str | None = Field(None, min_length=1)
    from_: PeersText = Field(alias="from")
    to: PeersText
    service: ServicesText = Field(None, description="A service or a list of them.")
    services: ServicesText = Field(None, description="The same as `service`.")
    expect: Verdict


class InvariantEntry(Written):
    """A statement proven for every asset, address, port and process; what is left out is any."""

    name: str | None = Field(None, min_length=1)
    from_: PeersText = Field(None, alias="from")
    to: PeersText = None
    service: ServicesText = Field(None, description="A service or a list of them; left out: any.")
    services: ServicesText = Field(None, description="The same as `service`.")
    expect: Verdict


class PolicyDocument(Written):
    """One YAML document of a file under `policy/`: a ruleset, enforcement modes, tests, invariants, definitions."""

    scope: SelectorText = Field(None, description="And-ed to the label selectors of this document's rules.")
    tier: str | None = Field(None, description="The tier of this document's rules; `application` unless said.")
    priority: Priority | None = Field(None, description="The priority of this document's rules; 100 unless said.")
    rules: list[RuleText] | None = None
    enforce: list[EnforceText] | None = None
    tests: list[TestText] | None = None
    invariants: list[InvariantText] | None = None
    selectors: dict[str, SelectorText] | None = Field(None, description="Named selectors: `{selector: name}`.")
    services: dict[str, ServicesText] | None = Field(None, description="Named services.")
    lists: dict[str, NetworksText] | None = Field(None, description="Named address lists: `{list: name}`.")


class ControlEntry(Written):
    """From where and to which port Ansible manages hosts."""

    from_: NetworksText = Field(alias="from", description="Networks in CIDR form.")
    port: int = Field(22, ge=1, le=65535)


class RealmEntry(Written):
    """Whose addresses the workloads of a realm can meet, beside their own realm's."""

    sees: list[str] = Field(default_factory=list)


class IdentityEntry(Written):
    """How the same machine is recognised in several sources, so that it is one asset."""

    keys: dict[str, IdentityKeyText] | None = Field(
        None, min_length=1, description="What gives `uuid`, `mac`, `fqdn`, `address` or a key of one's own; or false."
    )
    prefer: list[str] | None = Field(None, min_length=1, description="Sources, the one whose word counts first.")
    same: list[list[str]] | None = Field(None, min_length=1, description="Names of hosts that are one machine.")
    different: list[list[str]] | None = Field(None, min_length=1, description="Names of hosts that never are.")


class TrustEntry(Written):
    """What counts on a host's own word about itself."""

    addresses: NetworksText = Field(
        None,
        description="Networks: an address in them counts for the host that says it has it, unless it is another's.",
    )


class InventoryEntry(Written):
    """How long the answer of a source that is asked over the network, or runs as a program, counts for questions."""

    fresh_for: str | None = Field(
        None, pattern=r"^[0-9]{1,6}[smhd]$", description="As 10m; 0s, the default, asks such a source every time."
    )


class ApprovalEntry(Written):
    """Who may approve a permission to reach the assets of `where`."""

    where: SelectorText = Field(description="The servers; `any` for all.")
    by: list[Annotated[str, Field(min_length=1)]] = Field(min_length=1, description="Principals of allowed_signers.")
    second_factor: bool = Field(False, description="Only a key in hardware counts, with a PIN or a finger.")


class EmergenciesEntry(Written):
    """What quarantines and permissions go by."""

    pass_guardrails: bool = Field(False, description="Whether a permission for a while stands above guardrails too.")
    allowed_signers: str | None = Field(None, min_length=1, description="A file of ssh-keygen(1), in the workspace.")
    approvals: list[ApprovalText] | None = Field(None, description="Who approves permissions; the first that matches.")


class ScanEntry(Written):
    """A scan: so many different servers or ports refuse a client, or do not answer it, within a time."""

    targets: int = Field(20, ge=2, le=10_000)
    within: str = Field("10s", pattern=SPAN, description="As 10s or 5m.")


class SinkEntry(Written):
    """A receiver of what `ringfence watch` finds: one of `webhook`, `syslog` and `file`."""

    webhook: str | None = Field(
        None, description="An https URL that JSON is posted to.", json_schema_extra={"pattern": WEBHOOK}
    )
    syslog: str | None = Field(
        None,
        description="`udp://host:514`, `tcp://host:601` or `unix:///dev/log` (RFC 5424).",
        json_schema_extra={"pattern": SYSLOG},
    )
    file: str | None = Field(None, min_length=1, description="A file that gets a line of JSON for each event.")
    send: Literal["violations", "denials", "flows"] = Field(
        "violations", description="Violations alone, also every denial, or also every new flow."
    )
    token_file: str | None = Field(None, min_length=1, description="The file with the webhook's bearer token.")
    token_env: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="The environment variable with it."
    )


class WatchEntry(Written):
    """What `ringfence watch` goes by."""

    fixed_after: str | None = Field(
        None, pattern=SPAN, description="A violation that was not seen for so long is fixed; 7d unless said."
    )
    scan: ScanEntry | None = None
    sinks: list[SinkText] | None = None


class FlowsEntry(Written):
    """Where the heavy questions to flows are computed."""

    engine: EngineText = Field(
        None,
        description="`duckdb`, the default, is this machine; `spark://HOST:PORT` is the master of a Spark cluster.",
    )


class WavesEntry(Written):
    """How a rollout goes on: the sizes of its first waves, and who may be the canary."""

    sizes: Sizes | None = Field(
        None, min_length=1, description="How many hosts each first wave holds; the last one takes the rest."
    )
    canary: SelectorText = Field(None, description="The hosts that a rollout may begin with.")


class SizesEntry(Written):
    """`waves` in its short form, as a document of its own."""

    waves: Sizes = Field(min_length=1)


class SettingsDocument(Written):
    """`ringfence.yml`: the settings of a workspace; every one has a default."""

    control: ControlText = None
    realms: dict[str, RealmText] | None = None
    private: NetworksText = Field(None, description="What `internet` never means.")
    tiers: list[str] | None = Field(None, min_length=1, description="In the order they decide; `emergency` is first.")
    waves: WavesText = Field(None, description="How many hosts the first waves hold, and who may be the canary.")
    identity: IdentityText = None
    trust: TrustText = None
    inventory: InventoryText = None
    watch: WatchText = None
    emergencies: EmergenciesText = None
    flows: FlowsText = None
    valid_days: int | None = Field(None, ge=1, le=3650, description="How many days a plan may be applied.")


class LabelsDocument(Written):
    """`labels.yml`: label rules. Every entry has one label key beside `map`, `when`, `priority` and `trust`."""

    labels: list[LabelRuleText] | None = None


class LabelRuleEntry(Written):
    """The words of a label rule beside its label key."""

    map: dict[str, str] | None = Field(None, min_length=1, description="What the expression gives to what is meant.")
    when: str | None = Field(None, min_length=1, description="A JMESPath expression that must hold.")
    priority: Priority | None = Field(None, description="The smaller wins; 100 unless said.")
    trust: Literal["facts"] | None = Field(
        None, description="The label may rest on what hosts say of themselves; else that is a warning."
    )

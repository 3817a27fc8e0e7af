"""What the engine and the collection both do is done alike: most of it is shared, to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.found import without_secrets
from ansible_collections.ringfence.core.plugins.plugin_utils.wire import plan_directory, service_line
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.journal import PASSED, Journal
from hypothesis import example, given
from hypothesis import strategies as st
from ringfence.model.errors import InputError
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import BLOCK, parse_service
from ringfence.plan.store import find, verify_files
from ringfence.plan.store import read as read_plan
from ringfence.sources.attributes import plain_attributes

from tests.rollout_plans import PlanMaker, Wanted

ROOT = Path(__file__).parents[3]
SHARED = ROOT / "plugins/ringfence/wire"
VENDORED = ROOT / "collections/ansible_collections/ringfence/core/plugins/plugin_utils/wire/vendored"


def test_what_is_shared_is_the_same_to_the_byte() -> None:
    files = [{path.name: path.read_bytes() for path in folder.glob("*.py")} for folder in (SHARED, VENDORED)]
    assert files[0] == files[1], "run: make vendor"
    assert len(files[0]) >= 3


WORDS = st.one_of(
    st.builds("{}/{}".format, st.sampled_from(["tcp", "udp", "sctp"]), st.integers(0, BLOCK - 1)),
    st.builds("{}/{}".format, st.sampled_from(["icmp", "icmpv6"]), st.integers(0, 255)),
    st.builds("ip/{}".format, st.integers(0, 255)),
    st.sampled_from(["tcp", "udp", "sctp", "icmp", "icmpv6", "tcp/1-65535", "icmp/0-9", "icmp/0-255", "any"]),
)


@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([4, 6]))
@example(["icmp/8"], 4)
@example(["ip/47", "ip/48", "ip/49"], 4)
@example(["icmp"], 6)
@example(["any"], 6)
def test_what_verify_says_of_services_is_what_a_policy_may_say(texts: list[str], family: int) -> None:
    points = IntervalSet.of(one for text in texts for one in parse_service(text).of(family))
    met = [one for low, high in points for one in service_line._met(low, high, family)]
    said = service_line.words(met, family)
    again = IntervalSet.of(one for text in said for one in parse_service(text).of(family))
    found = [one for low, high in again for one in service_line._met(low, high, family)]
    assert sorted(found) == sorted(met), said


def test_a_message_type_has_one_name() -> None:
    assert service_line.words([(BLOCK + 8, BLOCK + 8)], 4) == ["icmp/echo-request"]
    assert service_line.words([(number * BLOCK,) * 2 for number in (47, 48, 49)], 4) == ["ip/47", "ip/48", "ip/49"]


@pytest.mark.parametrize("name", ["DB_PASS", "vault_key", "basicauth", "api.key", "accesskey", "user-data", "cookies"])
def test_what_either_took_for_a_secret_is_one(name: str) -> None:
    assert without_secrets({name: 1, "compass": 2}) == plain_attributes({name: 1, "compass": 2}) == {"compass": 2}


def test_both_read_the_plan_that_either_accepts_and_refuse_the_same_damage(tmp_path: Path) -> None:
    directory = PlanMaker(tmp_path).write({"web-1": Wanted(), "web-2": Wanted(port=2222)}, waves=[["web-1"], ["web-2"]])
    theirs, ours = plan_directory.load_plan(str(directory)), read_plan(directory)
    assert (theirs.digest, theirs.identity, theirs.sequence) == (ours.digest, ours.short, ours.sequence)
    assert find(tmp_path / "plans", theirs.identity) == directory
    for name, entry in ours.hosts.items():
        host = theirs.host(name)
        assert (host.ruleset, host.table, host.expects) == (entry.ruleset, entry.table, entry.expects)
        assert (host.runtime, host.options, host.enforcer) == (entry.runtime, entry.options, entry.enforcer)
        assert host.wave == next(number for number, wave in enumerate(ours.waves) if name in wave)
    path = directory / "rulesets" / f"{ours.hosts['web-1'].ruleset}.nft"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputError, match="changed after the plan was made"):
        verify_files(directory, ours)
    with pytest.raises(plan_directory.PlanError, match="changed after the plan was made"):
        theirs.ruleset(ours.hosts["web-1"].ruleset, "nft")


def test_the_engine_reads_what_the_collection_writes_into_a_journal(tmp_path: Path) -> None:
    from ringfence.plan.journals import last_confirmed, marks

    directory = PlanMaker(tmp_path).write({"web-1": Wanted(), "web-2": Wanted()})
    journal = Journal(plan_directory.load_plan(str(directory)))
    journal.append("web-1", "started")
    assert last_confirmed(tmp_path / "plans") is None
    journal.append("web-1", "confirmed")
    assert "confirmed" in PASSED
    assert last_confirmed(tmp_path / "plans") == directory
    assert marks(tmp_path / "plans") == {directory.name: 2}
    (line, *_) = (directory / "journal.jsonl").read_text().splitlines()
    assert json.loads(line)["plan"] == directory.name

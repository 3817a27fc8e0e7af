"""What the target's script replies is taken key by key, each within its bounds; one invalid value makes it invalid."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.answer_values import AnswerError
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_status import held
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply, parse_reply
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.reply_shape import KEYS
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.verification import verify
from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import load_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from ringfence.enforcers.nftables import render

from tests.examples import examples
from tests.hostile_host import HostileHost, hostile_hosts
from tests.rollout_plans import PlanMaker, Wanted

DIGEST = "a" * 64
VERIFY = {"ringfence.core.linux_policy_verify": {}}
INFO = {"ringfence.core.linux_policy_info": {}}
APPLY = {"ringfence.core.linux_policy": {}}
GRAVE = [
    ("ruleset=zzz", "ruleset is 'zzz', which is not a digest"),
    ("ruleset=" + "A" * 64, "ruleset"),
    ("verdict_table=../../../etc/passwd", "verdict_table"),
    ("sequence=" + "9" * 26, "sequence"),
    ("sequence=-1", "sequence"),
    ("sequence=0x10", "sequence"),
    ("sequence=²", "sequence"),
    ("peer=10.0.0.1; rm -rf /", "peer"),
    ("peer=fe80::1%eth0", "peer"),
    ("state={{ lookup('pipe', 'id') }}", "state"),
    ("pending=maybe", "pending"),
    ("nft=" + "1" * 1000, "nft"),
    ("kernel=$(id)", "kernel"),
    ("refused=$(id)", "refused"),
    ("applied=yesterday", "applied"),
    ("unit=runs a b", "unit"),
    ("user=root users_out out_x0 -1", "user"),
    ("staged=1e9", "staged"),
]


@pytest.mark.parametrize(("line", "why"), GRAVE, ids=[line[:24] for line, _ in GRAVE])
def test_a_value_that_its_key_cannot_hold_makes_the_reply_invalid(line: str, why: str) -> None:
    with pytest.raises(AnswerError) as refused:
        parse_reply(f"ringfence:changed=yes\nringfence:{line}\n")
    assert why in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_reply_of_more_lines_than_any_table_has_is_invalid() -> None:
    with pytest.raises(AnswerError, match="more than 1000000 lines"):
        parse_reply("ab\n" * 1_000_001)


def test_a_key_that_the_script_does_not_know_is_left_out() -> None:
    reply = parse_reply("ringfence:ansible_facts={}\nringfence:plan=\nringfence:begin evil\nx\nringfence:end evil\n")
    assert reply == Reply({"plan": [""]}, {})


def test_a_sentence_is_cut_and_not_refused_since_nft_repeats_long_lines() -> None:
    assert parse_reply("ringfence:reason=" + "x" * 2000).last("reason") == "x" * 1000 + "…"


def test_a_section_that_does_not_end_makes_the_reply_invalid() -> None:
    with pytest.raises(AnswerError, match="listing"):
        parse_reply("ringfence:begin listing\ntable inet ringfence {\n")


def test_control_characters_of_a_reply_become_question_marks() -> None:
    reply = parse_reply("ringfence:reason=\x1b]0;owned\x07 \u202egnp\x85\n")
    assert reply.last("reason") == "?]0;owned? ?gnp?"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "does not tell what is in its kernel"),
        (f"ringfence:plan={DIGEST}\nringfence:ruleset={DIGEST}", "does not tell what is in its kernel"),
        ("ringfence:table=present", "neither what was confirmed nor what waits"),
        ("ringfence:table=present\nringfence:pending=abandoned", "neither what was confirmed nor what waits"),
    ],
)
def test_of_a_kernel_that_was_not_read_nothing_is_said(said: str, why: str) -> None:
    found = held(parse_reply(said))
    assert found["state"] == "unknown"
    assert why in found["unknown"][0]


lines = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.builds("ringfence:{}={}".format, st.sampled_from(sorted(KEYS)), st.text(max_size=70)),
        st.builds("ringfence:begin {}".format, st.sampled_from(["listing", "history", "foreign", "x"])),
        st.builds("ringfence:end {}".format, st.sampled_from(["listing", "history", "foreign", "x"])),
        st.builds("{} {} {} {} {}".format, *[st.text(max_size=12)] * 5),
    ),
    max_size=12,
)


@settings(max_examples=examples(500), deadline=None)
@given(lines)
def test_whatever_a_host_replies_is_a_state_of_known_types_or_is_refused(said: list[str]) -> None:
    try:
        found = held(parse_reply("\n".join(said)))
    except AnswerError:
        return
    assert found["state"] in {"confirmed", "waiting", "lost", "none", "unknown"}
    assert (found["state"] == "unknown") == bool(found["unknown"])
    assert 0 <= found["sequence"] < 2**53
    for key in ("plan", "ruleset", "table"):
        assert found[key] == "" or len(found[key]) == 64
    json.dumps(found).encode()


def reply(plan: Path, listing: str) -> Reply:
    host = load_plan(str(plan)).host("web-1")
    return Reply(
        {"ruleset": [host.ruleset], "stands": ["confirmed"], "verdict_table": [host.table]}, {"listing": listing}
    )


def chains(count: int) -> str:
    return "".join(f"\tchain x{n} {{\n\t\taccept\n\t}}\n" for n in range(count))


CRAFTED = {
    "many chains": chains(200_000),
    "many rules": "\tchain input {\n" + "\t\tct state established accept\n" * 200_000 + "\t}\n",
    "many equal sets": "".join(f"\tset s{n} {{\n\t\ttype ipv4_addr\n\t}}\n" for n in range(100_000)),
    "many elements": "\tset control4 {\n\t\telements = { " + ", ".join(["10.0.0.1"] * 500_000) + " }\n\t}\n",
    "deep chains": "".join(f"\tchain in_l_{n:012x} {{\n\t\tgoto in_l_{n + 1:012x}\n\t}}\n" for n in range(50_000)),
    "huge protocols": "\tchain in_s_000000000000 {\n\t\tmeta l4proto vmap { 0-4294967295 : goto in_p_0 }\n\t}\n",
    "huge numbers": "\tset denied_default_in4 {\n\t\telements = { 10.0.0.1 . 6 . " + "9" * 100_000 + " }\n\t}\n",
    "wide sets": "".join(
        f"\tchain in_l_{n:012x} {{\n\t\tip daddr vmap @in_l4_{n:012x}\n\t\tip saddr vmap @in_r4_{n:012x}\n"
        f"\t\tgoto in_l_{n + 1:012x}\n\t}}\n"
        for n in range(20_000)
    ),
    "dynamic sets": "".join(
        f"\tchain in_l_{n:012x} {{\n\t\tip saddr @dyn4_{n:012x} goto in_l_{n + 1:012x}\n"
        f"\t\tgoto in_l_{n + 1:012x}\n\t}}\n"
        for n in range(5_000)
    ),
    "many processes": "\tmap units_in_1 {\n\t\ttype cgroupsv2 : verdict\n\t\telements = { "
    + ", ".join(f'"a{n}" : goto in_u0' for n in range(100_000))
    + " }\n\t}\n",
    "no digits": "\tchain in_s_000000000000 {\n\t\tmeta l4proto vmap { ² : goto in_p_0 }\n\t}\n",
}


@pytest.mark.parametrize("crafted", CRAFTED.values(), ids=CRAFTED.keys())
def test_a_crafted_listing_is_drift_in_seconds(tmp_path: Path, crafted: str) -> None:
    wanted = Wanted()
    plan = PlanMaker(tmp_path).write({"web-1": wanted})
    honest = render(wanted.table()).partition("delete table inet ringfence\n")[2]
    opening, rest = honest.split("\n", 1)
    if led := re.search(r"in_[ls]_0{12}", crafted):
        rest, count = re.subn(
            r"(chain input \{.*?\n\t\tgoto )\S+(?=\n\t\})", rf"\g<1>{led[0]}", rest, count=1, flags=re.S
        )
        assert count == 1

    began = time.process_time()
    found = verify(load_plan(str(plan)), load_plan(str(plan)).host("web-1"), reply(plan, f"{opening}\n{crafted}{rest}"))

    assert found["drift"]
    assert len(found["drift"]) < 100
    assert len(json.dumps(found)) < 4_000_000
    assert time.process_time() - began < 100


def test_one_lying_host_is_one_line_and_the_others_are_told(tmp_path: Path) -> None:
    plan = PlanMaker(tmp_path).write({"web-1": Wanted()})
    host = HostileHost(tmp_path / "host")
    host.prints(f"ringfence:ruleset={DIGEST}\nringfence:sequence={'9' * 26}\n")

    results, said = host.play([VERIFY, INFO, APPLY], "-e", f"ringfence_plan={plan}")

    assert [one["state"] for one in results["web-1"]] == ["unknown"] * 3, said
    assert all(str(one["msg"]).startswith("this host's answer is not valid: sequence is") for one in results["web-1"])
    assert "Traceback" not in said


def test_a_shell_that_runs_nothing_and_ends_well_has_carried_no_order_out(tmp_path: Path) -> None:
    said = "", "Welcome to Example Corp\n", "ringfence:changed=yes\n", "ringfence:changed=no\nringfence:state=unknown\n"
    hosts = hostile_hosts(tmp_path, said)
    plan = PlanMaker(tmp_path).write({host.name: Wanted() for host in hosts})
    for host, text in zip(hosts, said, strict=True):
        host.prints(text)
    orders = [
        APPLY,
        *({f"ringfence.core.linux_policy_{verb}": {}} for verb in ("confirm", "rollback", "refresh", "info", "verify")),
        {"ringfence.core.linux_policy": {"state": "absent"}},
    ]

    results, told = hosts[0].play(orders, "-e", f"ringfence_plan={plan}", beside=hosts[1:])

    for host in hosts:
        assert [one["state"] for one in results[host.name]] == ["unknown"] * len(orders), told
        assert all("it does not say " in str(one["msg"]) for one in results[host.name])
        assert events(plan, host) == ["started", "unknown"]


def events(plan: Path, host: HostileHost) -> list[str]:
    """Return a host's events of a plan's journal."""
    told = map(json.loads, (plan / "journal.jsonl").read_text().splitlines())
    return [one["event"] for one in told if one["host"] == host.name]


def test_what_a_host_says_of_its_loading_prolongs_no_wait(tmp_path: Path) -> None:
    said = "86400", "9007199254740991"
    hosts = hostile_hosts(tmp_path, said)
    plan = PlanMaker(tmp_path).write({host.name: Wanted() for host in hosts})
    for host, staged in zip(hosts, said, strict=True):
        # the swap is told at once; every confirmation is refused as one over an old connection, without end
        host.runs(
            f"cat >/dev/null; if mkdir {host.directory}/count 2>/dev/null; "
            f"then printf 'ringfence:staged={staged}\\nringfence:changed=yes\\nringfence:state=waiting\\n'; "
            "else printf 'ringfence:refused=connection\\nringfence:reason=no\\n'; exit 3; fi"
        )
    began = time.monotonic()
    arguments = ("-e", f"ringfence_plan={plan}", "-e", "ringfence_confirm_within=5")
    results, told = hosts[0].play([APPLY], *arguments, beside=hosts[1:])
    assert time.monotonic() - began < 600
    for host in hosts:
        assert results[host.name][0]["state"] == "unknown", told
        assert events(plan, host) == ["started", "unknown"]


def test_a_confirmation_names_the_control_path_and_a_rollback_the_plan_that_it_takes_back(tmp_path: Path) -> None:
    plan = PlanMaker(tmp_path).write({"web-1": Wanted(control=("192.0.2.0/24",), port=2222)})
    host = HostileHost(tmp_path / "host")
    host.runs(f"cat >>{tmp_path}/sent; printf 'ringfence:changed=no\\nringfence:state=none\\n'")
    for verb in ("confirm", "rollback"):
        (tmp_path / "sent").unlink(missing_ok=True)
        host.play([{f"ringfence.core.linux_policy_{verb}": {}}], "-e", f"ringfence_plan={plan}")
        sent = (tmp_path / "sent").read_text()
        assert f"\nrf_plan={load_plan(str(plan)).digest}\n" in sent
        if verb == "confirm":
            assert "\nrf_control=4-C0000200-C00002FF\n" in sent
            assert "\nrf_port=2222\n" in sent


LOST = "printf 'Connection reset' >&2; exit 255"
HOLDS = (
    "printf 'ringfence:table=present\\nringfence:plan={plan}\\nringfence:ruleset={ruleset}\\n"
    "ringfence:stands=confirmed\\n'"
)
WENT = "printf 'ringfence:table=absent\\n'"
BACK = HOLDS.replace("{plan}", DIGEST).replace("{ruleset}", DIGEST)
UNREAD = "printf 'ringfence:table=unknown\\nringfence:unknown=nft does not tell what is in the kernel\\n'"
OPEN = f"printf 'ringfence:table=absent\\nringfence:plan={DIGEST}\\nringfence:ruleset={DIGEST}\\n'"
OTHER = "printf 'ringfence:table=present\\n'"


AFTERWARDS = {
    "it took it": (HOLDS, "confirmed"),
    "it went back to nothing": (WENT, "rolled back"),
    "it went back to a plan": (BACK, "rolled back"),
    "it does not tell": (LOST, "unknown"),
    "it tells nothing": ("true", "unknown"),
    "its kernel was not read": (UNREAD, "unknown"),
    "it is open": (OPEN, "unknown"),
    "its kernel has another table": (OTHER, "unknown"),
}


def test_where_the_reply_to_a_confirmation_is_lost_the_host_is_asked_what_it_holds(tmp_path: Path) -> None:
    hosts = hostile_hosts(tmp_path, tuple(AFTERWARDS))
    path = PlanMaker(tmp_path).write({host.name: Wanted() for host in hosts})
    plan = load_plan(str(path))
    for host, (afterwards, _) in zip(hosts, AFTERWARDS.values(), strict=True):
        told = afterwards.replace("{plan}", plan.digest).replace("{ruleset}", plan.host(host.name).ruleset)
        host.runs(
            f"case $(cat) in *'ringfence_main apply'*) printf 'ringfence:changed=yes\\nringfence:state=waiting\\n' ;; "
            f"*'ringfence_main confirm'*) {LOST} ;; *) {told} ;; esac"
        )

    arguments = ("-e", f"ringfence_plan={path}", "-e", "ringfence_confirm_within=5")
    results, said = hosts[0].play([APPLY], *arguments, beside=hosts[1:])

    for host, (case, (_, state)) in zip(hosts, AFTERWARDS.items(), strict=True):
        result = results[host.name][0]
        assert result["state"] == state, (case, said)
        assert ("rolled back" in str(result.get("msg"))) == (state == "rolled back"), case
        assert events(path, host) == ["started", state], case

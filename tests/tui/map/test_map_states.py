"""What hosts hold, what the files say and what the draft says: three states of one cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ringfence.analysis.picture import JudgedPicture
from ringfence.model.draft_effect import RuleHome
from ringfence.model.picture import PictureEdge, PolicyState, Sign
from ringfence.plan import Held, find, read, write_state
from ringfence_tui.engine.session import EngineSession, Tell
from ringfence_tui.screens.map import kept, questions
from ringfence_tui.screens.map.answers import CellRequest, Edges, PictureRequest, RuleRequest
from ringfence_tui.screens.map.drafting import take
from ringfence_tui.screens.map.model import COMPARISONS, cell_of
from ringfence_tui.screens.map.strip import strip_lines
from ringfence_tui.spans import plain

from tests.tui.map_estate import POLICY, drawn
from tests.unit.cli_shop import NOW, ringfence

HELD, FILES, DRAFT = PolicyState
LEVELS = ("env", "role")
WATCHED = POLICY.replace("from: {}", "from: {env: prod}").replace("mode: full", "mode: observe")
ALLOW = {"name": "dev reads", "from": {"env": "dev"}, "to": {"env": "prod", "role": "db"}, "allow": "tcp/5432"}


def applied(directory: Path) -> None:
    """Have every host hold the policy as it is, as after an apply."""
    made = ringfence(directory, "plan", "--no-flows")
    assert made.exit_code == 0, made.output
    plan = read(find(directory / "plans", "latest"))
    held = {
        name: Held(ruleset=host.ruleset, table=host.table, plan=plan.digest, sequence=plan.sequence, seen=plan.created)
        for name, host in plan.hosts.items()
    }
    write_state(directory, held)


def test_the_three_states_of_a_cell_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    directory = drawn(tmp_path, {"policy/shop.yml": WATCHED})
    applied(directory)
    (directory / "policy" / "shop.yml").write_text(WATCHED.replace("mode: observe", "mode: full"))
    session = EngineSession(directory)
    quiet = Tell(lambda _: None)
    take(
        session,
        RuleRequest(ALLOW, RuleHome("policy/shop.yml", {"scope": {"app": "shop"}}, 0, "", "", new=False)),
        quiet,
    )
    edges: list[PictureEdge] = []
    picture = questions.picture(
        session,
        PictureRequest(LEVELS),
        Tell(lambda part: edges.extend(part.edges) if isinstance(part, Edges) else None),
    ).picture
    ends = {"/".join(value or "" for value in one.labels): number for number, one in enumerate(picture.groups)}
    (edge,) = (one for one in edges if (one.client, one.server) == (ends["dev/api"], ends["prod/db"]))

    assert [edge.worst(state) for state in PolicyState] == [Sign.WOULD_BE_DENIED, Sign.DENIED, Sign.ALLOWED]
    assert [cell_of(edge, one).text for one in COMPARISONS] == ["+2*", "x2*", "+2*", "!2 "]

    client, server = picture.groups[edge.client], picture.groups[edge.server]
    detail = questions.cell(session, CellRequest(LEVELS, client, server), quiet)
    lines = [plain(row) for row in strip_lines(client, server, edge, detail, 5)]
    for state, said in ((HELD, "! 1"), (FILES, "x 1"), (DRAFT, "+ 1")):
        (line,) = (one for one in lines if one.startswith(state.value))
        assert said in line
    assert "'dev reads' policy/shop.yml" in next(one for one in lines if one.startswith(DRAFT.value))


def test_what_hosts_confirm_while_flows_are_judged_is_in_the_next_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    directory, opened = drawn(tmp_path), kept.open_picture

    def meanwhile(*args: Any) -> JudgedPicture:
        judged = opened(*args)
        applied(directory)
        return judged

    monkeypatch.setattr(kept, "open_picture", meanwhile)
    session = EngineSession(directory)

    def held() -> set[Sign]:
        edges: list[PictureEdge] = []
        hear = Tell(lambda part: edges.extend(part.edges) if isinstance(part, Edges) else None)
        questions.picture(session, PictureRequest(LEVELS), hear)
        return {edge.worst(HELD) for edge in edges}

    before = held()
    monkeypatch.setattr(kept, "open_picture", opened)
    after, anew = held(), EngineSession(directory)
    session = anew
    assert before != after == held()

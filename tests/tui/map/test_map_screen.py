"""The Map screen by keys, on a picture that no engine has to judge."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ringfence.model.draft_effect import DraftEffect, FilledRule, RuleEffect, RuleHome
from ringfence.model.picture import Neighbour, Neighbours, PictureCell
from ringfence.model.picture import SignCount as Count
from ringfence_tui.app import RingfenceApp
from ringfence_tui.messages import PairSubject, PictureSubject
from ringfence_tui.screens.explain.screen import ExplainScreen
from ringfence_tui.screens.map.answers import DraftNote, MapAnswer, Writing
from ringfence_tui.screens.map.picture_page import Mode
from ringfence_tui.screens.map.screen import MapScreen
from ringfence_tui.screens.map.sheet_box import SheetBox
from ringfence_tui.spans import plain
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.matrix import Matrix
from ringfence_tui.widgets.notice import Notice
from textual.pilot import Pilot

from tests.tui.map_program import KEYS, ToldEngine
from tests.tui.pictures import edge, group, picture
from tests.tui.waiting import until_true

GROUPS = ("dev shop api", "prod shop api", "prod shop db", "internet")
DENIAL = RuleEffect("ab", "never", "policy/guardrails.yml:6", "deny", 12, 12, (), 1, 1)
EFFECT = DraftEffect(15, Count(12, 61), Count(), (Count(), Count()), (), (DENIAL,), (), ("db-1",))
GUARDRAILS = RuleHome("policy/guardrails.yml", {"tier": "guardrail"}, 0, "guardrail", "", new=False)
SHOP = RuleHome("policy/shop.yml", {"scope": {"app": "shop"}}, 0, "application", "{app: shop}", new=False)
NAME = "dev api never reaches prod db"


def pictured(state: str) -> MapAnswer:
    """Return the picture, with a draft that says something of dev and the database."""
    made = picture(
        GROUPS,
        edge(0, 2, held="+12/61", files="+12/61", draft=state, ports=(5432,)),
        edge(1, 2, held="+3/1000", files="+3/1000", draft="+3/1000", ports=(5432,)),
        edge(3, 1, held="~1", files="~1", draft="~1"),
    )
    return MapAnswer(made, KEYS, DraftNote(int(state[0] == "x")))


class Told(ToldEngine):
    """Has a draft of one rule."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "+12/61"
        filled = FilledRule({"name": NAME}, (GUARDRAILS, SHOP), (), (("shop-api.service", 11), (None, 1)))
        self.answers = {
            "map.picture": lambda _: pictured(self.state),
            "map.cell": lambda one: PictureCell(one.client, one.server, None, 1, 1, {}, (), ()),
            "map.neighbours": lambda one: Neighbours(one.group, (Neighbour(group(GROUPS[0]), edge(0, 2), 1),), ()),
            "map.sheet": lambda _: filled,
            "map.effect": lambda _: EFFECT,
            "map.take": self.taken,
            "map.undo": self.undone,
            "map.writing": lambda _: Writing(("policy/guardrails.yml  1 rule more",), ("policy/guardrails.yml",)),
            "map.write": lambda _: DraftNote(),
        }

    def taken(self, _request: object) -> DraftNote:
        """Take a rule."""
        self.state = "x12/61"
        return DraftNote(1)

    def undone(self, _request: object) -> DraftNote:
        """Take it back."""
        self.state = "+12/61"
        return DraftNote()

    def last(self, question: str) -> object:
        """Return what a question was asked with last."""
        return next(request for name, request in reversed(self.asked) if name == question)


def driven(test: Callable[[Pilot[int], MapScreen, Told], Awaitable[None]], *, read_only: bool = False) -> None:
    """Run the application with the map as its first screen."""

    async def within() -> None:
        engine = Told()
        engine.read_only = read_only
        app = RingfenceApp(engine, first="map")
        async with app.run_test(size=(80, 24)) as pilot:
            await until_true(pilot, lambda: page(app).model is not None)
            await test(pilot, page(app), engine)

    asyncio.run(asyncio.wait_for(within(), 30))


def page(app: RingfenceApp) -> MapScreen:
    """Return the map."""
    assert isinstance(app.page, MapScreen)
    return app.page


def heading(screen: MapScreen) -> str:
    """Return the line above the matrix."""
    return plain(screen.query_one("#heading", Lines).rows[0])


def said(screen: MapScreen) -> str:
    """Return what the line above the keys says."""
    return plain(screen.query_one(Notice).shown)


def at_cursor(screen: MapScreen) -> str:
    """Return the text of the cell under the cursor."""
    matrix = screen.query_one(Matrix)
    return matrix.content.cell(matrix.row, matrix.column).text


def test_it_opens_on_the_worst_cell_and_says_all_of_it() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        assert heading(screen) == " env > app > role   4 groups   7d   draft to held"
        assert at_cursor(screen) == "~1 "
        strip = [plain(row) for row in screen.query_one("#strip", Lines).rows]
        assert strip[1].startswith(" internet  to  prod shop api   tcp/443, 1 flow")

    driven(test)


def test_a_rule_or_an_explanation_that_is_asked_for_at_a_name_says_where_to_go_first() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        for key, what in (("d", "a rule"), ("a", "a rule"), ("e", "an explanation")):
            screen.say()
            screen.query_one(Matrix).go(0, -1)
            await pilot.press(key)
            await until_true(pilot, lambda what=what: f"{what} has two ends" in plain(screen.query_one(Notice).shown))  # type: ignore[misc]

    driven(test)


def test_a_picture_of_nothing_says_so_once_and_who_asks_the_hosts() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, engine: Told) -> None:
        engine.answers["map.picture"] = lambda _: MapAnswer(picture(()), KEYS, DraftNote())
        screen.entered()
        await until_true(pilot, lambda: "nothing was seen" in heading(screen))
        assert "0 groups" not in heading(screen)
        assert "1 and t ask the hosts" in heading(screen)

    driven(test)


def test_from_an_edge_to_the_simulated_draft_in_two_keys_and_back_with_one() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, engine: Told) -> None:
        screen.query_one(Matrix).go(0, 2)
        await pilot.press("d")
        await until_true(pilot, lambda: screen.query(SheetBox) and screen.query_one(SheetBox).foot == EFFECT)
        await pilot.press("enter")
        await until_true(pilot, lambda: at_cursor(screen) == "x2*")
        asked = engine.last("map.take")
        assert asked.rule == {  # type: ignore[attr-defined]
            "name": NAME,
            "from": {"env": "dev", "app": "shop", "role": "api"},
            "to": {"env": "prod", "app": "shop", "role": "db"},
            "deny": "tcp/5432",
        }
        assert asked.home.file == "policy/guardrails.yml"  # type: ignore[attr-defined]
        assert not screen.query(SheetBox)
        await pilot.press("u")
        await until_true(pilot, lambda: at_cursor(screen) == "+2 ")

    driven(test)


def test_enter_that_comes_before_the_file_is_known_waits_for_it() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, engine: Told) -> None:
        screen.query_one(Matrix).go(0, 2)
        await pilot.press("d", "enter")
        await until_true(pilot, lambda: at_cursor(screen) == "x2*")
        assert engine.last("map.take").home.file == "policy/guardrails.yml"  # type: ignore[attr-defined]

    driven(test)


def test_escape_leaves_the_sheet_and_takes_nothing() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, engine: Told) -> None:
        await pilot.press("a", "l", "escape")
        await until_true(pilot, lambda: not screen.query(SheetBox))
        assert "map.take" not in [name for name, _ in engine.asked]
        assert screen.focused is screen.query_one(Matrix)

    driven(test)


def test_a_read_only_application_opens_no_sheet() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        await pilot.press("d", "w", "u")
        assert not screen.query(SheetBox)

    driven(test, read_only=True)


def test_writing_is_confirmed_first() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, engine: Told) -> None:
        for key, written in (("escape", False), ("enter", True)):
            await pilot.press("w")
            await until_true(pilot, lambda: screen.query("Dialog"))
            await pilot.press(key)
            await until_true(pilot, lambda: not screen.query("Dialog"))
            await pilot.pause()
            assert ("map.write" in [name for name, _ in engine.asked]) is written
        await until_true(pilot, lambda: said(screen).startswith("written: policy/guardrails.yml"))
        assert said(screen).endswith("the draft is empty  6 plans and rolls out")

    driven(test)


def test_what_is_said_of_a_picture_stays_when_that_puts_the_cursor_elsewhere() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        matrix = screen.query_one(Matrix)
        screen.say("of the picture")
        matrix.show(matrix.content, 2, 2)
        await pilot.pause()
        assert said(screen) == "of the picture"
        await pilot.press("k")
        await until_true(pilot, lambda: said(screen) != "of the picture")

    driven(test)


def test_what_the_engine_says_of_a_picture_stands_behind_what_the_cursor_says() -> None:
    note = "3,000 groups are more than one can read: put together by env"

    async def test(pilot: Pilot[int], screen: MapScreen, engine: Told) -> None:
        engine.answers["map.picture"] = lambda _: replace(pictured("+12/61"), notes=(note,))
        screen.load()
        await until_true(pilot, lambda: said(screen) == note)
        await pilot.press("k")
        await until_true(pilot, lambda: said(screen) != note)

    driven(test)


def test_states_orders_and_filters_go_round() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        await pilot.press("c")
        assert "files to held" in heading(screen)
        await pilot.press("c", "c", "c")
        assert "draft to held" in heading(screen)
        await pilot.press("o")
        assert "order: volume" in heading(screen)
        await pilot.press("f")
        assert "0 of 4 groups" in heading(screen)
        await pilot.press("f", "f", "f", "slash", *"prod db", "enter")
        assert screen.group == group("prod shop db")
        assert screen.focused is screen.query_one(Matrix)
        await pilot.press("slash", *"dev", "enter")
        assert screen.group == group("dev shop api"), "what was looked for before is not typed on"

    driven(test)


def test_levels_times_and_groups_are_asked_for() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, engine: Told) -> None:
        await pilot.press("minus")
        await until_true(pilot, lambda: screen.level is not None and screen.level.depth == 2)
        assert engine.last("map.picture").levels == ("env", "app")  # type: ignore[attr-defined]
        await pilot.press("plus", "left_square_bracket")
        await until_true(pilot, lambda: "7d until 7d ago" in heading(screen))
        assert engine.last("map.picture").when.until == "7d"  # type: ignore[attr-defined]
        screen.query_one(Matrix).go(0, -1)
        await pilot.press("enter")
        await until_true(pilot, lambda: "in dev shop api" in heading(screen))
        await pilot.press("escape")
        await until_true(pilot, lambda: "in dev" not in heading(screen))

    driven(test)


def test_neighbours_flows_and_back() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        screen.query_one(Matrix).go(2, 2)
        await pilot.press("v")
        await until_true(pilot, lambda: screen.mode is Mode.NEIGHBOURS)
        assert screen.ends == (group("prod shop api"), group("prod shop db"))
        await pilot.press("enter")
        assert screen.centre == group("prod shop api")
        await pilot.press("b")
        assert screen.centre == group("prod shop db")
        await pilot.press("escape")
        screen.query_one(Matrix).go(0, 2)
        await pilot.press("enter")
        await until_true(pilot, lambda: screen.mode is Mode.FLOWS)
        await pilot.press("escape")
        assert screen.mode is Mode.MATRIX

    driven(test)


def test_y_is_told_the_command_and_a_pair_that_is_sent_here_is_shown() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        screen.take(PairSubject("env=dev role=api", "env=prod,role=db"))
        screen.entered()
        await until_true(pilot, lambda: screen.ends == (group("dev shop api"), group("prod shop db")))
        pair = "env=dev,app=shop,role=api env=prod,app=shop,role=db"
        assert screen.command() == f"ringfence simulate --since 7d --pair {pair}"
        screen.take(PictureSubject("x"))
        assert "only: denied" in heading(screen)

    driven(test)


def test_a_click_goes_to_a_cell_and_two_show_its_flows() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        matrix = screen.query_one(Matrix)
        width = matrix.names.width
        await pilot.click(Matrix, offset=(width + 7, 1))
        assert (matrix.row, matrix.column) == (0, 2), "behind one line between blocks"
        await pilot.click(Matrix, offset=(3, 3))
        assert (matrix.row, matrix.column) == (1, -1)
        await pilot.click(Matrix, offset=(width + 1, 0))
        assert (matrix.row, matrix.column) == (-1, 0)
        await pilot.click(Matrix, offset=(3, 2))
        assert (matrix.row, matrix.column) == (-1, 0), "a line between blocks is no row"
        await pilot.double_click(Matrix, offset=(width + 7, 1))
        await until_true(pilot, lambda: screen.mode is Mode.FLOWS)

    driven(test)


def test_a_cell_is_explained_at_a_key() -> None:
    async def test(pilot: Pilot[int], screen: MapScreen, _engine: Told) -> None:
        screen.query_one(Matrix).go(0, 2)
        await pilot.press("e")
        await until_true(pilot, lambda: pilot.app.screen is not screen)
        explain = pilot.app.screen
        assert isinstance(explain, ExplainScreen)
        assert (explain.asked.client, explain.asked.server) == (
            "env=dev,app=shop,role=api",
            "env=prod,app=shop,role=db",
        )

    driven(test)

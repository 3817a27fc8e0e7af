"""The terminal application: two processes, screens that are folders, one boundary for foreign text.

The **screen process** (`app.py`) imports Textual and light values only. The **engine process** (`engine/`) holds the
estate and answers questions. `launch.py` checks the terminal, starts the engine, and then imports Textual: both load
side by side. Nothing but frozen dataclasses and plain values goes over the pipe between them.

| module | holds |
|---|---|
| `launch.py` | what `ringfence` alone runs: the refusals, the engine process, the application |
| `app.py` | the application: screens installed once and switched, the engine's client, themes |
| `ending.py` | what ends it from outside: signals, a terminal that is gone |
| `page.py` | `Page`, what every screen is: top line, body, notice, key line, asking, confirming |
| `messages.py` | `GoTo`: to another screen with a subject (an asset, a pair, a rule, a run) |
| `keys.py` | `Key`: one place for a key, its action, its words in the key line, in help and in the palette |
| `spans.py` | `Span(text, tone)` and `Row`: styled text without a toolkit, what view models are made of |
| `theme.py` | the palettes: a style for each tone, in each theme |
| `engine/` | client, server, session, registry of questions |
| `serve/` | what `ringfence serve` runs: the gate, the page, a process of the application for each socket |
| `screens/` | a folder a screen, and the list `SCREENS` |
| `widgets/` | the only package that imports `textual.widgets` or builds strips |

Adding a screen: one folder, one line in `screens/__init__.py`:

    Entry("ages", "Ages", "8", "ringfence_tui.screens.ages.screen:AgesScreen")

`screens/ages/model.py`: frozen values and pure functions; neither textual nor ringfence.operations.

    @dataclass(frozen=True, slots=True)
    class AgesRequest:
        least: int

    @dataclass(frozen=True, slots=True)
    class Ages:
        names: tuple[str, ...]

    def rows(ages: Ages) -> tuple[Row, ...]:
        return tuple(row(Span(name), Span(" old", Tone.DIM)) for name in ages.names)

`screens/ages/questions.py`: runs in the engine process, each question in a thread of it. What is large goes in parts
(`tell(part)`), of some 1,000 rows each; `tell` raises where the question was cancelled.

    def old(session: EngineSession, request: AgesRequest, tell: Tell) -> Ages:
        return Ages(tuple(asset.name for asset in session.estate.snapshot.assets))

    QUESTIONS: Questions = {"old": old}

`screens/ages/screen.py`: shows it.

    class AgesScreen(Page):
        KEYS = (Key("r", "renew", "renew", "Ask for the ages again"),)

        def body(self) -> ComposeResult:
            yield Lines(id="ages", selectable=True)

        def entered(self) -> None:                     # each time the screen is switched to
            self.work(self.load())

        async def load(self) -> None:
            ages = await self.engine.ask("ages.old", AgesRequest(3), Ages)
            self.query_one("#ages", Lines).show(rows(ages))

        def action_renew(self) -> None:
            self.work(self.load())

`self.work(coroutine, group="…")` cancels what the group did before (in the engine too) and shows errors of the engine
in the notice line. `self.go("assets", subject)` posts `GoTo`; the screen that is reached has `take(subject)` called.
`await self.confirm(Confirmation(…))` is the one way of confirming; it works in `work` only.
"""

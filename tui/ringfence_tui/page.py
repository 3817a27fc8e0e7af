"""What every screen is: the first line, a body, a notice, the keys; asking the engine, confirming, going elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.screen import Screen

from ringfence_tui.engine.client import Engine, EngineError
from ringfence_tui.keys import APPLICATION, NAMES, Key, bindings, while_typing
from ringfence_tui.messages import GoTo, JobsChanged
from ringfence_tui.room import is_enough
from ringfence_tui.spans import Row, Span, Tone
from ringfence_tui.widgets.dialog import Confirmation, Dialog
from ringfence_tui.widgets.doubt import Doubt
from ringfence_tui.widgets.field import Field
from ringfence_tui.widgets.key_bar import KeyBar
from ringfence_tui.widgets.line_question import LineQuestion
from ringfence_tui.widgets.notice import Notice
from ringfence_tui.widgets.overlay import Overlay
from ringfence_tui.widgets.too_small import TooSmall
from ringfence_tui.widgets.top_bar import Tab, TopBar

if TYPE_CHECKING:
    from ringfence_tui.app import RingfenceApp

Task = Coroutine[Any, Any, None]
WAITS = 0.4  # seconds without an answer after which a screen says what it waits for


class Page(Screen[None]):
    """A screen. Subclasses have `body`, `entered`, `KEYS` and, where they can be reached with a subject, `take`."""

    KEYS: ClassVar[tuple[Key, ...]] = ()
    TITLE_TEXT: ClassVar[str] = ""
    JUDGES: ClassVar[bool] = False  # shows what is allowed or denied, so it says where hosts may not hold that
    AUTO_FOCUS = "Listing"
    DEFAULT_CSS = """
    Page { layers: base overlay cover; layout: vertical; background: $background; }
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Bind the keys of a screen."""
        if "KEYS" in cls.__dict__:
            cls.BINDINGS = bindings(cls.KEYS)
        super().__init_subclass__(**options)

    def __init__(self, name: str, title: str) -> None:
        super().__init__(name=name)
        self.page_name = name
        self.page_title = title
        self._asked: Overlay | None = None

    @property
    def ringfence(self) -> RingfenceApp:
        """Return the application."""
        return cast("RingfenceApp", self.app)

    @property
    def engine(self) -> Engine:
        """Return the engine's client."""
        return self.ringfence.engine

    @property
    def read_only(self) -> bool:
        """Return whether nothing may be changed."""
        return self.ringfence.read_only

    # What a screen has of its own

    def body(self) -> ComposeResult:
        """Yield the widgets between the first line and the notice."""
        yield from ()

    def entered(self) -> None:
        """Do what is done each time the screen is switched to: most ask the engine anew."""

    def aged(self) -> None:
        """Say anew how long ago things were, once a minute while the screen is shown; what says the same stays."""

    def left(self) -> None:
        """Do what is done when another screen is switched to: most have nothing to do."""

    def forget(self) -> None:
        """Forget what is shown: another workspace was opened."""

    def take(self, subject: object) -> None:
        """Show a subject of `messages.py` that another screen sent here; called before `entered`."""

    def command(self) -> str:
        """Return the command that says the same as this screen shows, empty where there is none."""
        return ""

    def unsaved(self) -> str:
        """Return what is lost where one leaves now, and how to keep it; empty where nothing is."""
        return ""

    def unsaid(self) -> str:
        """Return what of this screen the command does not say, empty for nothing."""
        return ""

    def asset_at_cursor(self) -> str:
        """Return the asset that is meant where one is asked for, empty where none is."""
        return ""

    def pair_at_cursor(self) -> tuple[str, str, str] | None:
        """Return client, server and service that are meant where a connection is asked for, None where none is."""
        return None

    def shown_keys(self) -> tuple[Key, ...]:
        """Return the keys of the last line: those of this screen, then the application's."""
        return tuple(key for key in (*self.KEYS, *APPLICATION) if not self._refused(key))

    # What every screen can do

    def work(self, task: Coroutine[Any, Any, None], group: str = "page") -> None:
        """Do something that asks the engine; what the group did before is cancelled, in the engine too."""
        worker = self.run_worker(_Begun(self._guarded, task), group=group, exclusive=True, exit_on_error=False)
        if worker._task is not None:
            # what was cancelled before it began: Python would complain of it on the terminal, after the end
            worker._task.add_done_callback(lambda _done: task.close())

    def go(self, screen: str, subject: object = None) -> None:
        """Go to another screen."""
        self.post_message(GoTo(screen, subject))

    def job(self, text: str) -> None:
        """Tell in the top line what this screen works on in the background; an empty text: it has ended."""
        self.post_message(JobsChanged(text, self.page_title))

    def say(self, *parts: Span | str, whole: bool = False) -> None:
        """Show a notice, or take it away; `whole` in as many lines as it needs."""
        self.query_one(Notice).show(*parts, whole=whole)

    def say_no_key(self, name: str) -> None:
        """Say that a key does nothing here, or may not."""
        key = next((one for one in self.KEYS if name in one.keys.split(",")), None)
        if key is not None and key.changes and self.read_only:
            self.say(Span("read-only ", Tone.WARN), f"{key.name} would change something: {key.help or key.label}")
        elif key is not None and key.lends:
            self.say(Span(f"{key.name} is not there in a browser", Tone.DIM))
        else:
            self.say(Span(f"{NAMES.get(name, name)} does nothing here; ? lists the keys", Tone.DIM))

    def say_error(self, error: EngineError) -> None:
        """Show what is wrong, where, and the remedy."""
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        place = (Span(f"{error.place} ", Tone.STRONG),) if error.place else ()
        remedy = (Span(f"  → {error.remedy}", Tone.DIM),) if error.remedy else ()
        self.query_one(Notice).show(Span("✗ ", Tone.BAD), *place, Span(error.message + more), *remedy, whole=True)

    @contextmanager
    def waiting(self, words: str) -> Iterator[None]:
        """Say what is waited for, once it has taken a moment and nothing else is said."""
        notice, said = self.query_one(Notice), (Span(words, Tone.DIM),)

        def tell() -> None:
            if not notice.shown and self.is_current:
                notice.show(*said)

        timer = self.set_timer(WAITS, tell)
        try:
            yield
        finally:
            timer.stop()
            if notice.shown == said:
                notice.show()

    async def confirm(self, asked: Confirmation) -> bool:
        """Return whether a person confirmed. Only within `work`: the keys have to arrive meanwhile."""
        if self._is_asking():
            return False
        dialog = Dialog(asked)
        await self._put(dialog)
        return await dialog.answer

    async def answered(self, question: LineQuestion) -> str | None:
        """Return the line that a person gave, None where the question was left. Only within `work`, as `confirm`."""
        if self._is_asking():
            return None
        await self._put(question)
        return await question.answer

    def _is_asking(self) -> bool:
        return self._asked is not None and self._asked.is_attached

    async def _put(self, question: Overlay) -> None:
        self._asked = question
        await self.mount(question)

    def renew_keys(self) -> None:
        """Show the keys again, where `shown_keys` returns others now."""
        keys = self.shown_keys()
        field = self.focused
        if isinstance(field, Field) and not any(isinstance(one, Overlay) for one in field.ancestors):
            keys = tuple(found for key in keys if (found := while_typing(key)) is not None)
        self.query_one(KeyBar).show(keys)

    def on_descendant_focus(self) -> None:
        """Show the keys that count there: a field takes letters."""
        self.call_later(self.renew_keys)

    def on_descendant_blur(self) -> None:
        """Show the keys that count again."""
        self.call_later(self.renew_keys)

    async def _guarded(self, task: Coroutine[Any, Any, None]) -> None:
        try:
            await task
        except EngineError as error:
            if self.is_attached:
                self.say_error(error)
        except (NoMatches, NoScreen):
            if not self.ringfence.leaves:  # else it was asked for what is being taken apart
                raise

    # What Textual calls

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        from ringfence_tui.screens import SCREENS
        from ringfence_tui.widgets.body import Body

        tabs = [Tab(entry.name, entry.title, entry.key) for entry in SCREENS if entry.key]
        yield TopBar(tabs, self.page_name, self.page_title)
        if self.JUDGES:
            yield Doubt()
        with Body(id="body"):
            yield from self.body()
        yield Notice()
        yield KeyBar(self.shown_keys())
        yield TooSmall()

    def on_screen_resume(self) -> None:
        """Show what is true now."""
        self.show_top()
        self.say()
        self.ringfence.first_shown.set()
        self.fit_overlays()
        self.call_later(self.ringfence.key_order.release)
        self.entered()
        self.ask_doubt()

    def ask_doubt(self) -> None:
        """Say which hosts may not hold what this screen goes by."""
        if self.JUDGES:
            self.work(self._doubt(), "doubt")

    async def _doubt(self) -> None:
        with suppress(EngineError):  # what is broken there is told by the overview
            self.query_one(Doubt).tell(await self.engine.ask("emergency.doubt", None, str))

    @on(events.Resize)
    def fit_overlays(self) -> None:
        """Have what lies over the screen in its middle again: its own size may stay as it is, so nothing tells it.

        Where the terminal has become too small, the screen is covered.
        """
        for cover in self.query(TooSmall):
            cover.display = not is_enough(*self.app.size)
        for overlay in self.query(Overlay):
            overlay.fit()

    def on_screen_suspend(self) -> None:
        """Another screen is shown."""
        self.left()

    def show_top(self) -> None:
        """Show the workspace and the jobs in the first line."""
        app = self.ringfence
        opened = app.opened
        name = opened.name if opened is not None else ""
        # first what must not be cut off
        jobs = "  ".join(part for part in ("read-only" if self.read_only else "", app.jobs.words()) if part)
        self.query_one(TopBar).tell(name, jobs)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what changes something in a read-only application, and what a browser cannot do."""
        return not any(self._refused(key) and key.action.partition("(")[0] == action for key in self.KEYS)

    def _refused(self, key: Key) -> bool:
        return (key.changes and self.read_only) or (key.lends and not self.ringfence.can_lend)


class _Begun:
    """A task that is awaited once; one that is cancelled before it began is closed, and Python complains of nothing."""

    def __init__(self, run: Callable[[Task], Awaitable[None]], task: Task) -> None:
        self._run = run
        self._task = task

    def __await__(self) -> Generator[Any, None, None]:
        return self._run(self._task).__await__()

    def __del__(self) -> None:
        self._task.close()


__all__ = ["Confirmation", "Page", "Row"]

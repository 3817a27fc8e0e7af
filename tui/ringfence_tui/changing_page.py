"""A page whose keys change something: read-only it says so, and it asks for the passwords that Ansible needs."""

from __future__ import annotations

from ringfence_tui.engine.client import EngineError
from ringfence_tui.page import Page
from ringfence_tui.passwords import Given
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.secret import Secret


class ChangingPage(Page):
    """Its actions begin with `may`; a key that changes something is not silent where nothing may be changed.

    What it works on goes on while another screen is shown, and what went wrong meanwhile is told on the way back.
    """

    _unseen: EngineError | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let every action say itself why it does nothing."""
        return True

    def may(self, do: str) -> bool:
        """Return whether something may be changed; say so where not. `do` is "roll a plan out"."""
        if self.read_only:
            opened = self.ringfence.opened
            why = (opened.why if opened is not None else "") or "start the application without --read-only"
            self.say(Span("read-only ", Tone.WARN), f"cannot {do}; {why}")
        return not self.read_only

    def say_error(self, error: EngineError) -> None:
        """Show what is wrong; where another screen is shown, again when somebody comes back."""
        super().say_error(error)
        self._unseen = None if self.is_current else error

    def say_unseen(self) -> None:
        """Show what went wrong while another screen was shown."""
        unseen, self._unseen = self._unseen, None
        if unseen is not None:
            self.say_error(unseen)

    def action_passwords(self) -> None:
        """Ask for the passwords that Ansible needs."""
        self.work(self._ask_passwords(), "asked")

    async def _ask_passwords(self) -> None:
        become = await self._secret("Become password", "what Ansible becomes root with on hosts")
        if become is None:
            return
        vault = await self._secret("Vault password", "what Ansible opens the inventory's vaults with")
        if vault is None:
            return
        self.ringfence.passwords = Given(become or None, vault or None)
        self.say(self.ringfence.passwords.words())

    async def _secret(self, title: str, what_for: str) -> str | None:
        asked = Secret(
            title,
            (
                row(what_for),
                row(Span("kept in memory until you quit; enter alone: none", Tone.DIM)),
            ),
        )
        return await self.answered(asked)


def unfocused(lines: Lines) -> Lines:
    """Return lines that keys never go to: what is read beside a list."""
    lines.can_focus = False
    return lines

"""A page whose keys change something: read-only it says so, and it asks for the passwords that Ansible needs."""

from __future__ import annotations

from ringfence_tui.page import Page
from ringfence_tui.passwords import Given
from ringfence_tui.spans import Span, Tone, row
from ringfence_tui.widgets.lines import Lines
from ringfence_tui.widgets.secret import Secret


class ChangingPage(Page):
    """Its actions begin with `may`; a key that changes something is not silent where nothing may be changed."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let every action say itself why it does nothing."""
        return True

    def may(self, do: str) -> bool:
        """Return whether something may be changed; say so where not. `do` is "roll a plan out"."""
        if self.read_only:
            self.say(Span("read-only ", Tone.WARN), f"cannot {do}; start the application without --read-only")
        return not self.read_only

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

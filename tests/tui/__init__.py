"""The terminal application: view models without a terminal, journeys by Textual's pilot, keys and bytes over a pty."""

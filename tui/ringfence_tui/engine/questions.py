"""The registry of questions: `map.picture` is `picture` in `QUESTIONS` of `ringfence_tui.screens.map.questions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ringfence.model.errors import InputError

from ringfence_tui.engine.session import EngineSession, Tell

Question = Callable[[EngineSession, Any, Tell], object]
Questions = Mapping[str, Question]

# Questions that belong to no screen, by the word before the dot.
OWN = {
    "workspace": "ringfence_tui.engine.workspace_questions",
    "emergency": "ringfence_tui.engine.emergency_questions",
}


def find(name: str) -> Question:
    """Return the question of a name. Raise InputError where there is none."""
    screen, _, word = name.partition(".")
    module = OWN.get(screen, f"ringfence_tui.screens.{screen}.questions")
    if not screen.isidentifier():
        raise InputError(f"no question is called '{name}'")
    try:
        questions: Questions = import_module(module).QUESTIONS
    except ModuleNotFoundError as error:
        if error.name is not None and module.startswith(error.name):
            raise InputError(f"no question is called '{name}': there is no {module}") from error
        raise
    try:
        return questions[word]
    except KeyError:
        raise InputError(f"no question is called '{name}': {module} has {', '.join(questions)}") from None

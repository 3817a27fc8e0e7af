# Copyright: (c) 2026, the Ringfence developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known of one enforcer each, a folder an enforcer, and what each folder's package offers to the rest.

The actions (`policy`, `policy_confirm`, …) ask the plan which enforcer a host has, load `enforcers/<name>` by that name
and know nothing else of it. A package offers these names:

- `SUFFIX`: the ending of its files in a plan's `rulesets/`; the same as its engine's half says.
- `PARTS`: the parts of its target's script, in order. A part is `<part>.sh` in the package's own folder `script/`, else
  in `targets/script/`. The verbs `apply`, `confirm`, `rollback`, `remove`, `refresh`, `status`, and what replies look
  like (`targets/reply_shape.py`), are the same for all.
- `MISSING`: the word with which the script refuses where the host has nothing of this enforcer at all.
- `OLDEST`: the oldest version of each of its programs that it can work with, as numbers, by the name that `features`
  gives the program; the same as its engine's half says.
- `runtime_lines(runtime)`: a host's `runtime` of the plan as the text that the order calls `processes`.
- `read(listing)`: the strict reader. It returns the data of a verdict table, with processes called by their places
  (`u0`, `x0`, in the order of sorted names) and dynamic sets by their digests (`wire/vendored/set_names.py`), and
  beside it `present`, `plan` (the first digits of the digest that the host claims), `drift`, `leftovers`, and `filled`
  with `processes`, `standing`, `answers`, `counters`, `remembered` and `full`. `wire/table_compare.py` compares it.
- `filled(section)`: the same `filled` of a part of a listing, as a reply to `apply` carries it.
- `features(reply)`: what the host told that the engine's half reads its facts from.
- `answer_age(element)`: how many seconds ago an element of `answers` was given.

An enforcer that no shell script drives (Windows, the interface of a cloud) offers `act` instead of all but `SUFFIX`:

- `act(verb, action, arguments, task_vars)`: does the work of one action, on the controller or over its own way to the
  host, and returns the result that the action's documentation promises. A `verb` is `apply`, `confirm`, `rollback`,
  `verify`, `info`, `refresh` or `remove`; before `apply` the plan's validity and signature and the journal were looked
  at. `action` is the action plug-in. It raises `PlanError` and `TargetFailure` like all do.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

from ansible_collections.ringfence.core.plugins.plugin_utils.wire.plan_directory import PlanError

# The enforcer of a host of which neither a plan nor a variable says another one.
USUAL = "nftables"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,6}")


def installed() -> list[str]:
    """Return the names of the enforcers that this release has a part for, the usual one first."""
    folder = os.path.dirname(__file__)
    found = {entry.name for entry in os.scandir(folder) if os.path.isfile(os.path.join(entry.path, "__init__.py"))}
    return sorted(found, key=lambda name: (name != USUAL, name))


@lru_cache(maxsize=None)
def enforcement(name: str = USUAL) -> ModuleType:
    """Return the package of an enforcer. Raise PlanError where this release has none of that name."""
    if not _NAME.fullmatch(name) or name not in installed():
        raise PlanError(
            "enforcer",
            f"this host uses the enforcer '{name}', but the collection ringfence.core here does not support it (it "
            f"supports: {', '.join(installed())}); install the collection of the release that made the plan",
        )
    return import_module(f"{__name__}.{name}")


def too_old(name: str, features: Mapping[str, Any]) -> bool:
    """Return whether a host tells that it lacks a program of an enforcer, or has an older one than it can work with."""
    return any(
        tuple(map(int, _NUMBER.findall(str(features[program]))[:3])) < oldest
        for program, oldest in enforcement(name).OLDEST.items()
        if program in features
    )

"""Policy files in every way that YAML lets people write one, drawn: one rule says the same in each of its styles."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from hypothesis import strategies as st

WORDS = (
    "web",
    "db",
    "über",
    "数据库",
    "a b",
    "it's",
    "a#b",
    "x: y",
    "- z",
    "yes",
    "1",
    "*",
    "&a",
    "!t",
    "{",
    "%",
    "@",
    "null",
)
NOTES = (
    "",
    "",
    "",
    " # why",
    "  #",
    " # ünï — ✓ 数",
    " # 'quoted\" {[",
    " # &a *b !c",
    " #\ttab in it\t",
    " # - name: no rule",
)
BETWEEN = ("", "# left", "  # in", "        # deep", "# - {name: out}", "   ", "#", "# ---", "# ünï")
OPENINGS = ("", "", "", "# first\n", "\n", "---\n", "%YAML 1.2\n---\n", "--- # doc\n", "# a\n---\n# b\n")
ENDINGS = (
    "",
    "",
    "",
    "# end\n",
    "\n\n",
    "...\n",
    "... # over\n",
    "enforce:\n- {where: any, mode: full}\n",
    "   \n",
    "# no end",
)


def scalar(draw: st.DrawFn, text: str) -> str:
    """Draw a way to write a word in one line."""
    plain = text.isascii() and text.isalnum() and text not in ("yes", "1", "null")
    ways = [json.dumps(text, ensure_ascii=False), "'" + text.replace("'", "''") + "'", json.dumps(text)]
    return draw(st.sampled_from(([text] if plain else []) + ways))


def flowed(draw: st.DrawFn, value: object, pad: str) -> str:
    """Draw a value in flow style, which may go over several lines with comments between."""

    def brk() -> str:
        return draw(st.sampled_from(("", "", "", " ", f"{draw(st.sampled_from(NOTES))}\n{pad}    ")))

    if isinstance(value, Mapping):
        parts = [f"{scalar(draw, key)}: {flowed(draw, part, pad)}" for key, part in value.items()]
        return _joined(draw, "{}", parts, brk)
    if isinstance(value, list):
        return _joined(draw, "[]", [flowed(draw, part, pad) for part in value], brk)
    if isinstance(value, bool):
        return "true" if value else "false"
    return scalar(draw, str(value))


def _joined(draw: st.DrawFn, ends: str, parts: list[str], brk: Callable[[], str]) -> str:
    text = ends[0] + brk()
    for number, part in enumerate(parts):
        text += (f",{brk() or ' '}" if number else "") + part
    return text + draw(st.sampled_from(("", "", ", " if parts else ""))) + brk() + ends[1]


def blocked(draw: st.DrawFn, value: object, indent: int) -> str:
    """Draw what stands behind `key:` or `-`, with its line end: in this line, or as a block in lines of its own."""
    pad, note = " " * indent, draw(st.sampled_from(NOTES))
    if isinstance(value, Mapping) and value and draw(st.booleans()):
        step = draw(st.sampled_from((1, 2, 4)))
        return f"{note}\n" + "".join(
            f"{_between(draw)}{pad}{' ' * step}{scalar(draw, key)}:{blocked(draw, part, indent + step)}"
            for key, part in value.items()
        )
    if isinstance(value, list) and value and draw(st.booleans()):
        step = draw(st.sampled_from((0, 2, 3)))
        return f"{note}\n" + "".join(
            f"{_between(draw)}{pad}{' ' * step}-{blocked(draw, part, indent + step + 1)}" for part in value
        )
    if isinstance(value, str) and value.isascii() and value.isalnum():
        way = draw(st.integers(0, 9))
        if way == 0:
            return f" >-{note}\n{pad}   {value}\n"
        if way == 1:
            return f" |-{note}\n{pad}  {value}\n"
        if way == 2:
            return f"{note}\n{pad}  {scalar(draw, value)}{draw(st.sampled_from(NOTES))}\n"
    gap = draw(st.sampled_from((" ", " ", "  ")))
    return f"{gap}{flowed(draw, value, pad)}{note}\n"


def _between(draw: st.DrawFn) -> str:
    return f"{draw(st.sampled_from(BETWEEN))}\n" if draw(st.integers(0, 5)) == 0 else ""


@st.composite
def rule_values(draw: st.DrawFn, name: str) -> dict[str, object]:
    """Draw what a rule says."""
    word = st.sampled_from(WORDS)
    peer = st.one_of(
        st.just("any"),
        st.builds(lambda one: {"role": one}, word),
        st.builds(lambda one, two: {"role": [one, two], "env": "prod"}, word, word),
        st.builds(lambda one: [{"app": one}, "internet"], word),
    )
    services = st.sampled_from(("tcp/80", ["tcp/1", "udp/53"], ["any"], "postgresql"))
    said: dict[str, object] = {
        "name": name + draw(st.sampled_from(("", " ü", ": x", " #y"))),
        "from": draw(peer),
        "to": draw(peer),
        draw(st.sampled_from(("allow", "deny", "pass"))): draw(services),
    }
    if draw(st.booleans()):
        said["log"] = draw(st.booleans())
    return {key: said[key] for key in draw(st.permutations(list(said)))}


@st.composite
def written_rules(draw: st.DrawFn, rule: Mapping[str, object], indent: int) -> str:
    """Draw the lines of a rule as an item of a list."""
    pad = " " * indent
    way = draw(st.integers(0, 7))
    if way == 0:
        return f"{pad}- {flowed(draw, rule, pad)}{draw(st.sampled_from(NOTES))}\n"
    step = draw(st.sampled_from((2, 2, 3, 5)))
    deeper = " " * (indent + step)
    anchor = draw(st.sampled_from(("", "", "", "", f"&r{draw(st.integers(0, 10**6))}")))
    own = bool(anchor) or way == 1
    first = f"{pad}-{' ' + anchor if anchor else ''}{draw(st.sampled_from(NOTES))}\n" if own else ""
    lines = []
    for number, (key, value) in enumerate(rule.items()):
        head = deeper if number or own else f"{pad}-{deeper[indent + 1 :]}"
        colon = draw(st.sampled_from((":", ":", ":", " :")))
        lines.append(f"{head}{scalar(draw, key)}{colon}{blocked(draw, value, indent + step)}")
    return first + "".join(line + _between(draw) for line in lines)


@st.composite
def written_files(draw: st.DrawFn) -> str:
    """Draw the text of a policy file with some rules."""
    text = ""
    for number in range(draw(st.integers(1, 3))):
        text += ("---\n" if number else "") + (draw(st.sampled_from(OPENINGS)) if not number else "")
        head = draw(
            st.sampled_from(("", "tier: guardrail\n", "scope: {app: shop} # s\n", "scope:\n  # in\n  app: shop\n"))
        )
        rules = [draw(rule_values(f"rule {number}.{index}")) for index in range(draw(st.integers(1, 3)))]
        indent = draw(st.sampled_from((0, 0, 2, 4)))
        if draw(st.integers(0, 9)) == 0:
            body = f"rules: {flowed(draw, rules, '')}\n"
        else:
            parted = draw(st.booleans())
            body = f"rules:{draw(st.sampled_from(NOTES))}\n" + ("\n" if parted else "").join(
                _between(draw) + draw(written_rules(one, indent)) for one in rules
            )
        text += head + body if draw(st.booleans()) or not head else body + head
    text += draw(st.sampled_from(ENDINGS))
    if draw(st.integers(0, 3)) == 0:
        text = text.rstrip("\n")
    return text.replace("\n", "\r\n") if draw(st.integers(0, 3)) == 0 else text

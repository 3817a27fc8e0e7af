"""Policy files as people lay them out, drawn: comments anywhere, odd indentation, mappings in one line, anchors."""

from __future__ import annotations

from hypothesis import strategies as st

COMMENTS = ("", "", "  # why: 'a # b'", " # keep")
PEERS = ("any", "{role: web}", '{role: ["web", api]}', "[{role: web}, unknown]", "{cidr: 10.0.0.0/8}")
SERVICES = ("tcp/80", "[tcp/1, udp/53]", "postgresql", '"any"')
HEADS = ("", "tier: guardrail\n", "scope: {app: shop}  # all of it\n", "# head\nscope:\n  app: shop\npriority: 50\n")


@st.composite
def rules(draw: st.DrawFn, name: str, indent: int, anchor: str) -> str:
    """Draw one rule as a list item; with an anchor, its `from` has it."""
    pad = " " * indent
    comment = st.sampled_from(COMMENTS)
    pairs = [
        ("name", draw(st.sampled_from([name, f'"{name}"', f"'{name}'"]))),
        ("from", f"{anchor}{draw(st.sampled_from(PEERS))}"),
        ("to", draw(st.sampled_from(PEERS))),
        (draw(st.sampled_from(["allow", "deny", "pass"])), draw(st.sampled_from(SERVICES))),
    ]
    if draw(st.booleans()):
        pairs.append(("log", "true"))
    pairs = draw(st.permutations(pairs))
    if draw(st.integers(0, 4)) == 0 and not anchor:
        inside = ", ".join(f"{key}: {value}" for key, value in pairs)
        return f"{pad}- {{{inside}}}{draw(comment)}\n"
    lines = []
    deeper = " " * (indent + draw(st.sampled_from([2, 2, 4])))
    own_line = draw(st.integers(0, 6)) == 0
    if own_line:
        lines.append(f"{pad}-{draw(st.sampled_from(['', '  # a rule']))}")
    for number, (key, value) in enumerate(pairs):
        first = f"{pad}-{deeper[indent + 1 :]}" if number == 0 and not own_line else deeper
        if value == "{role: web}" and draw(st.booleans()):
            lines += [f"{first}{key}:{draw(comment)}", f"{deeper}  role: web{draw(comment)}"]
        elif value == "[tcp/1, udp/53]" and draw(st.booleans()):
            lines += [f"{first}{key}: [tcp/1,{draw(comment)}", f"{deeper}    udp/53]"]
        else:
            lines.append(f"{first}{key}: {value}{draw(comment)}")
        if draw(st.integers(0, 5)) == 0:
            lines.append(draw(st.sampled_from([f"{deeper}# inside", "", f"{pad}# at the dash"])))
    return "".join(f"{line}\n" for line in lines)


@st.composite
def policy_texts(draw: st.DrawFn) -> str:
    """Draw the text of a policy file with at least one rule."""
    documents = []
    for number in range(draw(st.integers(1, 3))):
        head = draw(st.sampled_from(HEADS))
        indent = draw(st.sampled_from([0, 2, 2, 4]))
        text = draw(st.sampled_from(["", "# first\n", "\n"])) + head
        text += f"rules:{draw(st.sampled_from(['', '  # ours']))}\n"
        parted = draw(st.booleans())
        anchored = draw(st.integers(0, 3)) == 0
        count = draw(st.integers(1, 4))
        for index in range(count):
            if index and parted:
                text += "\n"
            text += draw(st.sampled_from(["", "", f"{' ' * indent}# about the next\n"]))
            text += draw(rules(f"rule {number}.{index}", indent, "&them " if anchored and index == 0 else ""))
        if anchored:
            text += f"{' ' * indent}- {{name: last {number}, from: *them, to: any, deny: tcp/23}}\n"
        text += draw(
            st.sampled_from(["", "", "# the end\n", "\n# after\n", "enforce:\n  - {where: any, mode: full}\n"])
        )
        documents.append(text)
    whole = "---\n".join(documents)
    if draw(st.integers(0, 3)) == 0:
        whole = whole.removesuffix("\n")
    return whole.replace("\n", "\r\n") if draw(st.integers(0, 3)) == 0 else whole

"""JMESPath expressions as people write them: refused where they stand if they are none."""

from __future__ import annotations

import jmespath
from jmespath.exceptions import JMESPathError

from ringfence.language.nodes import Scalar
from ringfence.language.reports import Reports

MOST_EXPRESSION = 10_000


def refuse_expression(node: Scalar, text: str, reports: Reports) -> bool:
    """Report what is not valid JMESPath; return whether it is."""
    if len(text) > MOST_EXPRESSION:
        reports.add(node.place, f"an expression of more than {MOST_EXPRESSION} characters", "write a shorter one")
        return False
    try:
        jmespath.compile(text)
    except (JMESPathError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "words with other characters stand in double quotes, texts in single ones: \"a-b\" || 'text'"
        reports.add(node.place, f"this is not valid JMESPath: {reason}", remedy)
        return False
    return True

"""Accepted addresses are kept by many people at once, and none of them is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ringfence.sources.accepted import FILE, read_accepted

ACCEPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ringfence.sources.accepted import accept_claims
from ringfence.sources.claims import Claim
for number in range(25):
    claim = Claim(f"web-{sys.argv[2]}", f"10.{sys.argv[2]}.0.{number}")
    accept_claims(Path(sys.argv[1]), [claim], datetime.now(UTC), "accepted")
"""


def test_none_of_the_addresses_that_several_people_accept_at_once_is_lost(tmp_path: Path) -> None:
    path = tmp_path / ".ringfence" / FILE
    people = [subprocess.Popen([sys.executable, "-c", ACCEPT, str(path), str(number)]) for number in range(3)]
    assert [person.wait(timeout=240) for person in people] == [0, 0, 0]
    assert len(read_accepted(path) or ()) == 75

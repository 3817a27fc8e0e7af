"""Records the journey that the test walks, on hosts of the demo lab: `python -m docs.pictures.journey [DIRECTORY]`.

It writes `journey.cast`, for `asciinema play`, and `journey.svg`, whose stills any browser shows. Times and process
numbers are those of the day, so the bytes are others each time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.lab.journey import (
    attach,
    deny_it,
    go_to_the_wrong_traffic,
    new_home,
    opened,
    raise_the_lab,
    roll_it_out_and_leave,
    see_it_confirmed,
    see_it_explained,
)
from tests.tui.recording import Recording


def main() -> None:
    """Walk, and write what was seen."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    recording = Recording((100, 30), "Ringfence: from an empty directory to a denial that hosts hold")
    with new_home() as home:
        os.environ |= {"XDG_STATE_HOME": str(home.parent / "state"), "TZ": "UTC"}
        recording.says("ringfence")
        with opened(home, recording) as terminal:
            raise_the_lab(terminal)
            go_to_the_wrong_traffic(terminal)
            deny_it(terminal)
            roll_it_out_and_leave(terminal)
        recording.says("ringfence")
        with opened(home, recording) as terminal:
            attach(terminal)
            see_it_confirmed(terminal)
            go_to_the_wrong_traffic(terminal)
            see_it_explained(terminal)
            terminal.press("q")
            terminal.wait_end()
    for name, write in (("journey.cast", recording.write_cast), ("journey.svg", recording.write_stills)):
        write(target / name)
        sys.stdout.write(f"{target / name}: {(target / name).stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()

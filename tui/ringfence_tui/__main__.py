"""`python -P -m ringfence_tui`: the application, without the command."""

import sys

from ringfence_tui.launch import run

sys.exit(run())

"""Every Python that a stage of `tests.checks` starts imports this first, as the `site` module has it.

It looks less often for cycles among what it imports: a tenth of each start of `ansible-playbook`, of which the lab has
hundreds. The commands of Ringfence do the same themselves (`ringfence.cli.program`).
"""

import gc

gc.set_threshold(50_000, 20, 100)

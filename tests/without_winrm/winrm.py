"""Stands in front of pywinrm for what the stages of `tests.checks` start, as on a machine that has none.

Each start of `ansible-playbook` imports what every connection plug-in needs, and pywinrm's share is a fifth of it.
"""

raise ImportError("tests.checks keeps pywinrm out: nothing of this stage speaks WinRM")

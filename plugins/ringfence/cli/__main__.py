"""`python -m ringfence.cli`: the command, run by the Python at hand."""

from ringfence.cli.program import main

main()

"""The workspace of the demo lab: its sources, its labels, and a policy that is wrong in places on purpose."""

"""The rules of the policy, what each does, and the draft."""

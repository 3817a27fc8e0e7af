"""The Map screen: who talks to whom, what each policy state says of it, and the rule that changes it."""

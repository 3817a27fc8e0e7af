"""What people write, as the model's values: every error with its place, all errors of all files together."""

from ringfence.language.policies import LoadedPolicy, load_policy, read_policy

__all__ = ["LoadedPolicy", "load_policy", "read_policy"]

"""Suggestions for a person to accept: label rules from names and ports, rules of a policy from flows."""

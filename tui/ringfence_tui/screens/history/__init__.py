"""The rollouts of the workspace, and what happened in each, step by step."""

"""What others can enforce of a policy, in their own words; each refuses by name what it cannot say."""
